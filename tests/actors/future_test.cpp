#include "slow_number.hpp"

#include <catch2/catch.hpp>

/// One answer, and the ways to wait for it. Threads here only meet at barriers; they do not assert.

using namespace std::chrono_literals;
using namespace slow_numbers;

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

TEST_CASE("get_for takes any duration, and the longest ones wait") {
    const auto gets_the_answer = [](auto timeout) {
        const pending p;
        std::atomic<bool> over{false};
        std::optional<annals::outcome<int>> got;
        std::thread waiting([&] {
            got = p.answer.get_for(timeout);
            over = true;
        });
        for (int i = 0; i < 1'000 && !over; ++i) // time enough to give up at once
            std::this_thread::yield();
        p.reply->complete(7);
        waiting.join();
        return got && got->value() == 7;
    };
    CHECK(gets_the_answer(std::chrono::nanoseconds::max()));
    CHECK(gets_the_answer(std::chrono::milliseconds::max()));
    CHECK(gets_the_answer(std::chrono::hours::max()));
    CHECK(gets_the_answer(std::chrono::duration<double>::max()));
    CHECK(gets_the_answer(std::chrono::duration<float, std::ratio<86'400>>(36'500'000)));
    CHECK(gets_the_answer(std::chrono::duration<double>(3'600.5)));
}

TEST_CASE("get_for does not wait for no time or less, whatever counts it") {
    const pending p;
    CHECK_FALSE(p.answer.get_for(std::chrono::nanoseconds::min()));
    CHECK_FALSE(p.answer.get_for(std::chrono::hours::min()));
    CHECK_FALSE(p.answer.get_for(std::chrono::duration<double>::min()));
    CHECK_FALSE(p.answer.get_for(std::chrono::duration<double>(0.0001)));
    CHECK_FALSE(p.answer.get_for(std::chrono::duration<float>(0)));
    p.reply->complete(7);
    CHECK(p.answer.get_for(std::chrono::duration<double>(-1))->value() == 7);
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

// --- no answer ------------------------------------------------------------------------------------

TEST_CASE("a future whose last who could answer is gone is answered with an error") {
    auto reply = std::make_shared<reply_state<int>>();
    const future<int> first(reply);
    const future<int> second(reply);
    const future<int> copy(first);
    SECTION("and not before") {
        const auto another = reply;
        reply.reset();
        CHECK_FALSE(first.is_ready());
    }
    SECTION("whoever asks it") {
        reply.reset();
        for (const auto& each : {first, second, copy}) {
            REQUIRE(each.is_ready());
            CHECK(each.get().error().code == errc::aborted);
        }
    }
    SECTION("who has chained to it is told") {
        std::vector<errc> told;
        first.then([&](const outcome<int>& answer) { told.push_back(answer.error().code); });
        reply.reset();
        CHECK(told == std::vector{errc::aborted});
    }
    SECTION("a coroutine that holds it goes on") {
        std::string explanation;
        explain(first, explanation);
        CHECK(explanation.empty());
        reply.reset();
        CHECK(explanation.find("nobody is left who could answer") != std::string::npos);
    }
}

TEST_CASE("futures of one state have one answer, whenever they were made") {
    const auto executor = std::make_shared<manual_executor>();
    auto reply = std::make_shared<reply_state<int>>();
    const future<int> before(reply);
    reply->continue_on(executor);
    arrivals got;
    before.then(got.collect());
    reply->complete(7);
    CHECK(before.get().value() == 7);
    const future<int> after(reply);
    reply.reset();
    CHECK(after.get().value() == 7);
    CHECK(got.values.empty());
    executor->run_all();
    CHECK(got.values == std::vector{7});
}
