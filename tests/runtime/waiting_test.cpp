#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <catch2/catch.hpp>

#include <coroutine>
#include <future>

/// The ways to wait for an answer, and where waiting is refused; hosts with actors; time travel.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;
using shop::run_inside;

namespace {

/// A coroutine that runs by itself.
struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// The requests have names: g++ 12 destroys a temporary such as add_item{...} twice when it stands in
// the expression that is awaited. clang++ does not.
task buy_and_count(runtime& rt, std::promise<std::string>& done) {
    const auto writing = rt.send("17", add_item{"tea", 2});
    const annals::outcome<receipt> written = co_await writing;
    const auto asking = rt.ask(shop::demand_for{"tea"}, after(*written));
    const annals::outcome<int> seen = co_await asking;
    done.set_value(said(written) + ", " + said(seen));
}

} // namespace

TEST_CASE("waiting for a limited time ends without an answer, and the command goes on") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE_FALSE(coming.get_for(std::chrono::milliseconds(5)));
    REQUIRE_FALSE(coming.get_for(std::chrono::milliseconds(0)));
    log->release();
    REQUIRE(said(coming) == "stored");
}

TEST_CASE("a continuation runs once with the answer, where it may wait for another") {
    auto rt = open_shop();
    std::promise<std::string> done;
    rt.send("17", add_item{"tea"}).then([&](const annals::outcome<receipt>& written) {
        done.set_value(said(rt.ask(shop::demand_for{"tea"}, after(*written))));
    });
    REQUIRE(done.get_future().get() == "1");
}

TEST_CASE("a coroutine waits for a command and then for what it did") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    std::promise<std::string> done;
    buy_and_count(rt, done);
    REQUIRE(done.get_future().get() == "stored, 2");
}

TEST_CASE("waiting for an answer inside a handler is refused instead of waiting for ever") {
    auto rt = open_shop();
    std::string command_said;
    std::string query_said;
    // Neither can be answered before the handler returns: both are for those it runs in.
    REQUIRE(said(rt.send("17", run_inside{[&] {
                             command_said = said(rt.send("17", add_item{"tea"}).get());
                         }})) == "nothing to do");
    REQUIRE(said(rt.ask(shop::look_inside{[&] {
                query_said = said(rt.ask(shop::demand_for{"tea"}).get());
            }})) != "no answer");
    REQUIRE(command_said == "wait_refused");
    REQUIRE(query_said == "wait_refused");
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do"); // it was sent all the same
}

TEST_CASE("a runtime can live in the host's own actor system, which outlives it") {
    caf::actor_system_config settings;
    settings.set("scheduler.max-threads", std::size_t{2});
    caf::actor_system system(settings);
    for (int i = 0; i < 3; ++i) {
        auto with = event_store(keeping::in_memory).settings();
        with.system = &system;
        auto rt = open_shop(std::move(with));
        const auto written = rt.send("17", add_item{"tea"}).get().value();
        REQUIRE(said(rt.ask(shop::demand_for{"tea"}, after(written))) == "1");
        REQUIRE(rt.close());
    }
    REQUIRE(system.registry().running() == 0);
}

TEST_CASE("the history of an aggregate can be folded to any version and any time") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto clock = std::make_shared<manual_clock>();
    auto with = store.settings();
    with.clock = clock;
    auto rt = open_shop(std::move(with));
    const auto start = clock->wall_time();
    for (int i = 1; i <= 5; ++i) {
        clock->advance(std::chrono::hours(1));
        REQUIRE(said(rt.send("17", add_item{"tea", i})) == "stored");
    }
    const auto units = [&](stream_version last, timestamp until = timestamp::max()) {
        const auto state = state_at<shop::cart>(rt.journal(), "17", last, until).value();
        return state ? state->units() : -1;
    };
    REQUIRE(units(0) == -1);
    REQUIRE(units(1) == 1);
    REQUIRE(units(3) == 6);
    REQUIRE(units(99) == 15);
    REQUIRE(units(99, start) == -1);
    REQUIRE(units(99, start + std::chrono::hours(2)) == 3);
    REQUIRE(units(99, start + std::chrono::minutes(150)) == 3);
    REQUIRE(units(1, start + std::chrono::hours(4)) == 1);
    REQUIRE_FALSE(state_at<shop::cart>(rt.journal(), "unknown", 9).value());
    REQUIRE(said(rt.send("17", confirm_units{15})) == "nothing to do"); // untouched
}
