#include "annals/seams.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <set>
#include <thread>

namespace annals::test {
namespace {

TEST_CASE("an executor runs every task once, and those still queued before it is gone") {
    std::atomic<int> ran{0};
    {
        const auto executor = thread_executor(3);
        for (int i = 0; i != 1'000; ++i)
            executor->post([&] { ++ran; });
    }
    REQUIRE(ran == 1'000);
}

TEST_CASE("a task may post another, even while the executor stops") {
    std::atomic<int> ran{0};
    {
        const auto executor = thread_executor(1);
        auto* const to = executor.get();
        executor->post([&, to] {
            ++ran;
            to->post([&] { ++ran; });
        });
    }
    REQUIRE(ran == 2);
}

TEST_CASE("an executor has as many threads as asked for, and at least one") {
    std::promise<void> second_runs;
    const auto two = thread_executor(2);
    std::promise<void> first_done;
    two->post([&] {
        second_runs.get_future().wait(); // only a second thread can fulfil it
        first_done.set_value();
    });
    two->post([&] { second_runs.set_value(); });
    first_done.get_future().wait();

    std::promise<std::thread::id> ran_on;
    thread_executor(0)->post([&] { ran_on.set_value(std::this_thread::get_id()); });
    REQUIRE(ran_on.get_future().get() != std::this_thread::get_id());
}

TEST_CASE("a task may drop the last reference to its executor") {
    auto executor = thread_executor(2);
    std::promise<void> done;
    std::promise<void> released;
    executor->post([&, own = executor]() mutable {
        released.get_future().wait();
        own.reset();
        done.set_value();
    });
    executor.reset();
    released.set_value();
    done.get_future().wait();
    SUCCEED("neither deadlock nor termination");
}

} // namespace
} // namespace annals::test
