#include "annals/live.hpp"
#include "support/stepped_executor.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

/// Where updates of a live query wait for their receiver, step by step and by many threads.

using namespace annals;
using annals::test::stepped_executor;

namespace {

/// A buffer whose receiver runs when the test says so, and what it was given.
struct stepped_buffer {
    explicit stepped_buffer(live_options with = {.buffer = 1'000}, std::size_t at_once = 64)
        : buffer(std::make_shared<live_buffer<int>>(
              with,
              [this](const live_update<int>& update) {
                  got.push_back(update.last ? -1 : update.answer.value());
                  if (during)
                      during();
              },
              executor, at_once)) {}

    ~stepped_buffer() { executor->stop(); } // what waits there holds the buffer, and that holds it
    stepped_buffer(const stepped_buffer&) = delete;
    stepped_buffer& operator=(const stepped_buffer&) = delete;

    void offer(int value) { buffer->offer(value, buffer); }
    void end() { buffer->end({errc::closed, "bye"}, buffer); }

    std::shared_ptr<stepped_executor> executor = std::make_shared<stepped_executor>();
    std::vector<int> got;
    std::function<void()> during;
    std::shared_ptr<live_buffer<int>> buffer;
};

std::vector<int> numbers(int begin, int end) {
    std::vector<int> all;
    for (int i = begin; i != end; ++i)
        all.push_back(i);
    return all;
}

} // namespace

TEST_CASE("one task is on its way for all that waits") {
    stepped_buffer to;
    for (int i = 0; i != 3; ++i)
        to.offer(i);
    CHECK(to.executor->waiting() == 1);
    CHECK(to.executor->run_one());
    CHECK(to.got == numbers(0, 3));
    CHECK(to.executor->waiting() == 0);
    to.offer(3);
    CHECK(to.executor->waiting() == 1);
}

TEST_CASE("a task hands over so many at most, and then waits behind others") {
    const std::size_t at_once = GENERATE(1U, 4U);
    stepped_buffer to({.buffer = 1'000}, at_once);
    for (int i = 0; i != 8; ++i)
        to.offer(i);
    bool other_ran = false;
    to.executor->post([&] { other_ran = true; });
    CHECK(to.executor->run_one());
    CHECK(to.got.size() == at_once);
    CHECK(to.executor->run_one());
    CHECK(other_ran);
    to.executor->stop();
    CHECK(to.got == numbers(0, 8));
}

TEST_CASE("what is offered while the receiver runs is handed over by the same task") {
    stepped_buffer to;
    to.during = [&] {
        if (to.got.size() < 5)
            to.offer(static_cast<int>(to.got.size()));
    };
    to.offer(0);
    to.executor->stop();
    CHECK(to.got == numbers(0, 5));
}

TEST_CASE(
    "the end comes after what waits, also where there is no room, and nothing comes after it") {
    stepped_buffer to({.buffer = 2});
    to.offer(0);
    to.offer(1);
    to.end();
    CHECK(to.buffer->over());
    to.offer(2);
    to.end();
    to.executor->stop();
    CHECK(to.got == std::vector{0, 1, -1});
}

TEST_CASE("the end after a cancellation is not told, nor is one that waited for it") {
    stepped_buffer to;
    to.offer(0);
    SECTION("end, then cancel") {
        to.end();
        to.buffer->cancel();
    }
    SECTION("cancel, then end") {
        to.buffer->cancel();
        to.end();
    }
    to.buffer->cancel();
    to.executor->stop();
    CHECK(to.got.empty());
}

TEST_CASE("a receiver that ends or cancels what calls it is not called again") {
    stepped_buffer to;
    SECTION("cancels") {
        to.during = [&] { to.buffer->cancel(); };
        to.offer(0);
        to.offer(1);
        to.executor->stop();
        CHECK(to.got == std::vector{0});
    }
    SECTION("ends") {
        to.during = [&] { to.end(); };
        to.offer(0);
        to.executor->stop();
        CHECK(to.got == std::vector{0, -1});
    }
    CHECK(to.executor->waiting() == 0);
}

TEST_CASE("an executor that has stopped hands over within the call, without a deadlock") {
    const auto stopped = thread_executor(1);
    stopped->stop();
    std::vector<int> got;
    const auto buffer = std::make_shared<live_buffer<int>>(
        live_options{},
        [&](const live_update<int>& update) { got.push_back(update.last ? -1 : *update.answer); },
        stopped);
    buffer->offer(0, buffer);
    buffer->offer(1, buffer);
    buffer->end({errc::closed, "bye"}, buffer);
    CHECK(got == std::vector{0, 1, -1});
}

TEST_CASE("a buffer lives until what waits in it is handed over") {
    stepped_buffer to;
    to.offer(0);
    const std::weak_ptr<live_buffer<int>> alive = to.buffer;
    to.buffer.reset();
    CHECK_FALSE(alive.expired());
    to.executor->stop();
    CHECK(alive.expired());
    CHECK(to.got == std::vector{0});
}

TEST_CASE("a receiver that holds the handle to itself is let go without a second end") {
    const auto executor = std::make_shared<stepped_executor>();
    auto handle = std::make_shared<live_query>();
    const auto buffer = std::make_shared<live_buffer<int>>(
        live_options{}, [handle](const live_update<int>&) {}, executor);
    *handle = live_query([buffer] { buffer->cancel(); });
    const std::weak_ptr<live_query> held = handle;
    handle.reset();
    CHECK_FALSE(held.expired());
    buffer->end({errc::closed, "bye"}, buffer);
    executor->stop();
    CHECK(held.expired());
}

TEST_CASE("threads may offer, end and cancel at once: what is told is in order, up to the end") {
    constexpr int rounds = 300;
    constexpr int many = 200;
    const auto executor = thread_executor(2);
    int wrong = 0;
    for (int round = 0; round != rounds; ++round) {
        std::vector<int> got; // the receiver runs one call at a time
        std::atomic<bool> cancelled{false};
        std::atomic<int> late{0};
        auto buffer = std::make_shared<live_buffer<int>>(
            live_options{.buffer = round % 2 == 0 ? std::size_t{1} : std::size_t{1'000}},
            [&](const live_update<int>& update) {
                late += cancelled ? 1 : 0;
                got.push_back(update.last ? many : *update.answer);
            },
            executor, round % 3 == 0 ? 1 : 64);
        std::thread offering([&] {
            for (int i = 0; i != many; ++i)
                buffer->offer(i, buffer);
        });
        std::thread ending([&] {
            for (int i = 0; i < round % 50; ++i)
                std::this_thread::yield();
            buffer->end({errc::closed, "bye"}, buffer);
        });
        for (int i = 0; i < round % 30; ++i)
            std::this_thread::yield();
        buffer->cancel();
        cancelled = true;
        offering.join();
        ending.join();
        for (std::size_t i = 1; i < got.size(); ++i)
            wrong += got[i] <= got[i - 1] ? 1 : 0;
        wrong += late;
    }
    executor->stop();
    CHECK(wrong == 0);
}
