#pragma once

#include "annals/seams.hpp"

#include <atomic>
#include <chrono>

namespace annals::test {

/// A clock that only moves when the test says so.
class manual_clock final : public clock {
public:
    timestamp wall_time() const noexcept override {
        return timestamp(std::chrono::hours(350'000)) + since_start();
    }
    steady_time steady() const noexcept override {
        return steady_time(std::chrono::hours(1'000)) + since_start();
    }
    void advance(std::chrono::microseconds by) { passed_.fetch_add(by.count()); }

private:
    [[nodiscard]] std::chrono::microseconds since_start() const noexcept {
        return std::chrono::microseconds(passed_.load());
    }
    std::atomic<std::chrono::microseconds::rep> passed_{0};
};

} // namespace annals::test
