#pragma once

#include "reaction_queue.hpp"
#include "sink.hpp"

#include <memory>
#include <string>
#include <vector>

namespace annals {

/// Where events reach a reaction: at least once each, in order within each stream.
///
/// **Once, unless something dies.** Before events are delivered, the store durably says so: its
/// checkpoint's `begun` moves over them, `done` after they have taken effect. After a crash exactly
/// the events in (done, begun] may have been delivered before, and are flagged `redelivered`. One
/// transaction says both that some events are done and that the next ones begin. A slice is worked off
/// in parts of at most 64 events (or as many as may be in flight), so that no more than those are
/// delivered again. Stretches of the
/// log without an event for the reaction cost no transaction, except one every
/// `reaction_progress::lazy_positions`.
///
/// **Partitions.** Events are split by stream (`partition_of`) over as many handlers, each on its own
/// thread. A part is done when all have ended. When an event fails, the other partitions finish their
/// share, and the lowest failing event is reported; what has taken effect beyond it does not do so
/// again in this process's life, and further failures are reported when it is their turn.
///
/// **Handling that ends later.** A handler may answer later (`handled::when_ended`). Then the next event
/// of another stream begins, while those of the same stream wait. A part is done when all of it is, so
/// that no more events than a part has are on their way.
///
/// **Failure of the store** is reported as `lost`: the lane starts over from the checkpoint, with this
/// sink, which does not deliver again what it delivered, or with another, which flags it.
///
/// **One after the other.** Before its first event a sink waits until its threads and the store are
/// through with what an earlier sink of this reaction had on its way, and reads the checkpoint again.
///
/// **Closing.** When `reaction_activity::close` is called, it stops by itself, before anything that
/// its handlers need is refused. From then on, as after any `stop`, an error is not the event's failure:
/// the event counts as delivered and not done, and comes again, flagged.
///
/// Destroyed without `stop`, it behaves as if the process had died: nothing more is stored or
/// reported, and nothing is delivered but what is being handled.
class reaction_sink final : public sink {
public:
    /// `handlers` and `parts.threads` are as many as there are partitions; each of the threads is an
    /// executor with one thread. `name` is the reaction's in the catalog; `start` is the checkpoint
    /// stored under `space`, or an earlier one: events up to the stored `begun` are flagged.
    /// `most_in_part`: how many events may be on their way at a time.
    reaction_sink(sink_parts parts, std::vector<std::unique_ptr<reaction_type::handler>> handlers,
                  std::string name, row_space space, const checkpoint_record& start,
                  std::size_t most_in_part = reaction_queue::usual_part);
    ~reaction_sink() override;
    reaction_sink(const reaction_sink&) = delete;
    reaction_sink& operator=(const reaction_sink&) = delete;

    void take(slice what) override;
    void pass_over(row_changes& into, log_position done) override;
    /// Also asks handlers to give up (`delivery::stop`), and stores a last checkpoint when they have
    /// ended. After such an end only what failed or gave up is delivered again, and what other
    /// partitions had done beyond the last event before which nothing is missing. Nobody is told
    /// whether the checkpoint was stored; close the store after the threads have been joined.
    void stop() override;

private:
    class line;
    std::shared_ptr<line> line_; ///< shared with its work in flight
};

} // namespace annals
