#pragma once

#include "annals/journal.hpp"

#include <atomic>

namespace annals {

/// What one aggregate decides from one reading of its stream to the next, each command on top of those
/// before. A commit's place in it is its command's number among the commands of the aggregate.
///
/// Commits complete in the order of their places, so the last one stored tells of all before it.
class decision_line final : public pipeline {
public:
    /// The commit at `at` is stored.
    void stored(place at) noexcept { stored_.store(at, std::memory_order_release); }
    /// Everything up to `at` is durable: stored by this line, or, with 0, read from the journal.
    [[nodiscard]] bool is_stored(place at) const noexcept {
        return stored_.load(std::memory_order_acquire) >= at;
    }

private:
    std::atomic<place> stored_{0};
};

/// The answer to what was decided on top of a command that is not stored.
[[nodiscard]] inline error predecessor_not_stored() {
    return {errc::predecessor_failed,
            "an earlier command of this aggregate was not stored, and this one was decided on top "
            "of it; send it again"};
}

} // namespace annals
