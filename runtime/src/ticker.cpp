#include "ticker.hpp"

#include <algorithm>

namespace annals {

ticker::ticker(engine& of, std::shared_ptr<clock> time) : engine_(of), clock_(std::move(time)) {
    engine_.on_earlier_deadline([this] {
        std::lock_guard lock(mutex_);
        sooner_ = true;
        wake_.notify_one();
    });
    try {
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        engine_.on_earlier_deadline({});
        throw;
    }
}

ticker::~ticker() {
    engine_.on_earlier_deadline({});
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
        wake_.notify_one();
    }
    thread_.join();
}

void ticker::run() {
    const no_blocking_scope scope;
    std::unique_lock lock(mutex_);
    while (!stop_) {
        sooner_ = false;
        lock.unlock();
        const steady_time due = engine_.tick();
        const auto pause = std::clamp<steady_time::duration>(
            due - clock_->steady(), std::chrono::milliseconds(0), std::chrono::seconds(1));
        lock.lock();
        wake_.wait_for(lock, pause, [this] { return stop_ || sooner_; });
    }
}

} // namespace annals
