#pragma once

#include "annals/row_checking.hpp"
#include "annals/seams.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace annals {

/// Compares the rows of some spaces with what the store noted about them: a slice at once, the rest on
/// an executor, a slice at a time. Rows that change meanwhile make it look again, at most `most_passes`
/// times.
class space_checking : public std::enable_shared_from_this<space_checking> {
public:
    /// Any thread, one call at a time: the rows of `space` are damaged.
    using found = std::function<void(row_space space, const error& why)>;

    space_checking(std::shared_ptr<const row_checking> store,
                   std::shared_ptr<blocking_executor> elsewhere, std::vector<row_space> spaces,
                   found tell)
        : store_(std::move(store)),
          elsewhere_(std::move(elsewhere)),
          spaces_(std::move(spaces)),
          tell_(std::move(tell)) {}

    /// Blocks for at most a slice of each space.
    void begin() {
        std::vector<row_space> large;
        for (const auto space : spaces_)
            if (!finished(space))
                large.push_back(space);
        spaces_ = std::move(large);
        post();
    }
    /// No slice begins after the present one. Any thread.
    void stop() noexcept { stopped_.store(true); }

    static constexpr unsigned most_passes = 3;

private:
    /// Looks at the next slice; whether nothing is left to look at.
    [[nodiscard]] bool finished(row_space space) {
        if (space != present_)
            at_ = {}, passes_ = 0, present_ = space;
        const auto looked = store_->check_rows(space, at_);
        if (!looked && looked.error().code == errc::corrupt)
            tell_(space, looked.error());
        if (!looked)
            return true;
        if (!at_.done)
            return false;
        if (!at_.changed || ++passes_ == most_passes)
            return true;
        at_ = {};
        return false;
    }
    void post() {
        if (spaces_.empty() || stopped_)
            return;
        elsewhere_->post([me = shared_from_this()] {
            if (me->stopped_)
                return;
            if (me->finished(me->spaces_.back()))
                me->spaces_.pop_back();
            me->post();
        });
    }

    const std::shared_ptr<const row_checking> store_;
    const std::shared_ptr<blocking_executor> elsewhere_;
    std::vector<row_space> spaces_;
    const found tell_;
    row_space present_ = ~row_space{0}; ///< that `at_` is in
    space_check at_;
    unsigned passes_ = 0;
    std::atomic<bool> stopped_{false};
};

} // namespace annals
