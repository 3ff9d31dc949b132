#pragma once

#include "annals/seams.hpp"

#include <deque>
#include <functional>
#include <utility>

namespace annals::test {

/// An executor with one thread that runs a task when the test says so. Not thread-safe.
class stepped_executor final : public blocking_executor {
public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void stop() override {
        while (run_one()) {
        }
    }
    [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }
    /// False if there is no task.
    bool run_one() {
        if (tasks_.empty())
            return false;
        const auto task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
        return true;
    }
    /// The process dies: what waits is not run.
    void drop() { tasks_.clear(); }

private:
    std::deque<std::function<void()>> tasks_;
};

} // namespace annals::test
