#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

/// Aggregates leave memory when they are idle or too many; nobody outside can tell.

using namespace annals;
using namespace annals::test;
using namespace std::chrono_literals;
using shop::add_item;
using shop::confirm_units;

namespace {

/// Whether `happens` comes true without a command and without a look at the clock. Half a minute of patience.
template <class Predicate>
bool comes_true(Predicate happens) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!happens() && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    return happens();
}

} // namespace

TEST_CASE("an idle aggregate leaves memory and comes back as it was") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto clock = std::make_shared<manual_clock>();
    auto with = store.settings();
    with.clock = clock;
    with.limits.idle_timeout = 1min;
    auto rt = open_shop(std::move(with));
    for (int i = 0; i < 10; ++i)
        REQUIRE(said(rt.send(std::to_string(i), add_item{"tea", i + 1})) == "stored");
    REQUIRE(rt.status().resident_aggregates == 10);
    clock->advance(2min);
    REQUIRE(eventually(rt, [&] { return rt.status().passivations >= 10; }));
    REQUIRE(rt.status().resident_aggregates == 1); // the one that looked at the clock
    for (int i = 0; i < 10; ++i) {
        REQUIRE(said(rt.send(std::to_string(i), confirm_units{i + 1})) == "nothing to do");
        REQUIRE(rt.send(std::to_string(i), add_item{"rum"}).get().value().version == 2);
    }
}

TEST_CASE("an aggregate that is used does not count as idle") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    with.limits.idle_timeout = 1min;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("idle", add_item{"tea"})) == "stored");
    for (int i = 0; i < 10; ++i) {
        let_pass(50s, *clock, rt);
        REQUIRE(said(rt.send("used", add_item{"tea"})) == "stored");
    }
    REQUIRE(eventually(rt, [&] { return rt.status().passivations >= 1; }));
    REQUIRE(rt.status().resident_aggregates == 2);
}

TEST_CASE("an aggregate whose events are not stored yet stays") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    with.clock = clock;
    with.limits.idle_timeout = 1min;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("idle", add_item{"tea"})) == "stored");
    log->hold();
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE(log->holds(1));
    clock->advance(2min);
    REQUIRE(eventually(rt, [&] { return rt.status().passivations >= 1; }));
    REQUIRE(rt.status().resident_aggregates == 2);
    log->release();
    REQUIRE(said(coming) == "stored");
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
}

TEST_CASE("more aggregates than fit in memory are all served, and none is mistaken") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto clock = std::make_shared<manual_clock>();
    auto with = store.settings();
    with.clock = clock;
    with.limits.max_resident_aggregates = 8;
    auto rt = open_shop(std::move(with));
    std::vector<future<receipt>> coming;
    for (int round = 0; round < 5; ++round)
        for (int i = 0; i < 200; ++i)
            coming.push_back(rt.send(std::to_string(i), add_item{"tea", i + 1}));
    int stored = 0;
    for (const auto& each : coming)
        stored += said(each) == "stored";
    REQUIRE(stored == 1'000);
    int right = 0;
    for (int i = 0; i < 200; ++i)
        right += said(rt.send(std::to_string(i), confirm_units{5 * (i + 1)})) == "nothing to do";
    REQUIRE(right == 200);
    REQUIRE(comes_true([&] { return rt.status().resident_aggregates <= 8; }));
    REQUIRE(rt.status().passivations >= 192);
}

TEST_CASE("an idle time as long as time goes means never") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    with.limits.idle_timeout = std::chrono::milliseconds::max();
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    for (int i = 0; i < 5; ++i)
        let_pass(24h, *clock, rt);
    REQUIRE(rt.status().passivations == 0);
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
}
