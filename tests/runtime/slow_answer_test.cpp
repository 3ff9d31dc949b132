#include "annals/stored_map.hpp"
#include "support/gate.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// Answers of stored views may take long. They hold up nothing but such answers.

using namespace annals;
using namespace annals::test;
using shop::add_item;

namespace {

std::unique_ptr<gate>& door() {
    static std::unique_ptr<gate> only;
    return only;
}

struct slow_stock;
struct look_slowly {
    using view = slow_stock;
};
struct look {
    using view = slow_stock;
};
struct slow_stock {
    static constexpr std::string_view name = "slow_stock";
    using event = std::variant<shop::item_added>;
    using query = std::variant<look_slowly, look>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(slow_stock, units)
};
void evolve(slow_stock& stock, const shop::item_added& happened) {
    stock.units.change(happened.sku, [&](int& units) { units += happened.quantity; });
}
int answer(const slow_stock& stock, const look_slowly&) {
    const int before = stock.units.value_or("tea", 0);
    door()->pass();
    return stock.units.value_or("tea", 0) == before ? before : -1; // one snapshot all along
}
int answer(const slow_stock& stock, const look&) {
    return stock.units.value_or("tea", 0);
}

} // namespace

TEST_CASE("answers of a stored view that take long keep no projection from reading on") {
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    door() = std::make_unique<gate>();
    auto with = place.settings();
    with.feed_threads = 1;
    with.answer_threads = 2;
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<shop::demand>, host<slow_stock>)
                  .value();
    REQUIRE(said(rt.send("1", add_item{"tea", 1})) == "stored");
    REQUIRE(rt.projection("slow_stock").reaches(1).get());
    const auto slow = rt.ask(look_slowly{});
    const auto slower = rt.ask(look_slowly{});
    REQUIRE(door()->reached(2));
    for (int i = 0; i < 50; ++i)
        REQUIRE(said(rt.send("2", add_item{"tea", 1})) == "stored");
    REQUIRE(rt.projection("slow_stock").reaches(51).get());
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, latest())) == "51");
    const auto behind_them = rt.ask(look{});
    door()->open();
    REQUIRE(said(slow) == "1");
    REQUIRE(said(slower) == "1");
    REQUIRE(said(behind_them) == "51");
}

TEST_CASE(
    "a question that is late because answers take long says so, not that the view is behind") {
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    door() = std::make_unique<gate>();
    auto with = place.settings();
    with.answer_threads = 1;
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<slow_stock>).value();
    REQUIRE(said(rt.send("1", add_item{"tea", 1})) == "stored");
    REQUIRE(rt.projection("slow_stock").reaches(1).get());
    const auto slow = rt.ask(look_slowly{});
    REQUIRE(door()->reached());
    const auto coming = rt.ask(look{}, {2, std::chrono::seconds(1), {}}); // waits for the view
    REQUIRE(said(rt.send("1", add_item{"tea", 1})) == "stored");
    REQUIRE(rt.projection("slow_stock").reaches(2).get());
    const auto late = coming.get();
    door()->open();
    REQUIRE(late.is_error());
    CHECK(late.error().code == errc::deadline_exceeded);
    CHECK(late.error().message.find("did not reach") == std::string::npos);
    REQUIRE(said(slow) == "1");
}
