#pragma once

#include "reaction_progress.hpp"
#include "sink.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace annals {

/// Slices on their way to a reaction: cuts them into parts, says what has to be stored before a part
/// may begin, and what can be reported after that. Not thread-safe; docs at `reaction_sink`.
class reaction_queue {
public:
    using part_ptr = std::shared_ptr<reaction_part>;

    /// Most events whose delivery is uncertain after a crash, where each ends before the next begins;
    /// each so many cost a transaction.
    static constexpr std::size_t usual_part = 64;

    /// `most_in_part`: events that are delivered before what came of them is stored.
    reaction_queue(std::size_t partitions, const checkpoint_record& start,
                   std::size_t most_in_part = usual_part);

    /// False if the slice is not wanted: it is of an epoch that is over.
    [[nodiscard]] bool take(slice what);
    [[nodiscard]] checkpoint_record pass_over(log_position done);
    /// What is stored, as it turned out. Precondition: nothing was delivered yet.
    void stand_at(const checkpoint_record& stored);

    /// The part that is to be delivered next; null if there is none. Adds reports of what is finished
    /// before it.
    [[nodiscard]] part_ptr next();
    [[nodiscard]] bool wants(const reaction_part& part) const noexcept {
        return part.epoch == epoch_;
    }
    [[nodiscard]] bool empty() const noexcept { return slices_.empty(); }
    /// A partition's share came to its end. True if that was the last one.
    [[nodiscard]] bool ended(reaction_part& part, std::size_t partition);

    /// What the store has to take over, if anything.
    struct change {
        std::optional<checkpoint_record> checkpoint;
        std::vector<log_position> replayed; ///< to be taken off the list of what was set aside
    };
    /// Before `next` (which may be null) may begin, and before `take_reports`. What was replayed is
    /// said once.
    [[nodiscard]] change due_before(const reaction_part* next);
    [[nodiscard]] change due_at_end();
    void stored(const checkpoint_record& checkpoint) { progress_.stored(checkpoint); }

    [[nodiscard]] std::vector<sink_report> take_reports();
    /// The report that a change could not be stored: all others are void.
    [[nodiscard]] sink_report lost(const error& why);

private:
    /// A slice, and how far it has been worked off.
    struct pending {
        slice what;
        std::size_t next;
    };

    [[nodiscard]] reaction_part plan(const pending& front) const;
    void settle(const reaction_part& part);
    void settle_replay(const reaction_part& part);
    void finish_front();
    void fail(std::size_t index, const error& why);
    [[nodiscard]] sink_report report();

    const std::size_t partitions_;
    const std::size_t most_in_part_;
    reaction_progress progress_;
    std::deque<pending> slices_;
    std::uint64_t epoch_ = 0;
    bool refuses_ = false; ///< a failure was found: nothing more of this epoch
    std::vector<sink_report> reports_;
    bool failure_among_reports_ = false; ///< of an event that was not replayed
    std::vector<log_position> replayed_;
};

} // namespace annals
