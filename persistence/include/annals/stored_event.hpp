#pragma once

#include "annals/codec.hpp"
#include "annals/command_fingerprint.hpp"
#include "annals/metadata.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace annals {

/// One event as a journal holds it. A view: the bytes belong to the `event_page` it came in.
struct stored_event {
    log_position position = 0;
    stream_version version = 0;
    std::string_view stream; ///< "cart-17"
    std::string_view type;   ///< "cart.item_added"
    bytes_view payload;      ///< msgpack
    timestamp time{};        ///< when it was decided
    uuid command_id;
    bool command_named = false; ///< the caller chose the command id; see `metadata::command_id`
    bool ends_commit = true;    ///< last event of its commit
    bytes_view more_metadata;   ///< correlation, causation, actor, extra; empty if all are

    /// Of the command; where it was stored, which it is for those that the caller named.
    [[nodiscard]] command_fingerprint fingerprint() const noexcept;

    /// The part of the stream's name before the first '-': "cart".
    [[nodiscard]] std::string_view category() const noexcept;

    /// An id that no other event has, derived from stream, version and command id: it is the same
    /// whenever and from wherever the event is read, and is not stored.
    [[nodiscard]] uuid event_id() const noexcept;

    /// All metadata; the correlation id, where none was given, is the command id that it means.
    /// `errc::undecodable` if the stored bytes are not metadata.
    [[nodiscard]] result<metadata> read_metadata() const;
};

/// The category of a stream's name.
[[nodiscard]] std::string_view category_of(std::string_view stream) noexcept;

/// Some events in order, with the memory they point into. Immutable once made, so it can be shared
/// between threads; copies share the memory.
struct event_page {
    std::vector<stored_event> events;
    /// read_all: everything up to here was looked at, whether or not it passed the filter. A reader
    /// goes on after this position. read_stream: position of the last event read.
    log_position through = 0;
    /// Nothing follows at the time of reading.
    bool at_end = true;
    std::shared_ptr<const void> memory;
};

/// Which events a reader wants. Empty lists mean "all"; both conditions must hold.
struct event_filter {
    std::vector<std::string> types;
    std::vector<std::string> categories;

    [[nodiscard]] bool matches(std::string_view stream, std::string_view type) const noexcept;
    [[nodiscard]] bool matches_all() const noexcept { return types.empty() && categories.empty(); }
};

/// The payload as JSON, for people and logs: no knowledge of the type is needed. Binary becomes
/// {"$binary": "base64"}, keys that are not text become text. `errc::undecodable` if it is not
/// msgpack.
[[nodiscard]] result<std::string> payload_as_json(bytes_view payload);

/// The whole event as one JSON object: position, stream, version, type, time, event and command id,
/// metadata and payload.
[[nodiscard]] result<std::string> event_as_json(const stored_event& event);

/// "2010-12-01T08:26:00.000000Z".
[[nodiscard]] std::string to_string(timestamp time);

/// Reads what `to_string(timestamp)` writes; the fraction, the seconds, and the time of day with
/// its 'T' or blank may be missing.
[[nodiscard]] std::optional<timestamp> parse_timestamp(std::string_view text);

} // namespace annals
