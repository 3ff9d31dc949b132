#include "support/gate.hpp"
#include "support/live_updates.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <set>

/// What a host's callback is told by a live query.

using namespace annals;
using namespace annals::test;
using shop::demand_for;

namespace {

struct temperature_view;
struct temperature {
    using view = temperature_view;
};
/// Answers that cannot be compared.
struct degrees {
    int value = 0;
};
struct temperature_view {
    static constexpr std::string_view name = "temperature";
    using event = std::variant<shop::item_added>;
    using query = std::variant<temperature>;
    int events = 0;
};
void evolve(temperature_view& view, const shop::item_added&) {
    ++view.events;
}
degrees answer(const temperature_view& view, const temperature&) {
    return {view.events};
}

live_options every_change() {
    return {.buffer = 100'000};
}

} // namespace

TEST_CASE("a live query says how it is, then how it becomes") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    add_one(rt, "tea");
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    add_one(rt, "tea");
    add_one(rt, "milk"); // no change of the answer
    const auto last = add_one(rt, "tea");
    REQUIRE(seen.reaches(3));
    CHECK(said(seen) == "1, 2, 3");
    CHECK(seen.all().front().answer.position() == 1);
    CHECK(seen.all().back().answer.position() == last.position);
    CHECK(status_of(rt, "demand").live_queries == 1);
}

TEST_CASE("a live query that begins amid commands misses nothing between its first and its last") {
    constexpr int threads = 4;
    constexpr int times = 200;
    auto rt = open_shop();
    command_storm storm(rt, threads, times);
    std::vector<live_updates<int>> seen(5);
    std::vector<live_query> watching;
    for (const auto& each : seen)
        watching.push_back(rt.watch(demand_for{"tea"}, each.collect(), every_change()));
    storm.wait();
    for (const auto& each : seen) {
        REQUIRE(each.until([](const auto& all) {
            return !all.empty() && all.back().answer.value() == threads * times;
        }));
        std::uint64_t before = 0;
        for (const auto& update : each.all()) {
            // Every event adds one: an answer is right for its position, and only for that.
            REQUIRE(static_cast<std::uint64_t>(update.answer.value()) == update.answer.position());
            REQUIRE((update.answer.position() > before || update.answer.position() == 0));
            REQUIRE(update.skipped == 0);
            before = update.answer.position();
        }
    }
}

TEST_CASE("a live query begins with the position that it wants") {
    auto rt = open_shop();
    add_one(rt, "tea");
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"}, seen.collect(), {.at_least = 3});
    add_one(rt, "tea");
    CHECK(seen.count() == 0);
    add_one(rt, "tea");
    REQUIRE(seen.reaches(1));
    CHECK(said(seen) == "3");
}

TEST_CASE("while a receiver is slow the latest update wins, and says how many it replaced") {
    const std::size_t buffer = GENERATE(1U, 3U);
    auto rt = open_shop();
    gate slow;
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"},
                                   [&, take = seen.collect()](const live_update<int>& update) {
                                       take(update);
                                       if (update.answer.value() == 0)
                                           slow.pass();
                                   },
                                   {.buffer = buffer});
    REQUIRE(slow.reached());
    for (int i = 0; i != 5; ++i)
        add_one(rt, "tea");
    CHECK(said(seen) == "0");
    slow.open();
    REQUIRE(seen.until([](const auto& all) { return all.back().answer.value() == 5; }));
    CHECK(said(seen) == (buffer == 1 ? "0, 5 (4 skipped)" : "0, 1, 2, 5 (2 skipped)"));
    add_one(rt, "tea");
    REQUIRE(seen.until([](const auto& all) { return all.back().answer.value() == 6; }));
    CHECK(seen.all().back().skipped == 0);
}

TEST_CASE("a live query that may not skip ends with overloaded when its receiver is too slow") {
    auto rt = open_shop();
    gate slow;
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"},
                                   [&, take = seen.collect()](const live_update<int>& update) {
                                       take(update);
                                       if (seen.count() == 1)
                                           slow.pass();
                                   },
                                   {.then = live_options::when_full::error, .buffer = 2});
    REQUIRE(slow.reached());
    for (int i = 0; i != 5; ++i)
        add_one(rt, "tea");
    slow.open();
    REQUIRE(seen.ends());
    CHECK(said(seen) == "0, 1, 2, overloaded!");
    add_one(rt, "tea");
    CHECK(seen.count() == 4);
    CHECK(status_of(rt, "demand").live_queries == 0);
}

TEST_CASE("receivers share the callback thread: a long backlog does not keep others waiting") {
    auto rt = open_shop();
    gate busy;
    const auto blocking = rt.watch(demand_for{"rum"}, [&](const auto&) { busy.pass(); });
    REQUIRE(busy.reached());
    const live_updates<int> backlog;
    const auto first = rt.watch(demand_for{"tea"}, backlog.collect(), every_change());
    for (int i = 0; i != 200; ++i)
        add_one(rt, "tea");
    std::promise<std::size_t> handed_over;
    const auto second = rt.watch(demand_for{"milk"}, [&](const live_update<int>& update) {
        if (!update.last)
            handed_over.set_value(backlog.count());
    });
    (void)rt.ask(demand_for{"tea"}).get(); // the second one is known to the view
    busy.open();
    CHECK(handed_over.get_future().get() < 201);
    REQUIRE(backlog.reaches(201));
    CHECK(said(backlog.all().back().answer) == "200");
}

TEST_CASE("a live query may be refused, and then answered") {
    auto rt = open_shop();
    const live_updates<int> seen;
    const auto watching = rt.watch(shop::refused_question{}, seen.collect(), every_change());
    add_one(rt, "tea");
    REQUIRE(seen.reaches(1));
    CHECK(said(seen) == "rejected: no"); // which does not change
    CHECK_FALSE(seen.all().front().last);
}

TEST_CASE("answers that cannot be compared are told after each change of the view, to all alike") {
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host<shop::demand>, host<temperature_view>)
                  .value();
    const live_updates<degrees> seen;
    const auto watching = rt.watch(temperature{}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    const live_updates<degrees> another;
    const auto as_well = rt.watch(temperature{}, another.collect(), every_change());
    REQUIRE(another.reaches(1));
    CHECK(seen.count() == 1); // that somebody else looks is no change
    const auto written = add_one(rt, "tea");
    REQUIRE(seen.reaches(2));
    CHECK(seen.all().back().answer.position() == written.position);
}

TEST_CASE("an answer that throws ends its live query and no other") {
    auto rt = open_shop();
    const live_updates<int> seen;
    const auto watching = rt.watch(
        shop::look_inside{[] { throw std::runtime_error("no look today"); }}, seen.collect());
    const live_updates<int> other;
    const auto well = rt.watch(demand_for{"tea"}, other.collect(), every_change());
    REQUIRE(seen.ends());
    CHECK(said(seen) == "handler_failed!");
    add_one(rt, "tea");
    REQUIRE(other.reaches(2));
    CHECK(said(other) == "0, 1");
    CHECK(seen.count() == 1);
}

TEST_CASE("a live query of a view that is not hosted, or does not list it, says what there is") {
    auto rt = open_shop();
    const live_updates<int> no_view;
    const auto one = rt.watch(shop::fragile_count{}, no_view.collect());
    REQUIRE(no_view.ends());
    CHECK(said(no_view) == "unknown_query!");
    CHECK(no_view.all()[0].answer.error().message.find("Hosted views: shop::demand") !=
          std::string::npos);
    const live_updates<int> no_room;
    const auto two = rt.watch(demand_for{"tea"}, no_room.collect(), {.buffer = 0});
    REQUIRE(no_room.ends());
    CHECK(said(no_room) == "invalid_argument!");
}

TEST_CASE("a live query of a view that fails ends with the reason, and so does a later one") {
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host<shop::fragile>)
                  .value();
    const live_updates<int> seen;
    const auto watching = rt.watch(shop::fragile_count{}, seen.collect(), every_change());
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    REQUIRE(said(rt.send("17", shop::add_item{"poison"})) == "stored");
    REQUIRE(seen.ends());
    const auto end = seen.all().back();
    CHECK(end.answer.error().code == errc::unavailable);
    CHECK(end.answer.error().message.find("the view met poison") != std::string::npos);
    const live_updates<int> late;
    const auto again = rt.watch(shop::fragile_count{}, late.collect());
    REQUIRE(late.ends());
    CHECK(said(late) == "unavailable!");
    CHECK(status_of(rt, "fragile").live_queries == 0);
}

TEST_CASE("when the runtime closes, its live queries end with closed") {
    auto rt = open_shop();
    const live_updates<int> seen;
    const auto watching = rt.watch(demand_for{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    REQUIRE(rt.close());
    CHECK(said(seen) == "0, closed!"); // closing waits for callbacks
    const live_updates<int> late;
    const auto again = rt.watch(demand_for{"tea"}, late.collect());
    CHECK(said(late) == "closed!");
}

TEST_CASE("a live query that begins while the runtime closes is told so") {
    for (int round = 0; round != 50; ++round) {
        std::vector<live_updates<int>> seen(20);
        std::vector<live_query> watching;
        {
            auto rt = open_shop();
            std::promise<void> begun;
            std::thread other([&] {
                for (std::size_t i = 0; i != seen.size(); ++i) {
                    watching.push_back(rt.watch(demand_for{"tea"}, seen[i].collect()));
                    if (i == 5)
                        begun.set_value();
                }
            });
            begun.get_future().get();
            REQUIRE(rt.close());
            other.join();
        }
        for (const auto& each : seen)
            REQUIRE(each.ends());
    }
}
