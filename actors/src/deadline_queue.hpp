#pragma once

#include "annals/request.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace annals {

/// Requests by deadline. A request leaves when it is answered, so that the queue holds only what is
/// still waiting. Adding and removing cost O(log n), however many have the same deadline.
/// Thread-safe.
class deadline_queue {
public:
    /// `target` expires when `fire` is called at or after `at`, unless removed before. A target has one
    /// deadline: the last one given.
    void add(steady_time at, const std::shared_ptr<expirable>& target);
    void remove(const expirable* target) noexcept;

    /// Expires what is due and returns the next deadline (`max` if there is none).
    steady_time fire(steady_time now);

    /// Runs when an added deadline is earlier than all others. Set once, before use.
    void on_earlier(std::function<void()> changed);

private:
    /// Those with one deadline expire in the order in which they were added.
    using place = std::pair<steady_time, std::uint64_t>;

    std::mutex mutex_;
    std::uint64_t last_ = 0;
    std::map<place, std::shared_ptr<expirable>> by_time_;
    std::unordered_map<const expirable*, place> places_;
    std::function<void()> earlier_;
};

} // namespace annals
