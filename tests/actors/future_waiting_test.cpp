#include "slow_number.hpp"

#include <catch2/catch.hpp>

/// Who waits for an answer: coroutines, threads that must not block, and many at once.

using namespace std::chrono_literals;
using namespace slow_numbers;

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
        CHECK(p.answer.get().error().code == errc::wait_refused);
        const auto timed = p.answer.get_for(1h);
        REQUIRE(timed);
        CHECK(timed->error().code == errc::wait_refused);
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
