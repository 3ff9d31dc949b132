#pragma once

#include "annals/future.hpp"
#include <atomic>
#include <barrier>
#include <coroutine>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

/// Requests and their answers, in the hands of a test.
namespace slow_numbers {

using annals::errc;
using annals::future;
using annals::no_blocking_scope;
using annals::outcome;
using annals::reply_state;

/// Runs what it is given when the test says so.
class manual_executor final : public annals::blocking_executor {
public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void stop() override { run_all(); }
    [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }
    void run_all() {
        while (!tasks_.empty()) {
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            task();
        }
    }

private:
    std::deque<std::function<void()>> tasks_;
};

/// A number that takes its time to be handed on, so that threads meet in the middle of it.
struct slow_number {
    int value = 0;

    explicit slow_number(int number) : value(number) {}
    slow_number(const slow_number& other) : value(other.value) { std::this_thread::yield(); }
    slow_number& operator=(const slow_number&) = delete;
    ~slow_number() { value = -1; }
};

struct pending {
    std::shared_ptr<reply_state<int>> reply = std::make_shared<reply_state<int>>();
    future<int> answer{reply};
};

/// A pending answer whose continuations run on `executor`.
struct pending_on_executor {
    std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
    std::shared_ptr<reply_state<int>> reply = std::make_shared<reply_state<int>>();
    future<int> answer{reply};

    pending_on_executor() { reply->continue_on(executor); }
};

/// The answers that a continuation got.
struct arrivals {
    std::vector<int> values;
    std::function<void(outcome<int>)> collect() {
        return [this](const outcome<int>& answer) { values.push_back(answer.value()); };
    }
};

/// A coroutine that starts at once and whose frame ends with it.
struct task {
    struct promise_type {
        task get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

inline task sum_of(future<int> first, future<int> second, int& sum) {
    const outcome<int> a = co_await first;
    const outcome<int> b = co_await second;
    sum = a.value() + b.value();
}

inline task explain(future<int> answer, std::string& explanation) {
    explanation = (co_await answer).explanation();
}

} // namespace slow_numbers
