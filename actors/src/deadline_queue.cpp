#include "deadline_queue.hpp"

#include <vector>

namespace annals {

void deadline_queue::add(steady_time at, const std::shared_ptr<expirable>& target) {
    std::lock_guard lock(mutex_);
    const auto placed = by_time_.emplace(at, target);
    // Under the lock: once `on_earlier` has taken the function back, it does not run any more.
    if (placed == by_time_.begin() && earlier_)
        earlier_();
}

void deadline_queue::remove(steady_time at, const expirable* target) noexcept {
    std::shared_ptr<expirable> removed; // destroyed after the lock is gone
    std::lock_guard lock(mutex_);
    const auto [first, last] = by_time_.equal_range(at);
    for (auto it = first; it != last; ++it) {
        if (it->second.get() == target) {
            removed = std::move(it->second);
            by_time_.erase(it);
            return;
        }
    }
}

steady_time deadline_queue::fire(steady_time now) {
    std::vector<std::shared_ptr<expirable>> due;
    steady_time next = steady_time::max();
    {
        std::lock_guard lock(mutex_);
        auto it = by_time_.begin();
        for (; it != by_time_.end() && it->first <= now; ++it)
            due.push_back(std::move(it->second));
        by_time_.erase(by_time_.begin(), it);
        if (it != by_time_.end())
            next = it->first;
    }
    for (const auto& target : due)
        target->expire();
    return next;
}

void deadline_queue::on_earlier(std::function<void()> changed) {
    std::lock_guard lock(mutex_);
    earlier_ = std::move(changed);
}

} // namespace annals
