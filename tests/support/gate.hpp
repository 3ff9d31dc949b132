#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace annals::test {

/// Where one thread waits inside a handler until the test lets it go on.
class gate {
public:
    /// Waits until the gate is open; gives up after half a minute, which no test should need.
    void pass() {
        std::unique_lock lock(mutex_);
        ++arrived_;
        changed_.notify_all();
        changed_.wait_for(lock, patience, [this] { return open_; });
    }
    /// Waits until `wanted` have come to the gate; false if they did not.
    [[nodiscard]] bool reached(std::size_t wanted = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return arrived_ >= wanted; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    static constexpr std::chrono::seconds patience{30};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t arrived_ = 0;
    bool open_ = false;
};

} // namespace annals::test
