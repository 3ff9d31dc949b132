#pragma once

#include "annals/error.hpp"
#include "annals/event.hpp"
#include "annals/projection_store.hpp"
#include "annals/seams.hpp"
#include "annals/stored_event.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What a projection store's catalog says: which projections there are, where each one is, what was
/// set aside. Records are msgpack by field name (annals/event.hpp), so that fields can be added.
/// Readers block on the disk, and answer `errc::corrupt` to a record that does not decode; writers only
/// fill a `row_changes`. A projection's name holds no zero byte. docs/storage_format.md has the keys.
namespace annals {

/// Which kind of projection a record belongs to. A name keeps its kind for ever.
enum class projection_kind : std::uint8_t { view = 1, stored_view = 2, reaction = 3 };
[[nodiscard]] std::string_view to_string(projection_kind kind) noexcept;

/// One generation of a projection's state: the rows of a stored view, the saved copy of a view in
/// memory, or nothing but the checkpoint of a reaction.
struct generation_record {
    row_space space = 0;       ///< 0: there is no such generation
    std::uint32_t version = 0; ///< of the view that made it
    std::string shape;         ///< of its rows: the tables' names; another shape is another version
    std::uint64_t since = 0;   ///< it reflects events after this position only
    /// A hash of what its rows mean beside that: the events that the projection lists, their categories,
    /// and what keys, values or saved fields are made of. Another one is another version. 0: not known.
    std::uint64_t meaning = 0;
    ANNALS_FIELDS(generation_record, space, version, shape, since, meaning)
    friend bool operator==(const generation_record&, const generation_record&) = default;
};

/// Under "p" and the projection's name.
struct projection_record {
    std::uint8_t kind = 0;
    bool paused = false;
    generation_record serving;  ///< answers queries
    generation_record building; ///< beside it, until it has caught up
    /// The log was found to be another one than it was made of: put back from an older copy. Until it is
    /// built again, or, if it is a reaction, reset.
    bool put_back = false;
    ANNALS_FIELDS(projection_record, kind, paused, serving, building, put_back)
    friend bool operator==(const projection_record&, const projection_record&) = default;
};

/// Under "c" and the generation's space, big-endian. Changes in one transaction with the rows.
struct checkpoint_record {
    std::uint64_t done = 0;    ///< everything up to here has taken effect
    std::uint64_t begun = 0;   ///< reactions: events up to here may have been delivered
    std::uint64_t events = 0;  ///< how many were folded or delivered
    std::uint64_t bytes = 0;   ///< saved copies: size of the whole
    std::uint64_t changes = 0; ///< stored views: how many transactions have changed the rows
    std::uint64_t mark = 0;    ///< of the event at `done` (annals/log_mark.hpp); 0: not known
    ANNALS_FIELDS(checkpoint_record, done, begun, events, bytes, changes, mark)
    friend bool operator==(const checkpoint_record&, const checkpoint_record&) = default;
};

/// An event that a projection could not take, kept until it is replayed or given up. Under "a", the
/// projection's name, a zero byte and the position, big-endian.
struct set_aside_event {
    std::uint64_t position = 0;
    std::string stream;
    std::string type;
    std::string code; ///< of the error: "handler_failed"
    std::string message;
    std::uint64_t attempts = 0;
    std::int64_t time_us = 0; ///< when it was set aside, microseconds since 1970, UTC
    ANNALS_FIELDS(set_aside_event, position, stream, type, code, message, attempts, time_us)
    friend bool operator==(const set_aside_event&, const set_aside_event&) = default;
};

namespace catalog {

[[nodiscard]] result<std::optional<projection_record>> find(row_snapshot& in,
                                                            std::string_view name);
[[nodiscard]] result<std::optional<checkpoint_record>> find_checkpoint(row_snapshot& in,
                                                                       row_space space);
[[nodiscard]] result<std::optional<set_aside_event>>
find_set_aside(row_snapshot& in, std::string_view name, log_position position);

/// By position; at most `max` after `after`.
[[nodiscard]] result<std::vector<set_aside_event>>
list_set_aside(row_snapshot& in, std::string_view name, log_position after, std::size_t max);
/// Positions only, all of them.
[[nodiscard]] result<std::vector<log_position>> set_aside_positions(row_snapshot& in,
                                                                    std::string_view name);
/// Every projection there has ever been.
[[nodiscard]] result<std::vector<std::pair<std::string, projection_record>>> list(row_snapshot& in);

void put(row_changes& into, std::string_view name, const projection_record& record);
void put_checkpoint(row_changes& into, row_space space, const checkpoint_record& record);
void put_set_aside(row_changes& into, std::string_view name, const set_aside_event& record);
void erase_set_aside(row_changes& into, std::string_view name, log_position position);
/// The generation's rows and its checkpoint go.
void drop(row_changes& into, const generation_record& generation);

/// The saved copy of a view: its bytes in rows of at most 1 MiB, in the generation's space, keyed by
/// their number, big-endian.
inline constexpr std::size_t copy_part_bytes = std::size_t{1} << 20;
void put_copy_part(row_changes& into, row_space space, std::uint32_t part, bytes_view bytes);
/// The whole copy, of the size its checkpoint says. `errc::corrupt` if parts are missing.
[[nodiscard]] result<bytes> read_copy(row_snapshot& in, row_space space,
                                      const checkpoint_record& checkpoint);

/// Drops what no record names; see `projection_store::keep_only`.
[[nodiscard]] result<void> sweep(projection_store& in);

} // namespace catalog

} // namespace annals
