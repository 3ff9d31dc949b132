#pragma once

#include "annals/metadata.hpp"
#include "annals/projection_store.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <mutex>

namespace annals {

/// How far the rows of a stored view are known to be, for each generation that there is. Thread-safe.
///
/// The checkpoint that is stored with the rows stays behind over events that the view does not list:
/// nothing is stored for those alone. So it is not enough for the position of an answer: the status,
/// `reaches` and earlier answers may have told more. That more is kept here. What is known stays true:
/// every snapshot that is taken afterwards, and has rows of that generation, has everything that the
/// view lists up to there. Whoever tells a position notes it here first.
class row_progress {
public:
    /// Everything up to `position` is stored in the rows of `space`. Returns the most that is known of
    /// them.
    log_position reached(row_space space, log_position position) {
        const std::lock_guard lock(mutex_);
        log_position& known = known_[space];
        known = std::max(known, position);
        return known;
    }
    [[nodiscard]] log_position of(row_space space) const {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(space);
        return found == known_.end() ? 0 : found->second;
    }
    /// The other generations are gone, or will be.
    void keep_only(std::initializer_list<row_space> spaces) {
        const std::lock_guard lock(mutex_);
        std::erase_if(known_, [&](const auto& each) {
            return std::find(spaces.begin(), spaces.end(), each.first) == spaces.end();
        });
    }

private:
    mutable std::mutex mutex_;
    std::map<row_space, log_position> known_;
};

} // namespace annals
