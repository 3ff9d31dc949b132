#include "support/gate.hpp"
#include "support/live_updates.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <optional>

/// How a host ends a live query, and live queries of views on disk.

using namespace annals;
using namespace annals::test;
using shop::demand_for;

namespace {

struct stock_on_disk;
struct stock_of {
    using view = stock_on_disk;
    std::string sku;
};
struct stock_on_disk {
    static constexpr std::string_view name = "stock_on_disk";
    using event = std::variant<shop::item_added>;
    using query = std::variant<stock_of>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(stock_on_disk, units)
};
void evolve(stock_on_disk& stock, const shop::item_added& happened) {
    stock.units.change(happened.sku, [&](int& units) { units += happened.quantity; });
}
int answer(const stock_on_disk& stock, const stock_of& query) {
    return stock.units.value_or(query.sku, 0);
}

live_options every_change() {
    return {.buffer = 100'000};
}

/// Everything that was posted to the callback thread has run.
void let_callbacks_run(runtime& rt) {
    std::promise<void> ran;
    rt.ask(demand_for{"tea"}).then([&](const auto&) { ran.set_value(); });
    ran.get_future().get();
}

} // namespace

TEST_CASE("a cancelled live query says nothing more, and a handle that goes away cancels") {
    auto rt = open_shop();
    const live_updates<int> seen;
    auto watching = std::make_optional(rt.watch(demand_for{"tea"}, seen.collect()));
    REQUIRE(seen.reaches(1));
    if (GENERATE(true, false))
        watching->cancel();
    else
        watching.reset();
    add_one(rt, "tea");
    let_callbacks_run(rt);
    CHECK(said(seen) == "0");
    CHECK(status_of(rt, "demand").live_queries == 0);
    REQUIRE(rt.close());
    CHECK(said(seen) == "0");
}

TEST_CASE("a handle that is assigned another live query cancels the one it had") {
    auto rt = open_shop();
    const live_updates<int> first;
    const live_updates<int> second;
    auto watching = rt.watch(demand_for{"tea"}, first.collect());
    REQUIRE(first.reaches(1));
    watching = rt.watch(demand_for{"tea"}, second.collect());
    REQUIRE(second.reaches(1));
    live_query moved = std::move(watching);
    watching.cancel(); // holds nothing any more
    add_one(rt, "tea");
    REQUIRE(second.reaches(2));
    CHECK(said(first) == "0");
}

TEST_CASE("cancelling waits for a call that runs, so what the callback uses may go") {
    auto rt = open_shop();
    gate inside;
    std::atomic<bool> running{false};
    auto watching = rt.watch(demand_for{"tea"}, [&](const auto&) {
        running = true;
        inside.pass();
        running = false;
    });
    REQUIRE(inside.reached());
    std::promise<void> about_to;
    bool ran_after = true;
    std::thread other([&] {
        about_to.set_value();
        watching.cancel();
        ran_after = running;
    });
    about_to.get_future().get();
    inside.open();
    other.join();
    CHECK_FALSE(ran_after);
}

TEST_CASE("a callback that cancels its own live query is not called again") {
    auto rt = open_shop();
    live_query watching;
    const live_updates<int> seen;
    std::promise<void> assigned;
    auto ready = assigned.get_future().share();
    watching = rt.watch(
        demand_for{"tea"},
        [&, ready, take = seen.collect()](const auto& update) {
            ready.get();
            take(update);
            watching.cancel();
        },
        every_change());
    for (int i = 0; i != 3; ++i)
        add_one(rt, "tea"); // they wait in the buffer
    assigned.set_value();
    REQUIRE(seen.reaches(1));
    add_one(rt, "tea");
    let_callbacks_run(rt);
    CHECK(seen.count() == 1);
}

TEST_CASE("what a callback holds is let go once it is cancelled or told the last") {
    auto rt = open_shop();
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> still = held;
    std::promise<void> assigned;
    auto ready = assigned.get_future().share();
    live_query watching;
    SECTION("cancelled from outside") {
        watching = rt.watch(demand_for{"tea"}, [held = std::move(held)](const auto&) {});
        watching.cancel();
    }
    SECTION("cancelled by itself") {
        std::promise<void> cancelled;
        watching = rt.watch(demand_for{"tea"}, [&, ready, held = std::move(held)](const auto&) {
            ready.get();
            watching.cancel();
            cancelled.set_value();
        });
        assigned.set_value();
        cancelled.get_future().get();
        let_callbacks_run(rt); // behind the call that cancelled
    }
    SECTION("told the last") {
        watching = rt.watch(demand_for{"tea"}, [held = std::move(held)](const auto&) {});
        REQUIRE(rt.close());
    }
    CHECK(still.expired());
}

TEST_CASE(
    "a live query goes on across a rebuild without a word, and is told what a reset changes") {
    auto rt = open_shop();
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    add_one(rt, "tea");
    add_one(rt, "tea");
    REQUIRE(rt.projection("demand").rebuild().get());
    add_one(rt, "tea");
    REQUIRE(seen.reaches(4));
    CHECK(said(seen) == "0, 1, 2, 3");
    REQUIRE(rt.projection("demand").reset(2).get());
    REQUIRE(seen.reaches(6));
    CHECK(said(seen) == "0, 1, 2, 3, 0, 1");
}

TEST_CASE("live queries may come and go on many threads amid commands") {
    constexpr int times = 300;
    auto rt = open_shop();
    std::atomic<int> after_cancel{0};
    {
        command_storm storm(rt, 2, times);
        std::vector<std::thread> watchers;
        for (int t = 0; t != 3; ++t)
            watchers.emplace_back([&] {
                for (int i = 0; i != 200; ++i) {
                    std::atomic<bool> cancelled{false};
                    auto watching = rt.watch(
                        demand_for{"tea"}, [&](const auto&) { after_cancel += cancelled ? 1 : 0; },
                        every_change());
                    if (i % 3 != 0)
                        (void)rt.ask(demand_for{"tea"}).get();
                    watching.cancel();
                    cancelled = true;
                }
            });
        for (auto& each : watchers)
            each.join();
    }
    CHECK(after_cancel == 0);
    add_one(rt, "tea");
    CHECK(status_of(rt, "demand").live_queries == 0);
}

TEST_CASE("a live query of a stored view says how it is, then every change, and ends with it") {
    constexpr int threads = 3;
    constexpr int times = 100;
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt =
        runtime::open(store.settings(), host<shop::cart>, host<shop::demand>, host<stock_on_disk>)
            .value();
    command_storm storm(rt, threads, times);
    std::vector<live_updates<int>> seen(3);
    std::vector<live_query> watching;
    for (const auto& each : seen)
        watching.push_back(rt.watch(stock_of{"tea"}, each.collect(), every_change()));
    storm.wait();
    for (const auto& each : seen) {
        REQUIRE(each.until([](const auto& all) {
            return !all.empty() && all.back().answer.value() == threads * times;
        }));
        std::uint64_t before = 0;
        for (const auto& update : each.all()) {
            REQUIRE(static_cast<std::uint64_t>(update.answer.value()) == update.answer.position());
            REQUIRE((update.answer.position() > before || update.answer.position() == 0));
            before = update.answer.position();
        }
    }
    watching[0].cancel();
    const auto written = rt.send("17", shop::add_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(stock_of{"tea"}, after(written))) == "301");
    REQUIRE(seen[1].until([](const auto& all) { return all.back().answer.value() == 301; }));
    CHECK(said(seen[0].all().back().answer) == "300");
    REQUIRE(rt.close());
    CHECK(said(seen[2].all().back().answer) == "closed");
    CHECK(seen[2].all().back().last);
    CHECK(said(seen[0].all().back().answer) == "300");
}
