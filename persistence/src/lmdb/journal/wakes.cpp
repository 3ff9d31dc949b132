#include "lmdb/journal/wakes.hpp"

namespace annals::lmdb {

void wake::ring() {
    if (!armed_.exchange(false))
        return;
    const std::lock_guard lock(running_);
    if (function_)
        function_();
}

void wake::silence() {
    const std::lock_guard lock(running_);
    function_ = nullptr;
}

void wakes::add(std::shared_ptr<wake> one) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(one));
}

void wakes::remove(const std::shared_ptr<wake>& one) {
    const std::lock_guard lock(mutex_);
    std::erase(all_, one);
}

void wakes::ring_all() {
    {
        const std::lock_guard lock(mutex_);
        ringing_ = all_;
    }
    for (const auto& one : ringing_)
        one->ring();
    ringing_.clear();
}

} // namespace annals::lmdb
