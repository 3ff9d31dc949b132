#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <limits>

/// What a host gets for a query: an answer that is as fresh as it asked for.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::demand_for;
using shop::remove_item;

TEST_CASE("a query after a receipt reads what the receipt stands for") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    for (int i = 1; i <= 100; ++i) {
        const auto written = rt.send(std::to_string(i % 3), add_item{"tea"}).get().value();
        REQUIRE(said(rt.ask(demand_for{"tea"}, after(written))) == std::to_string(i));
    }
}

TEST_CASE("a query without a wish is answered at once with what the view has") {
    auto rt = open_shop();
    REQUIRE(said(rt.ask(demand_for{"tea"})) == "0");
}

TEST_CASE("a view that does not want an event still gets past it") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    const auto added = rt.send("17", add_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(shop::removals_so_far{}, after(added))) == "0");
    const auto removed = rt.send("17", remove_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(shop::removals_so_far{}, after(removed))) == "1");
}

TEST_CASE("a query after a command with nothing to do is answered from what that rested on") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    const auto none = rt.send("17", add_item{"tea", 0}).get().value();
    REQUIRE(said(rt.ask(demand_for{"tea"}, after(none))) == "1");
}

TEST_CASE("a view that is opened on old events answers from all of them") {
    const event_store store;
    receipt last;
    {
        auto with = store.settings();
        auto rt = runtime::open(std::move(with), host<shop::cart>).value();
        for (int i = 0; i < 500; ++i)
            (void)rt.send(std::to_string(i % 10), add_item{"tea"});
        last = rt.send("0", add_item{"tea"}).get().value();
        REQUIRE(rt.close()); // lets the others finish
    }
    auto with = store.settings();
    with.limits.page_events = 64;
    auto rt = open_shop(std::move(with));
    const auto head = rt.journal().head();
    REQUIRE(head == 501);
    REQUIRE(said(rt.ask(demand_for{"tea"}, {head, {}})) == "501");
}

TEST_CASE("an event that is appended past the runtime reaches its views") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    const auto placed =
        append_outside(rt.journal(), "cart-outside", shop::item_added{"tea", 5}).value();
    REQUIRE(said(rt.ask(demand_for{"tea"}, {placed.position, {}})) == "5");
}

TEST_CASE("a query for a position that does not come says how far the view is") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    auto rt = open_shop(std::move(with));
    const auto written = rt.send("17", add_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(demand_for{"tea"}, after(written))) == "1");

    const auto coming = rt.ask(demand_for{"tea"}, {100, std::chrono::seconds(5)});
    let_pass(std::chrono::seconds(4), *clock, rt);
    REQUIRE_FALSE(coming.is_ready());
    let_pass(std::chrono::seconds(2), *clock, rt);
    REQUIRE(said(coming) == "version_out_of_reach");
    REQUIRE(coming.get().error().actual == 1);
    REQUIRE(mentions(coming, "\"demand\""));
}

TEST_CASE("a query for a later position is answered as soon as the view is there") {
    auto rt = open_shop();
    const auto coming = rt.ask(demand_for{"tea"}, {3, {}});
    for (int i = 0; i < 2; ++i)
        REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE_FALSE(coming.is_ready());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(coming) == "3");
}

TEST_CASE("a query waits as long as the configuration says when it does not say itself") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    with.limits.query_timeout = std::chrono::minutes(10);
    auto rt = open_shop(std::move(with));
    const auto coming = rt.ask(demand_for{"tea"}, {1, {}});
    let_pass(std::chrono::minutes(9), *clock, rt);
    REQUIRE_FALSE(coming.is_ready());
    let_pass(std::chrono::minutes(2), *clock, rt);
    REQUIRE(said(coming) == "version_out_of_reach");
}

TEST_CASE("a query that may wait for ever waits") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    auto rt = open_shop(std::move(with));
    const auto coming = rt.ask(demand_for{"tea"}, {1, std::chrono::milliseconds::max()});
    let_pass(std::chrono::hours(1), *clock, rt);
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(coming) == "1");
}

TEST_CASE("a view may refuse a query") {
    auto rt = open_shop();
    REQUIRE(said(rt.ask(shop::refused_question{})) == "rejected: no");
}

TEST_CASE("a query can name its view at the call") {
    auto rt = open_shop();
    const auto written = rt.send("17", add_item{"tea", 3}).get().value();
    REQUIRE(said(rt.ask<shop::demand>(demand_for{"tea"}, after(written))) == "3");
}
