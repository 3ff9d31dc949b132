#include "progress_wait.hpp"

#include <algorithm>
#include <utility>

namespace annals {

void progress_wait::begin(steady_time deadline) {
    deadline_ = deadline;
    admission_->deadlines.add(deadline, shared_from_this());
    for (const auto& each : on_) {
        const auto number = each->when_reached(position_, [me = weak_from_this()] {
            if (const auto waiting = me.lock())
                waiting->one_is_there();
        });
        const std::lock_guard lock(mutex_);
        waits_.emplace_back(each.get(), number);
    }
    one_is_there();
    if (said_.load()) { // before all waits had begun
        const std::lock_guard lock(mutex_);
        for (const auto& [where, number] : waits_)
            where->revoke(number);
    }
    if (admission_->closed()) // and so perhaps after all deadlines were fired for the last time
        expire();
}

void progress_wait::one_is_there() {
    if (missing_.fetch_sub(1) == 1)
        say({});
}

void progress_wait::expire() noexcept {
    std::string where;
    log_position least = position_;
    for (const auto& each : on_) {
        least = std::min(least, each->position());
        if (each->position() < position_)
            where += (where.empty() ? "" : ", ") + ("\"" + each->name() + "\" is at position " +
                                                    std::to_string(each->position()));
    }
    say(error{errc::version_out_of_reach,
              where + " and did not reach " + std::to_string(position_) +
                  " in time; look at its status",
              least});
}

/// The deadline queue keeps this object until then.
void progress_wait::say(const result<void>& what) {
    if (said_.exchange(true))
        return;
    then_(what);
    admission_->deadlines.remove(deadline_, this);
    if (what)
        return; // all waits are over
    const std::lock_guard lock(mutex_);
    for (const auto& [where, number] : waits_)
        where->revoke(number);
}

} // namespace annals
