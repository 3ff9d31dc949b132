#pragma once

#include "annals/request.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace annals {

/// Requests by deadline. A request leaves when it is answered, so that the queue holds only what is
/// still waiting. Thread-safe.
class deadline_queue {
public:
    /// `target` expires when `fire` is called at or after `at`, unless removed before.
    void add(steady_time at, const std::shared_ptr<expirable>& target);
    void remove(steady_time at, const expirable* target) noexcept;

    /// Expires what is due and returns the next deadline (`max` if there is none).
    steady_time fire(steady_time now);

    /// Runs when an added deadline is earlier than all others. Set once, before use.
    void on_earlier(std::function<void()> changed);

private:
    std::mutex mutex_;
    std::multimap<steady_time, std::shared_ptr<expirable>> by_time_;
    std::function<void()> earlier_;
};

} // namespace annals
