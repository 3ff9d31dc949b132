#pragma once

#include "annals/hosted.hpp"
#include "annals/published.hpp"

#include <memory>
#include <optional>

namespace annals {

/// When a view's next version is published: at once, but so that at most a tenth of the time goes
/// into copying it. Used by the view's actor.
class view_publication {
public:
    /// `to` may be null: nothing is published.
    view_publication(std::shared_ptr<view_publisher> to, std::shared_ptr<clock> time)
        : to_(std::move(to)),
          clock_(std::move(time)) {}

    /// The view has changed: publishes it, or says when that is due.
    [[nodiscard]] std::optional<steady_time> changed(const view_instance& view,
                                                     log_position position) {
        if (!to_)
            return std::nullopt;
        const steady_time begin = clock_->steady();
        if (begin < not_before_) {
            if (std::exchange(is_due_, true))
                return std::nullopt; // asked for already
            return not_before_;
        }
        publish(view, position, begin);
        return std::nullopt;
    }
    /// What was said to be due. `view` is null if there is nothing to show just now.
    void due(const view_instance* view, log_position position) {
        if (std::exchange(is_due_, false) && view != nullptr)
            publish(*view, position, clock_->steady());
    }

private:
    static constexpr int share_of_time = 10;

    void publish(const view_instance& view, log_position position, steady_time begin) {
        std::shared_ptr<view_instance> copy = view.clone();
        const void* state = copy->state();
        to_->publish({std::shared_ptr<const void>(std::move(copy), state), position});
        const steady_time end = clock_->steady();
        not_before_ = end + (share_of_time - 1) * (end - begin);
    }

    const std::shared_ptr<view_publisher> to_;
    const std::shared_ptr<clock> clock_;
    steady_time not_before_ = steady_time::min();
    bool is_due_ = false;
};

} // namespace annals
