#pragma once

#include "annals/projection_catalog.hpp"
#include "annals/seams.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// How projections are run and what they say of themselves. There are three kinds:
///
/// - a **view** in memory (annals/domain.hpp): folded from the log at opening, or from its own saved
///   copy and the rest; asked in microseconds;
/// - a **stored view** (annals/stored_map.hpp): its rows and its checkpoint change in one transaction,
///   so each event takes effect exactly once, also across SIGKILL; may be larger than memory;
/// - a **reaction** (annals/reaction.hpp): has effects outside, at least once for each event.
///
/// All receive events in log order, after they are durable, at their own pace: one that is slow or
/// stuck holds up neither commands nor others, and keeps at most three slices of
/// `engine_limits::page_events` events in memory, and while it catches up one page that was read ahead;
/// twice that during a rebuild.
namespace annals {

/// With so many events in its list a projection stops at the next one that fails.
inline constexpr std::size_t most_set_aside = 10'000;

/// What happens when a handler throws, or an event cannot be decoded. Nothing is skipped silently.
struct failure_policy {
    enum class last_resort : std::uint8_t {
        stop, ///< the projection fails: it keeps its place and answers `unavailable`
        /// The event is stored with its error, and the projection goes on behind it. With
        /// `most_set_aside` in the list it stops.
        set_aside,
    };
    last_resort then = last_resort::stop;
    /// How often the event is tried again first. Without it: 5 times by a reaction, whose cause may
    /// pass; not at all by a view, which is a pure function. Never for an event that cannot be decoded.
    std::optional<unsigned> retries = {};
    /// Before the first retry; doubles with each, up to `longest_delay`.
    std::chrono::milliseconds first_delay = std::chrono::milliseconds(100);
    std::chrono::milliseconds longest_delay = std::chrono::seconds(30);
};

/// Where a reaction begins when the store has never seen its name. Later openings go on from its
/// checkpoint.
enum class reaction_start : std::uint8_t {
    now,       ///< with the first event stored after this opening
    beginning, ///< with the first event of the log
};

/// How one projection is run: `annals::host<demand>({.save_every = 100'000})`. What does not apply to
/// its kind is refused at opening.
struct projection_options {
    failure_policy on_failure = {};
    /// View: a copy is saved each time so many more events are folded, and at closing; the next
    /// opening goes on from it. 0: never. The view names its fields (ANNALS_FIELDS).
    std::uint64_t save_every = 0;
    /// View: folds and answers on a thread of its own, for a view whose `evolve` or `answer` takes
    /// long. A query then takes a thread's waking, some 20 microseconds.
    bool own_thread = false;
    /// Reaction: how many copies of it, each with a thread of its own, share the streams. Events of one
    /// stream stay in order.
    std::size_t partitions = 1;
    /// Reaction whose `react` returns a future or a task: so many events may be on their way at a time,
    /// over all partitions, and may be delivered again after a crash. Those of one stream follow each
    /// other all the same. 1 to 4,096.
    std::size_t max_in_flight = 256;
    /// Queries that wait for a position. One more is `overloaded`.
    std::size_t max_waiting_queries = 16'384;
};

/// One type of query to one view, since opening.
struct query_type_status {
    std::string name;               ///< the C++ type's
    std::uint64_t count = 0;        ///< answered, also by a rejection
    std::uint64_t failed = 0;       ///< answered with an error
    double per_second = 0;          ///< answered, over the last minute
    std::chrono::nanoseconds p50{}; ///< from `ask` to the answer, waiting for a position included
    std::chrono::nanoseconds p99{};
};

/// A rebuild on its way.
struct rebuild_status {
    std::uint32_t version = 0;
    log_position position = 0;
    std::optional<std::chrono::milliseconds> time_left; ///< at the present rate; empty if unknown
};

/// One projection. Each number is exact, together they are approximate.
struct projection_status {
    enum class state : std::uint8_t {
        catching_up, ///< reads what was stored before
        live,        ///< has read to the log's end; `lag` says how far that has gone on since
        retrying,    ///< waits before it tries an event again
        paused,
        failed, ///< see last_error; `projection_control::resume` tries again
        stopped,
    };
    std::string name;
    projection_kind kind = projection_kind::view;
    std::uint32_t version = 1;
    state now = state::catching_up;
    log_position position = 0; ///< everything up to here has taken effect
    std::uint64_t lag = 0;     ///< positions between it and the log's head
    /// How long it has not been at the log's head; 0 while it is.
    std::chrono::milliseconds behind_for{};
    std::uint64_t events = 0; ///< folded or delivered since opening
    double per_second = 0;    ///< log positions, lately, also those of events that it does not want
    std::optional<std::chrono::milliseconds> time_left; ///< until it is live, at the present rate
    std::uint64_t set_aside = 0;                        ///< events in its list now
    std::string last_error; ///< of the last failure, also one that a retry mended
    /// What opening found: that it is built again because the log was put back, or that the events it
    /// lists are others than before. Empty if there is nothing to say.
    std::string note;
    std::optional<rebuild_status> rebuilding;
    std::uint64_t queries = 0; ///< answered since opening
    std::size_t queries_waiting = 0;
    std::size_t live_queries = 0;
    std::vector<query_type_status> query_types;
};
[[nodiscard]] std::string_view to_string(projection_status::state state) noexcept;

} // namespace annals
