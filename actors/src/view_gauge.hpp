#pragma once

#include "annals/engine.hpp"

#include <atomic>
#include <mutex>
#include <string>

namespace annals {

/// Where a view is, for status and for error messages. Written by its actors, read by anyone.
class view_gauge {
public:
    explicit view_gauge(std::string_view name) : name_(name) {}

    std::atomic<log_position> position{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> queries{0};
    std::atomic<view_status::state> state{view_status::state::catching_up};

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    void fail(const std::string& why) {
        {
            std::lock_guard lock(mutex_);
            last_error_ = why;
        }
        state.store(view_status::state::failed);
    }

    [[nodiscard]] view_status read(log_position head) const {
        view_status now;
        now.name = name_;
        now.now = state.load();
        now.position = position.load();
        now.lag = head > now.position ? head - now.position : 0;
        now.events = events.load();
        now.queries = queries.load();
        std::lock_guard lock(mutex_);
        now.last_error = last_error_;
        return now;
    }

private:
    const std::string name_;
    mutable std::mutex mutex_;
    std::string last_error_;
};

} // namespace annals
