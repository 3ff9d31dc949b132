#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// A view that cannot go on says so; the others go on.

using namespace annals;
using namespace annals::test;
using shop::add_item;

namespace {

runtime open_fragile(config with) {
    return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>, host<shop::fragile>,
                         host<shop::removals>)
        .value();
}

} // namespace

TEST_CASE("a view that throws is failed, with its reason, and the others go on") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_fragile(store.settings());
    const auto fine = rt.send("17", add_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(shop::fragile_count{}, after(fine))) == "1");

    const auto poison = rt.send("17", add_item{"poison"}).get().value();
    const auto coming = rt.ask(shop::fragile_count{}, after(poison));
    REQUIRE(said(coming) == "unavailable");
    REQUIRE(coming.get().error().actual == poison.position);
    REQUIRE(mentions(coming, "the view met poison"));
    REQUIRE(said(rt.ask(shop::fragile_count{})) == "unavailable"); // no stale answer
    const auto status = status_of(rt, "fragile");
    REQUIRE(status.now == projection_status::state::failed);
    REQUIRE(status.last_error.find("the view met poison") != std::string::npos);

    const auto later = rt.send("17", add_item{"tea"}).get().value();
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, after(later))) == "2");
    REQUIRE(status_of(rt, "demand").now == projection_status::state::live);
}

TEST_CASE("queries that wait for a view that fails are answered when it does") {
    auto rt = open_fragile(event_store(keeping::in_memory).settings());
    std::vector<future<int>> waiting;
    for (int i = 0; i < 10; ++i)
        waiting.push_back(rt.ask(shop::fragile_count{}, {100, {}}));
    REQUIRE(said(rt.send("17", add_item{"poison"})) == "stored");
    for (const auto& each : waiting)
        REQUIRE(said(each) == "unavailable");
    REQUIRE(rt.status().queries_in_flight == 0);
}

TEST_CASE("an event that a view cannot decode fails it with the event's position") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("16", add_item{"tea"})) == "stored");
    const auto broken =
        append_raw(rt.journal(), "cart-17", "cart.item_added", "no msgpack").value();
    const auto coming = rt.ask(shop::demand_for{"tea"}, {broken.position, {}});
    REQUIRE(said(coming) == "unavailable");
    REQUIRE(coming.get().error().actual == broken.position);
    REQUIRE(mentions(coming, "event 2 (cart.item_added, version 1 of cart-17)"));
    REQUIRE(status_of(rt, "demand").now == projection_status::state::failed);
    REQUIRE(status_of(rt, "demand").position == 1);
    // A view that does not want the event does not mind it.
    REQUIRE(said(rt.ask(shop::removals_so_far{}, {broken.position, {}})) == "0");
    REQUIRE(status_of(rt, "removals").now == projection_status::state::live);
}

TEST_CASE("a failed view does not keep a runtime from closing") {
    auto with = event_store(keeping::in_memory).settings();
    auto rt = open_fragile(std::move(with));
    const auto poison = rt.send("17", add_item{"poison"}).get().value();
    REQUIRE(said(rt.ask(shop::fragile_count{}, after(poison))) == "unavailable");
    REQUIRE(rt.close());
    REQUIRE(status_of(rt, "fragile").now == projection_status::state::failed);
}

TEST_CASE("the status counts what came of every request") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", add_item{"tea"}, as_command("x"))) == "stored");
    REQUIRE(said(rt.send("17", add_item{"tea"}, as_command("x"))) == "already stored");
    REQUIRE(said(rt.send("17", add_item{"tea", 0})) == "nothing to do");
    REQUIRE(said(rt.send("17", shop::remove_item{"rum"})) == "rejected: not in cart");
    REQUIRE(said(rt.send("", add_item{"tea"})) == "invalid_argument");
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, {1, {}})) == "1");
    const auto now = rt.status();
    REQUIRE(now.head == 1);
    REQUIRE(now.commands_stored == 1);
    REQUIRE(now.commands_already_stored == 1);
    REQUIRE(now.commands_nothing == 1);
    REQUIRE(now.commands_rejected == 1);
    REQUIRE(now.commands_failed == 1);
    REQUIRE(now.queries_answered == 1);
    REQUIRE(now.rehydrations == 1);
    REQUIRE(now.resident_aggregates == 1);
    REQUIRE(now.commands_in_flight + now.queries_in_flight + now.command_bytes_in_flight == 0);
    const auto demand = status_of(rt, "demand");
    REQUIRE(demand.position == 1);
    REQUIRE(demand.lag == 0);
    REQUIRE(demand.events == 1);
    REQUIRE(demand.queries == 1);
    REQUIRE(demand.last_error.empty());
}
