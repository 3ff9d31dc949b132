#include "reaction_activity.hpp"

#include <utility>

namespace annals {

std::shared_ptr<void> reaction_activity::begin() {
    {
        const std::lock_guard lock(mutex_);
        ++running_;
    }
    return {static_cast<void*>(nullptr), [me = shared_from_this()](void*) { me->end(); }};
}

void reaction_activity::end() {
    std::vector<std::function<void()>> next;
    {
        const std::lock_guard lock(mutex_);
        if (--running_ != 0)
            return;
        next = std::exchange(waiting_, {});
        ended_.notify_all();
    }
    for (const auto& each : next)
        each();
}

void reaction_activity::when_idle(std::function<void()> then) {
    {
        const std::lock_guard lock(mutex_);
        if (running_ != 0) {
            waiting_.push_back(std::move(then));
            return;
        }
    }
    then();
}

bool reaction_activity::idle() const {
    const std::lock_guard lock(mutex_);
    return running_ == 0;
}

bool reaction_activity::wait_idle_until(std::chrono::steady_clock::time_point deadline) const {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, deadline, [this] { return running_ == 0; });
}

} // namespace annals
