#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

/// What a host's own code throws is an answer to who asked, and harms nobody else.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;
using shop::run_inside;

TEST_CASE("a decide that throws fails its command and the aggregate goes on") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    const auto coming = rt.send("17", run_inside{[] { throw std::runtime_error("no such tea"); }});
    REQUIRE(said(coming) == "handler_failed");
    REQUIRE(mentions(coming, "no such tea"));
    REQUIRE(said(rt.send("17", run_inside{[] { throw 17; }})) == "handler_failed");
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(rt.status().commands_failed == 2);
}

TEST_CASE("a throwing decide does not touch the commands around it") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    std::vector<future<receipt>> around;
    std::vector<future<receipt>> failing;
    for (int i = 0; i < 5; ++i) {
        around.push_back(rt.send("17", add_item{"tea"}));
        failing.push_back(rt.send("17", run_inside{[] { throw std::runtime_error("no"); }}));
    }
    log->release();
    for (std::size_t i = 0; i < 5; ++i) {
        REQUIRE(around[i].get().value().version == i + 1);
        REQUIRE(said(failing[i]) == "handler_failed");
    }
    REQUIRE(said(rt.send("17", confirm_units{5})) == "nothing to do");
}

TEST_CASE("an evolve that throws on a decided event keeps it from being stored") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    const auto coming = rt.send("17", shop::add_unfoldable{});
    REQUIRE(said(coming) == "handler_failed");
    REQUIRE(mentions(coming, "cannot fold this"));
    REQUIRE(rt.journal().head() == 1);
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
}

TEST_CASE("an evolve that throws on a stored event says on which one") {
    auto rt = open_shop();
    REQUIRE(append_outside(rt.journal(), "cart-17", shop::item_added{"tea", 1}));
    REQUIRE(append_outside(rt.journal(), "cart-17", shop::unfoldable{}));
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE(said(coming) == "handler_failed");
    REQUIRE(mentions(coming, "event 2 (cart.unfoldable)"));
    REQUIRE(coming.get().error().actual == 2);
    REQUIRE(said(rt.send("18", add_item{"tea"})) == "stored");
}

TEST_CASE("an event that an aggregate cannot decode is an error with its position") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(append_outside(rt.journal(), "cart-16", shop::item_added{"tea", 1}));
    REQUIRE(append_raw(rt.journal(), "cart-17", "cart.item_added", "no msgpack"));
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE(said(coming) == "undecodable");
    REQUIRE(coming.get().error().actual == 2);
    REQUIRE(mentions(coming, "cart-17"));
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "undecodable"); // and it stays one
    REQUIRE(said(rt.send("16", confirm_units{1})) == "nothing to do");
}

TEST_CASE("an event that an aggregate does not know is an error with its position") {
    auto rt = open_shop();
    REQUIRE(append_raw(rt.journal(), "cart-17", "cart.painted", "\x80"));
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE(said(coming) == "unknown_event");
    REQUIRE(coming.get().error().actual == 1);
    REQUIRE(mentions(coming, "cart.painted"));
}

TEST_CASE("an answer that throws fails its query and the view goes on") {
    auto rt = open_shop();
    const auto written = rt.send("17", add_item{"tea"}).get().value();
    const auto coming =
        rt.ask(shop::look_inside{[] { throw std::runtime_error("what tea?"); }}, after(written));
    REQUIRE(said(coming) == "handler_failed");
    REQUIRE(mentions(coming, "what tea?"));
    REQUIRE(said(rt.ask(shop::demand_for{"tea"})) == "1");
    REQUIRE(status_of(rt, "demand").now == projection_status::state::live);
}

TEST_CASE("all commands that wait for a stream that cannot be read are answered, and later ones") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->fail_reads(error{errc::io_error, "cannot read"});
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 10; ++i)
        coming.push_back(rt.send("17", add_item{"tea"}));
    for (const auto& each : coming)
        REQUIRE(said(each) == "io_error");
    log->fail_reads(std::nullopt);
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
}
