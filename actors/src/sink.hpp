#pragma once

#include "slice_marks.hpp"

#include "annals/hosted.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace annals {

/// What a view in memory does to be able to go back when an event fails: its state is then changed in
/// part, and only a copy has it as it was.
enum class caution : std::uint8_t {
    none,         ///< no event has failed yet; the first one that does costs a new beginning
    now_and_then, ///< one has: a copy when that is cheap, in at most a tenth of the time
    each_slice,   ///< one has, just here: a copy before the slice
};

/// A stretch of events on its way to where they take effect.
struct slice {
    std::uint64_t epoch =
        0; ///< grows when a lane starts over: what came before is not wanted any more
    std::shared_ptr<const decoded_events> events;
    std::size_t first = 0; ///< index of the first event that is to be taken
    unsigned attempt = 1;  ///< of that event; the others are tried for the first time
    caution care = caution::none;
    /// Not 0: the slice is this one event, which had been set aside. It takes effect out of order, as
    /// a redelivery, leaves the checkpoint where it is, and leaves the catalog's list in the same
    /// change (`catalog::erase_set_aside`).
    log_position replayed = 0;
};

/// What became of a slice, or of the first part of one.
struct sink_report {
    std::uint64_t epoch = 0;
    log_position done =
        0; ///< everything up to here has taken effect, durably if the sink is durable
    std::uint64_t events = 0; ///< that took effect since the last report
    bool finished = false;    ///< the whole slice is done
    std::size_t next = 0;     ///< with an error: index of the event that failed
    std::optional<error> why; ///< the failure; the sink takes nothing more of this epoch
    /// The sink has lost its state: start over from where `sink::restart` says.
    bool lost = false;
    /// The sink has gone back: it reflects events up to `done` only, and wants those after it again.
    bool rewound = false;
};

/// Where the events of one lane take effect: a view in memory, stored rows, a reaction. Owned by the
/// projection's actor and called on it, one call at a time. None of it blocks: work is posted
/// elsewhere, and `report` (see `sink_parts`) tells what became of it, in the order of the slices.
class sink {
public:
    virtual ~sink() = default;

    /// Takes effect after all slices before it. At most two of them are on their way at a time.
    virtual void take(slice what) = 0;

    /// An event was given up: adds to `into` what makes this sink stand behind `done`. Called only
    /// after a report with an error, before the next `take`, which then has a larger epoch; the
    /// sink stands there once `into` is applied.
    virtual void pass_over(row_changes& into, log_position done) = 0;

    /// From now on nothing takes effect any more; what is being handled may finish. The sink may be
    /// destroyed at once; its work in flight keeps alive what it needs, and reports no more.
    virtual void stop() = 0;
};

/// What a sink is given.
struct sink_parts {
    /// Hands a report to the projection's actor. Any thread; may be called after the actor's end.
    std::function<void(sink_report)> report;
    std::shared_ptr<projection_store> store;
    /// What checkpoints are marked by before they are stored; null: they are not.
    std::shared_ptr<const slice_marks> marks;
    /// The sink's own thread or threads, which host code may block.
    std::vector<std::shared_ptr<blocking_executor>> threads;
    /// Of a stored view: what is on its way to the rows is noted there. Null: it is not.
    std::shared_ptr<class row_progress> rows = nullptr;
    /// A reaction's, over all of its sinks. Null: this sink is the only one.
    std::shared_ptr<class reaction_activity> activity = nullptr;
};

} // namespace annals
