#include "support/gate.hpp"
#include "support/live_updates.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

/// Live queries of stored views: what nobody looked at is counted.

using namespace annals;
using namespace annals::test;

namespace {

struct units_on_disk;
struct units_of {
    using view = units_on_disk;
    std::string sku;
};
/// Holds up the look of the live queries.
struct units_behind_a_gate {
    using view = units_on_disk;
    gate* at = nullptr;
};
struct units_on_disk {
    static constexpr std::string_view name = "units_on_disk";
    using event = std::variant<shop::item_added>;
    using query = std::variant<units_of, units_behind_a_gate>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(units_on_disk, units)
};
void evolve(units_on_disk& view, const shop::item_added& happened) {
    view.units.change(happened.sku, [](int& units) { ++units; });
}
int answer(const units_on_disk& view, const units_of& query) {
    return view.units.value_or(query.sku, 0);
}
int answer(const units_on_disk& view, const units_behind_a_gate& query) {
    query.at->pass();
    return view.units.value_or("tea", 0);
}

/// One event is one slice, and so one change of the rows.
runtime open_one_by_one(const event_store& store) {
    auto with = store.settings();
    with.limits.page_events = 1;
    return runtime::open(std::move(with), host<shop::cart>, host<units_on_disk>).value();
}
void add_tea(runtime& rt, int times) {
    for (int i = 0; i != times; ++i)
        REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
}
log_position seen_or_counted(const std::vector<live_update<int>>& updates) {
    log_position sum = updates.front().answer.position();
    for (std::size_t i = 1; i != updates.size(); ++i)
        sum += 1 + updates[i].skipped;
    return sum;
}
live_options every_change() {
    return {.buffer = 100'000};
}

} // namespace

TEST_CASE("a live query of a stored view gives each change or counts it as skipped") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    constexpr int times = 400;
    auto rt = open_one_by_one(store);
    add_tea(rt, 1);
    const live_updates<int> seen;
    const live_updates<int> from_later;
    const auto watching = rt.watch(units_of{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    add_tea(rt, times / 2);
    const auto later = rt.watch(units_of{"tea"}, from_later.collect(), every_change());
    add_tea(rt, times / 2);
    for (const auto& each : {seen, from_later}) {
        REQUIRE(each.until([](const auto& all) {
            return !all.empty() && all.back().answer.value() == times + 1;
        }));
        const auto all = each.all();
        CHECK(seen_or_counted(all) == times + 1);
        for (std::size_t i = 1; i != all.size(); ++i) {
            REQUIRE(static_cast<log_position>(all[i].answer.value()) == all[i].answer.position());
            REQUIRE(all[i].skipped + 1 == all[i].answer.position() - all[i - 1].answer.position());
        }
    }
}

TEST_CASE("changes of a stored view while nobody could look are all counted") {
    auto rt = open_one_by_one(event_store(keeping::in_memory));
    gate closed;
    const live_updates<int> seen;
    const live_updates<int> held_up;
    const auto watching = rt.watch(units_of{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.reaches(1));
    const auto holding = rt.watch(units_behind_a_gate{&closed}, held_up.collect());
    REQUIRE(closed.reached());
    add_tea(rt, 10);
    REQUIRE(rt.projection("units_on_disk").reaches(10).get());
    closed.open();
    REQUIRE(seen.until([](const auto& all) { return all.back().answer.value() == 10; }));
    CHECK(said(seen) == "0, 10 (9 skipped)");
    add_tea(rt, 1);
    REQUIRE(seen.until([](const auto& all) { return all.back().answer.value() == 11; }));
    CHECK(seen.all().back().skipped == 0);
}

TEST_CASE("what a rebuild of a stored view puts in its place is not taken for skipped changes") {
    const event_store store;
    auto rt = open_one_by_one(store);
    add_tea(rt, 20);
    const live_updates<int> seen;
    const auto watching = rt.watch(units_of{"tea"}, seen.collect(), every_change());
    REQUIRE(seen.until(
        [](const auto& all) { return !all.empty() && all.back().answer.value() == 20; }));
    REQUIRE(rt.projection("units_on_disk").rebuild().get());
    for (int i = 1; i <= 3; ++i) {
        add_tea(rt, 1);
        REQUIRE(seen.until([&](const auto& all) { return all.back().answer.value() == 20 + i; }));
        CHECK(seen.all().back().skipped == 0);
    }
}
