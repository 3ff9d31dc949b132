#include "support/gate.hpp"
#include "support/live_updates.hpp"

#include <catch2/catch.hpp>

/// How fresh an answer is, how many queries may wait, and what is measured of them.

using namespace annals;
using namespace annals::test;
using shop::demand_for;

namespace {

/// Has an answer and is not listed by the view.
struct unlisted_question {
    using view = shop::demand;
};

config with_clock(const std::shared_ptr<manual_clock>& clock) {
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    return with;
}
ask_options within(std::chrono::seconds timeout, ask_options options) {
    options.timeout = timeout;
    return options;
}
query_type_status status_of_query(const runtime& rt, std::string_view view,
                                  std::string_view query) {
    for (const auto& each : status_of(rt, view).query_types)
        if (each.name == query)
            return each;
    throw std::runtime_error("no query " + std::string(query));
}

} // namespace

namespace shop {
int answer(const demand&, const unlisted_question&) {
    return 42;
}
} // namespace shop

TEST_CASE("an answer to latest reflects all that was durable when it was asked") {
    auto rt = open_shop();
    const command_storm storm(rt, 3, 200);
    for (int i = 0; i != 300; ++i) {
        const auto durable = rt.journal().head();
        const auto came = rt.ask(demand_for{"tea"}, latest()).get();
        REQUIRE(came);
        REQUIRE(came.position() >= durable);
        REQUIRE(static_cast<log_position>(came.value()) == came.position());
    }
}

TEST_CASE("latest waits for a view that is behind, and at most as long as it may") {
    const auto clock = std::make_shared<manual_clock>();
    auto rt = open_shop(with_clock(clock));
    add_one(rt, "tea");
    REQUIRE(rt.projection("demand").pause().get());
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    CHECK(said(rt.ask(demand_for{"tea"})) == "1"); // without a wish, what there is
    const auto in_time = rt.ask(demand_for{"tea"}, latest());
    const auto too_late = rt.ask(demand_for{"tea"}, within(std::chrono::seconds(5), latest()));
    let_pass(std::chrono::seconds(6), *clock, rt);
    CHECK(said(too_late) == "version_out_of_reach");
    REQUIRE_FALSE(in_time.is_ready());
    REQUIRE(rt.projection("demand").resume().get());
    CHECK(said(in_time) == "2");
}

TEST_CASE("an answer may be as old as the host allows, and no older") {
    using std::chrono::minutes;
    const auto clock = std::make_shared<manual_clock>();
    auto rt = open_shop(with_clock(clock));
    add_one(rt, "tea");
    REQUIRE(rt.projection("demand").pause().get());
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    CHECK(said(rt.ask(demand_for{"tea"}, fresh_within(minutes(1)))) == "1");
    clock->advance(minutes(2));
    CHECK(said(rt.ask(demand_for{"tea"}, fresh_within(minutes(3)))) == "1");
    const auto fresh =
        rt.ask(demand_for{"tea"}, within(std::chrono::hours(1), fresh_within(minutes(1))));
    look_at_clock(rt);
    REQUIRE_FALSE(fresh.is_ready());
    REQUIRE(rt.projection("demand").resume().get());
    CHECK(said(fresh) == "2");
    clock->advance(minutes(10)); // nothing happened: what it has is all there is
    CHECK(said(rt.ask(demand_for{"tea"}, fresh_within(minutes(1)))) == "2");
    CHECK(said(rt.ask(demand_for{"tea"}, fresh_within(std::chrono::milliseconds::max()))) == "2");
}

TEST_CASE("of more queries than may wait, the last are overloaded and the others are answered") {
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host<shop::demand>({.max_waiting_queries = 3}))
                  .value();
    REQUIRE(said(rt.ask(demand_for{"tea"})) == "0"); // it is there
    std::vector<future<int>> waiting;
    for (int i = 0; i != 3; ++i)
        waiting.push_back(rt.ask(demand_for{"tea"}, {1, {}}));
    const auto one_more = rt.ask(demand_for{"tea"}, {1, {}});
    CHECK(said(one_more) == "overloaded");
    CHECK(mentions(one_more, "max_waiting_queries"));
    CHECK(status_of(rt, "demand").queries_waiting == 3);
    CHECK(said(rt.ask(demand_for{"tea"})) == "0"); // who does not wait is answered
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    for (const auto& each : waiting)
        CHECK(said(each) == "1");
    CHECK(status_of(rt, "demand").queries_waiting == 0);
    const auto again = rt.ask(demand_for{"tea"}, {2, {}});
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    CHECK(said(again) == "2");
}

TEST_CASE("queries that waited in vain make room for others") {
    const auto clock = std::make_shared<manual_clock>();
    auto rt = runtime::open(with_clock(clock), host<shop::cart>,
                            host<shop::demand>({.max_waiting_queries = 2}))
                  .value();
    REQUIRE(said(rt.ask(demand_for{"tea"})) == "0"); // it is there
    for (int round = 0; round != 100; ++round) {
        std::vector<future<int>> waiting;
        for (int i = 0; i != 2; ++i)
            waiting.push_back(rt.ask(demand_for{"tea"}, {1, std::chrono::seconds(5)}));
        REQUIRE(said(rt.ask(demand_for{"tea"})) == "0"); // they wait
        let_pass(std::chrono::seconds(6), *clock, rt);
        for (const auto& each : waiting)
            REQUIRE(said(each) == "version_out_of_reach");
        REQUIRE(status_of(rt, "demand").queries_waiting == 0);
    }
    CHECK(status_of_query(rt, "demand", "shop::demand_for").failed == 200);
}

TEST_CASE("the status counts each type of query, answered and failed") {
    const auto clock = std::make_shared<manual_clock>();
    auto rt = open_shop(with_clock(clock));
    for (int i = 0; i != 30; ++i)
        REQUIRE(said(rt.ask(demand_for{"tea"})) == "0");
    REQUIRE(said(rt.ask(shop::refused_question{})) == "rejected: no");
    REQUIRE(said(rt.ask(shop::look_inside{[] { throw std::runtime_error("no"); }})) ==
            "handler_failed");
    REQUIRE(said(rt.ask(shop::look_inside{})) == "0");

    const auto asked = status_of_query(rt, "demand", "shop::demand_for");
    CHECK(asked.count == 30);
    CHECK(asked.failed == 0);
    CHECK(asked.per_second == 0); // the present second is not over
    CHECK(status_of_query(rt, "demand", "shop::refused_question").count == 1);
    CHECK(status_of_query(rt, "demand", "shop::refused_question").failed == 0);
    CHECK(status_of_query(rt, "demand", "shop::look_inside").count == 1);
    CHECK(status_of_query(rt, "demand", "shop::look_inside").failed == 1);
    CHECK(status_of_query(rt, "demand", "shop::total_demand").count == 0);
    CHECK(status_of(rt, "demand").queries == 32);
    CHECK(rt.status().queries_failed == 1);
    clock->advance(std::chrono::seconds(1));
    CHECK(status_of_query(rt, "demand", "shop::demand_for").per_second == Approx(0.5));
    clock->advance(std::chrono::minutes(2));
    CHECK(status_of_query(rt, "demand", "shop::demand_for").per_second == 0);
}

TEST_CASE("percentiles say how long queries took, waiting for a position included") {
    const auto clock = std::make_shared<manual_clock>();
    auto rt = open_shop(with_clock(clock));
    const auto asked = [&] { return status_of_query(rt, "demand", "shop::demand_for"); };
    CHECK(asked().p50.count() == 0);
    CHECK(asked().p99.count() == 0);
    for (int i = 0; i != 90; ++i)
        REQUIRE(said(rt.ask(demand_for{"tea"})) == "0");
    std::vector<future<int>> slow;
    for (int i = 0; i != 10; ++i)
        slow.push_back(rt.ask(demand_for{"tea"}, {1, {}}));
    REQUIRE(said(rt.ask(shop::look_inside{})) == "0"); // they wait
    clock->advance(std::chrono::seconds(8));
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    for (const auto& each : slow)
        REQUIRE(said(each) == "1");
    CHECK(asked().count == 100);
    CHECK(asked().p50 < std::chrono::microseconds(1));
    CHECK(asked().p99 >= std::chrono::seconds(8));
    CHECK(asked().p99 < std::chrono::seconds(9)); // within 6 percent
}

TEST_CASE("percentiles of real time are in order and not nothing") {
    auto rt = open_shop();
    for (int i = 0; i != 500; ++i)
        REQUIRE(said(rt.ask(demand_for{"tea"})) == "0");
    const auto asked = status_of_query(rt, "demand", "shop::demand_for");
    CHECK(asked.p50.count() > 0);
    CHECK(asked.p50 <= asked.p99);
    CHECK(asked.p99 < std::chrono::minutes(1));
}

TEST_CASE(
    "a query that the view answers but does not list is unknown, and the error lists others") {
    auto rt = open_shop();
    const auto coming = rt.ask(unlisted_question{});
    CHECK(said(coming) == "unknown_query");
    CHECK(mentions(coming, "unlisted_question"));
    CHECK(mentions(coming, "View::query"));
    CHECK(mentions(coming, "shop::demand_for, shop::total_demand, shop::look_inside, "
                           "shop::refused_question"));
    const auto nowhere = rt.ask(shop::fragile_count{});
    CHECK(said(nowhere) == "unknown_query");
    CHECK(mentions(nowhere, "Hosted views: shop::demand, shop::removals"));
    CHECK(rt.status().queries_in_flight == 0);
}

TEST_CASE("live queries take no part in the counts of queries, their number is in the status") {
    auto rt = open_shop();
    const live_updates<int> seen;
    {
        const auto watching = rt.watch(demand_for{"tea"}, seen.collect());
        REQUIRE(seen.reaches(1));
        CHECK(status_of(rt, "demand").live_queries == 1);
        CHECK(status_of_query(rt, "demand", "shop::demand_for").count == 0);
    }
    CHECK(status_of(rt, "demand").live_queries == 0);
}
