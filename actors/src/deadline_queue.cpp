#include "deadline_queue.hpp"

#include <vector>

namespace annals {

void deadline_queue::add(steady_time at, const std::shared_ptr<expirable>& target) {
    const std::lock_guard lock(mutex_);
    const place mine{at, ++last_};
    const auto [known, fresh] = places_.try_emplace(target.get(), mine);
    if (!fresh)
        by_time_.erase(std::exchange(known->second, mine)); // `target` itself keeps it alive
    const auto placed = by_time_.emplace(mine, target).first;
    // Under the lock: once `on_earlier` has taken the function back, it does not run any more.
    if (placed == by_time_.begin() && earlier_)
        earlier_();
}

void deadline_queue::remove(const expirable* target) noexcept {
    std::shared_ptr<expirable> removed; // destroyed after the lock is gone
    const std::lock_guard lock(mutex_);
    const auto known = places_.find(target);
    if (known == places_.end())
        return;
    removed = std::move(by_time_.extract(known->second).mapped());
    places_.erase(known);
}

steady_time deadline_queue::fire(steady_time now) {
    std::vector<std::shared_ptr<expirable>> due;
    steady_time next = steady_time::max();
    {
        std::lock_guard lock(mutex_);
        auto it = by_time_.begin();
        for (; it != by_time_.end() && it->first.first <= now; ++it) {
            places_.erase(it->second.get());
            due.push_back(std::move(it->second));
        }
        by_time_.erase(by_time_.begin(), it);
        if (it != by_time_.end())
            next = it->first.first;
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
