#pragma once

#include "annals/metadata.hpp"
#include "annals/projection_store.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

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
        return find(known_, space);
    }
    /// Rows that are given to the store now have everything up to `position`: from now on an answer may
    /// tell that, before the store says that it has them. Call it before they are given.
    void may_reach(row_space space, log_position position) {
        const std::lock_guard lock(mutex_);
        log_position& coming = coming_[space];
        coming = std::max(coming, position);
    }
    /// No answer from the rows of `space` tells more than this, or ever will, unless more is given to
    /// the store.
    [[nodiscard]] log_position most(row_space space) const {
        const std::lock_guard lock(mutex_);
        return std::max(find(known_, space), find(coming_, space));
    }
    /// An answer from the rows of `space` is about to tell `position`.
    void tells(row_space space, log_position position) {
        const std::lock_guard lock(mutex_);
        log_position& known = known_[space];
        known = std::max(known, position);
        log_position& told = told_[space];
        told = std::max(told, position);
    }
    /// The most that answers have told, of generations that are kept.
    [[nodiscard]] log_position told() const {
        const std::lock_guard lock(mutex_);
        log_position most = 0;
        for (const auto& [space, position] : told_)
            if (!kept_ || std::find(kept_->begin(), kept_->end(), space) != kept_->end())
                most = std::max(most, position);
        return most;
    }
    /// The other generations are gone, or will be. An answer that is being made from one of them does not
    /// count any more.
    void keep_only(std::initializer_list<row_space> spaces) {
        const std::lock_guard lock(mutex_);
        kept_ = spaces;
        for (positions* of : {&known_, &coming_, &told_})
            std::erase_if(*of, [&](const auto& each) {
                return std::find(spaces.begin(), spaces.end(), each.first) == spaces.end();
            });
    }

private:
    using positions = std::map<row_space, log_position>;

    static log_position find(const positions& in, row_space space) {
        const auto found = in.find(space);
        return found == in.end() ? 0 : found->second;
    }

    mutable std::mutex mutex_;
    positions known_;
    positions coming_;
    positions told_;
    std::optional<std::vector<row_space>> kept_; ///< empty: all
};

} // namespace annals
