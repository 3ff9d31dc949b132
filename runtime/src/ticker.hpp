#pragma once

#include "annals/engine.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace annals {

/// The thread that gives an engine its sense of time: it calls `tick` when a deadline is due, and
/// once a second for passivation.
class ticker {
public:
    ticker(engine& of, std::shared_ptr<clock> time);
    ~ticker();
    ticker(const ticker&) = delete;
    ticker& operator=(const ticker&) = delete;

private:
    void run();

    engine& engine_;
    std::shared_ptr<clock> clock_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool sooner_ = false;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace annals
