#pragma once

#include "annals/hosted.hpp"
#include "annals/log_mark.hpp"

#include <deque>
#include <memory>
#include <mutex>

namespace annals {

/// Knows the marks of the events that a lane is about to take, so that what is stored of it says which
/// log it was made of. Keeps no slice in memory: one that is gone has taken effect as a whole.
/// Thread-safe.
class slice_marks {
public:
    /// `start` is stored.
    explicit slice_marks(const checkpoint_record& start) : known_{start.done, start.mark} {}

    void add(const std::shared_ptr<const decoded_events>& events);
    /// An event that is passed over.
    void add(const log_mark& event);

    /// `reached`, with a mark. Its `done` may become less: the last event before it that is known. The
    /// projection takes nothing between the two.
    [[nodiscard]] checkpoint_record marked(checkpoint_record reached) const;

private:
    struct entry {
        std::weak_ptr<const decoded_events> events;
        log_mark last; ///< in it; id 0 if it has none
        bool single = false;
    };
    static constexpr std::size_t most_entries = 16;

    void push(entry next);

    mutable std::mutex mutex_;
    log_mark known_; ///< before all entries
    std::deque<entry> entries_;
};

/// The checkpoint as it is to be stored; without marks as it is.
[[nodiscard]] inline checkpoint_record marked_by(const std::shared_ptr<const slice_marks>& marks,
                                                 const checkpoint_record& reached) {
    return marks ? marks->marked(reached) : reached;
}

} // namespace annals
