#include "annals/future.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <barrier>
#include <coroutine>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

/// One answer, and the ways to wait for it. Threads here only meet at barriers; they do not assert.

using namespace std::chrono_literals;
using annals::errc;
using annals::future;
using annals::no_blocking_scope;
using annals::outcome;
using annals::reply_state;

namespace {

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

task sum_of(future<int> first, future<int> second, int& sum) {
    const outcome<int> a = co_await first;
    const outcome<int> b = co_await second;
    sum = a.value() + b.value();
}

task explain(future<int> answer, std::string& explanation) {
    explanation = (co_await answer).explanation();
}

} // namespace

// --- get ------------------------------------------------------------------------------------------

TEST_CASE("an answer that is there already is got at once, as often as one likes") {
    const auto answer = future<int>::ready(7);
    CHECK(answer.is_ready());
    CHECK(answer.get().value() == 7);
    CHECK(answer.get().value() == 7);
    CHECK(future<int>::ready(annals::reject("closed")).get().is_rejected());
    CHECK(future<int>::ready(annals::error{errc::closed, "bye"}).get().error().code ==
          errc::closed);
}

TEST_CASE("copies of a future share the answer") {
    const pending p;
    const future<int> copy = p.answer;
    CHECK_FALSE(copy.is_ready());
    CHECK(p.reply->complete(7));
    CHECK(copy.is_ready());
    CHECK(copy.get().value() == 7);
    CHECK(p.answer.get().value() == 7);
}

TEST_CASE("get waits for an answer from another thread") {
    for (int round = 0; round < 200; ++round) {
        const pending p;
        std::barrier start(2);
        std::thread other([&] {
            start.arrive_and_wait();
            for (int i = 0; i < round % 20; ++i)
                std::this_thread::yield();
            p.reply->complete(round);
        });
        start.arrive_and_wait();
        const auto got = p.answer.get();
        other.join();
        REQUIRE(got.value() == round);
    }
}

TEST_CASE("several threads may wait for one answer") {
    const pending p;
    std::atomic<int> sum{0};
    std::vector<std::thread> waiting;
    std::barrier start(4);
    for (int i = 0; i < 3; ++i)
        waiting.emplace_back([&, copy = p.answer] {
            start.arrive_and_wait();
            sum += *copy.get();
        });
    start.arrive_and_wait();
    p.reply->complete(5);
    for (auto& thread : waiting)
        thread.join();
    CHECK(sum == 15);
}

TEST_CASE("a timed get is empty if the answer does not come in time, the request goes on") {
    const pending p;
    CHECK_FALSE(p.answer.get_for(0ms));
    CHECK_FALSE(p.answer.get_for(1ms));
    p.reply->complete(7);
    const auto got = p.answer.get_for(0ms);
    REQUIRE(got);
    CHECK(got->value() == 7);
}

TEST_CASE("a timed get returns as soon as the answer comes") {
    const pending p;
    std::barrier start(2);
    std::thread other([&] {
        start.arrive_and_wait();
        p.reply->complete(7);
    });
    start.arrive_and_wait();
    const auto got = p.answer.get_for(1h);
    other.join();
    REQUIRE(got);
    CHECK(got->value() == 7);
}

TEST_CASE("a future may be dropped before its answer comes") {
    auto reply = std::make_shared<reply_state<int>>();
    { const future<int> dropped(reply); }
    CHECK(reply->complete(7));
}

// --- one answer -----------------------------------------------------------------------------------

TEST_CASE("the first answer wins") {
    const pending p;
    CHECK_FALSE(p.reply->answered());
    CHECK(p.reply->complete(1));
    CHECK(p.reply->answered());
    CHECK_FALSE(p.reply->complete(2));
    CHECK_FALSE(p.reply->complete(annals::error{errc::aborted, "too late"}));
    CHECK(p.answer.get().value() == 1);
}

TEST_CASE("who answers hears of it once, before anybody sees the answer") {
    struct counting final : reply_state<int> {
        int calls = 0;
        bool was_ready = true;
        void on_answering(const annals::outcome<int>&) noexcept override {
            ++calls;
            was_ready = ready();
        }
    };
    counting reply;
    reply.complete(1);
    reply.complete(2);
    CHECK(reply.calls == 1);
    CHECK_FALSE(reply.was_ready);
}

// --- then -----------------------------------------------------------------------------------------

TEST_CASE("a continuation set before the answer runs when it comes") {
    const pending p;
    arrivals got;
    p.answer.then(got.collect());
    CHECK(got.values.empty());
    p.reply->complete(7);
    p.reply->complete(8);
    CHECK(got.values == std::vector{7});
}

TEST_CASE("a continuation set after the answer runs at once") {
    const pending p;
    arrivals got;
    p.reply->complete(7);
    p.answer.then(got.collect());
    CHECK(got.values == std::vector{7});
    p.answer.then(got.collect());
    CHECK(got.values == std::vector{7, 7});
}

TEST_CASE("a continuation replaces one that has not run") {
    const pending p;
    arrivals replaced;
    arrivals got;
    p.answer.then(replaced.collect());
    p.answer.then(got.collect());
    p.reply->complete(7);
    CHECK(replaced.values.empty());
    CHECK(got.values == std::vector{7});
}

TEST_CASE("continuations run on their executor, whether set before or after the answer") {
    const pending_on_executor before;
    const pending_on_executor after;
    arrivals got;
    before.answer.then(got.collect());
    CHECK(before.executor->waiting() == 0);
    before.reply->complete(1);
    CHECK(before.executor->waiting() == 1);
    after.reply->complete(2);
    after.answer.then(got.collect());
    CHECK(after.executor->waiting() == 1);
    CHECK(got.values.empty());

    before.executor->run_all();
    after.executor->run_all();
    CHECK(got.values == std::vector{1, 2});
}

TEST_CASE("a continuation may outlive the future and who answered") {
    const auto executor = std::make_shared<manual_executor>();
    arrivals got;
    {
        const auto reply = std::make_shared<reply_state<int>>();
        reply->continue_on(executor);
        future<int>(reply).then(got.collect());
        reply->complete(7);
    }
    executor->run_all();
    CHECK(got.values == std::vector{7});
}

// --- co_await -------------------------------------------------------------------------------------

TEST_CASE("co_await goes on at once if the answer is there") {
    int sum = 0;
    sum_of(future<int>::ready(3), future<int>::ready(4), sum);
    CHECK(sum == 7);
}

TEST_CASE("co_await goes on when the answer comes") {
    const pending first;
    const pending second;
    int sum = 0;
    sum_of(first.answer, second.answer, sum);
    second.reply->complete(4);
    CHECK(sum == 0);
    first.reply->complete(3);
    CHECK(sum == 7);
}

TEST_CASE("co_await resumes on the executor") {
    const pending_on_executor p;
    int sum = 0;
    sum_of(p.answer, future<int>::ready(4), sum);
    p.reply->complete(3);
    CHECK(sum == 0);
    p.executor->run_all();
    CHECK(sum == 7);
}

TEST_CASE("co_await gives rejections and errors as values") {
    const pending p;
    std::string explanation;
    explain(p.answer, explanation);
    p.reply->complete(annals::reject("closed", "this cart is checked out"));
    CHECK(explanation == "rejected (closed): this cart is checked out");
}

TEST_CASE("co_await does not block, so it works where nothing may") {
    const no_blocking_scope here;
    const pending p;
    int sum = 0;
    sum_of(p.answer, future<int>::ready(4), sum);
    p.reply->complete(3);
    CHECK(sum == 7);
}

// --- threads that must not block ------------------------------------------------------------------

TEST_CASE("waiting on a thread that must not block is an error, not a deadlock") {
    const pending p;
    {
        const no_blocking_scope here;
        CHECK(annals::this_thread_must_not_block());
        CHECK(p.answer.get().error().code == errc::would_deadlock);
        const auto timed = p.answer.get_for(1h);
        REQUIRE(timed);
        CHECK(timed->error().code == errc::would_deadlock);
    }
    // It was the wait that failed: the request goes on.
    p.reply->complete(7);
    CHECK(p.answer.get().value() == 7);
}

TEST_CASE("an answer that is there may be got anywhere") {
    const no_blocking_scope here;
    CHECK(future<int>::ready(7).get().value() == 7);
    CHECK(future<int>::ready(7).get_for(0ms)->value() == 7);
}

TEST_CASE("the mark on a thread ends with the outermost scope, and is no other thread's") {
    CHECK_FALSE(annals::this_thread_must_not_block());
    {
        const no_blocking_scope outer;
        { const no_blocking_scope inner; }
        CHECK(annals::this_thread_must_not_block());
        bool other = true;
        std::thread([&] { other = annals::this_thread_must_not_block(); }).join();
        CHECK_FALSE(other);
    }
    CHECK_FALSE(annals::this_thread_must_not_block());
}

// --- races ----------------------------------------------------------------------------------------

TEST_CASE("of two threads that answer at once, one wins and the continuation runs once") {
    constexpr int rounds = 2'000;
    struct round {
        reply_state<slow_number> reply;
        std::atomic<int> wins{0};
        std::atomic<int> runs{0};
        std::atomic<int> winner{-1};
        std::atomic<int> answer{-1};
    };
    std::vector<round> all(rounds);
    std::barrier step(3);
    const auto answer_as = [&](int me) {
        for (auto& now : all) {
            step.arrive_and_wait();
            if (now.reply.complete(slow_number(me))) {
                ++now.wins;
                now.winner = me;
            }
        }
    };
    std::thread first(answer_as, 1);
    std::thread second(answer_as, 2);
    for (auto& now : all) {
        step.arrive_and_wait(); // the continuation races with both of them
        now.reply.then([&now](const outcome<slow_number>& got) {
            ++now.runs;
            now.answer = got->value;
        });
    }
    first.join();
    second.join();

    int wrong = 0;
    for (const auto& now : all)
        wrong += now.wins != 1 || now.runs != 1 || now.answer != now.winner;
    CHECK(wrong == 0);
}

TEST_CASE("a thread that waits always sees the answer that won") {
    constexpr int rounds = 2'000;
    std::vector<reply_state<slow_number>> replies(rounds);
    std::vector<int> winners(rounds, 0);
    std::barrier step(3);
    const auto answer_as = [&](int me) {
        for (std::size_t i = 0; i < rounds; ++i) {
            step.arrive_and_wait();
            if (replies[i].complete(slow_number(me)))
                winners[i] = me;
        }
    };
    std::thread first(answer_as, 1);
    std::thread second(answer_as, 2);
    std::vector<int> got;
    for (auto& reply : replies) {
        step.arrive_and_wait();
        got.push_back(reply.wait()->value);
    }
    first.join();
    second.join();
    CHECK(got == winners);
}
