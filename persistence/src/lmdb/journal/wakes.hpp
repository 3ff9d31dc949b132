#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace annals::lmdb {

/// One subscription's wake function, run once for each time it was armed.
class wake {
public:
    explicit wake(std::function<void()> function) : function_(std::move(function)) {}

    void arm() noexcept { armed_.store(true); }
    void disarm() noexcept { armed_.store(false); }
    /// Runs the function if it is armed.
    void ring();
    /// Once it has returned, the function neither runs nor will run.
    void silence();

private:
    std::atomic<bool> armed_{false};
    std::mutex running_; ///< held while the function runs
    std::function<void()> function_;
};

/// The wake functions of all who follow the log.
class wakes {
public:
    void add(std::shared_ptr<wake> one);
    void remove(const std::shared_ptr<wake>& one);
    void ring_all();

private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<wake>> all_;
    std::vector<std::shared_ptr<wake>> ringing_; ///< used by ring_all only, to keep its memory
};

} // namespace annals::lmdb
