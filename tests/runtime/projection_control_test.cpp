#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <mutex>

/// What operators do with projections: pausing, resuming, rebuilding, resetting; of all three kinds.
namespace {

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::item_added;

struct stock_on_disk;
struct stock_of {
    using view = stock_on_disk;
    std::string sku;
};
struct skus_in_stock {
    using view = stock_on_disk;
};
/// How much of each item was ever added, on disk.
struct stock_on_disk {
    static constexpr std::string_view name = "stock_on_disk";
    using event = std::variant<item_added>;
    using query = std::variant<stock_of, skus_in_stock>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(stock_on_disk, units)
};
void evolve(stock_on_disk& stock, const item_added& happened) {
    stock.units.change(happened.sku, [&](int& units) { units += happened.quantity; });
}
int answer(const stock_on_disk& stock, const stock_of& query) {
    return stock.units.value_or(query.sku, 0);
}
int answer(const stock_on_disk& stock, const skus_in_stock&) {
    int count = 0;
    for ([[maybe_unused]] const auto& row : stock.units.all())
        ++count;
    return count;
}

/// What a reaction was given, as others see it.
struct seen_events {
    std::mutex mutex;
    std::vector<log_position> first;
    std::vector<log_position> again;
};
struct watcher {
    static constexpr std::string_view name = "watcher";
    using event = std::variant<item_added>;
    std::shared_ptr<seen_events> seen;
};
void react(watcher& to, const item_added&, const delivery& about) {
    const std::lock_guard lock(to.seen->mutex);
    (about.redelivered ? to.seen->again : to.seen->first).push_back(about.position);
}

std::vector<log_position> up_to(log_position last) {
    std::vector<log_position> all;
    for (log_position each = 1; each <= last; ++each)
        all.push_back(each);
    return all;
}

struct opened_shop {
    explicit opened_shop(const event_store& in, reaction_start from = reaction_start::beginning)
        : seen(std::make_shared<seen_events>()),
          rt(runtime::open(in.settings(), host<shop::cart>, host<shop::demand>, host<stock_on_disk>,
                           host_reaction(watcher{seen}, from))
                 .value()) {}
    std::shared_ptr<seen_events> seen;
    runtime rt;
};

void sell(runtime& rt, int times) {
    for (int i = 0; i < times; ++i)
        REQUIRE(said(rt.send("cart " + std::to_string(i % 3), add_item{"tea", 2})) == "stored");
}
send_options for_all() {
    send_options options;
    options.wait_for = {"demand", "stock_on_disk", "watcher"};
    return options;
}

} // namespace

TEST_CASE("send waits for the projections it names, of every kind") {
    const event_store place;
    opened_shop shop(place);
    const auto written = shop.rt.send("1", add_item{"tea", 2}, for_all()).get().value();
    REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"})) == "2");
    REQUIRE(said(shop.rt.ask(stock_of{"tea"})) == "2");
    REQUIRE(shop.seen->first == up_to(written.position));
    REQUIRE(shop.seen->again.empty());
}

TEST_CASE("send names the projections that there are when it is to wait for another") {
    const event_store place(keeping::in_memory);
    opened_shop shop(place);
    send_options options;
    options.wait_for = {"dmeand"};
    const auto answer = shop.rt.send("1", add_item{"tea"}, options);
    REQUIRE(said(answer) == "invalid_argument");
    REQUIRE(mentions(answer, "demand, removals") == false);
    REQUIRE(mentions(answer, "There are: demand, stock_on_disk, watcher"));
    REQUIRE(shop.rt.journal().head() == 0);
}

TEST_CASE("every answer says which position it reflects") {
    const event_store place;
    opened_shop shop(place);
    const auto written = shop.rt.send("1", add_item{"tea", 2}, for_all()).get().value();
    REQUIRE(shop.rt.ask(shop::demand_for{"tea"}, after(written)).get().position() ==
            written.position);
    REQUIRE(shop.rt.ask(stock_of{"tea"}, after(written)).get().position() == written.position);
}

TEST_CASE("a stored view goes on where it was after opening again") {
    const event_store place;
    {
        opened_shop shop(place);
        sell(shop.rt, 10);
        REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "20");
    }
    opened_shop shop(place);
    REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "20");
    REQUIRE(status_of(shop.rt, "stock_on_disk").events == 0);
    sell(shop.rt, 1);
    REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "22");
    REQUIRE(said(shop.rt.ask(skus_in_stock{}, latest())) == "1");
}

TEST_CASE("a reaction is given each event once across orderly closings") {
    const event_store place;
    {
        opened_shop shop(place);
        sell(shop.rt, 5);
        REQUIRE(shop.rt.projection("watcher").reaches(5).get());
        REQUIRE(shop.seen->first == up_to(5));
    }
    opened_shop shop(place);
    sell(shop.rt, 1);
    REQUIRE(shop.rt.projection("watcher").reaches(6).get());
    REQUIRE(shop.seen->first == std::vector<log_position>{6});
    REQUIRE(shop.seen->again.empty());
}

TEST_CASE("a reaction from now on is given nothing of what was before") {
    const event_store place;
    {
        auto rt = open_shop(place.settings());
        sell(rt, 5);
    }
    {
        opened_shop shop(place, reaction_start::now);
        sell(shop.rt, 2);
        REQUIRE(shop.rt.projection("watcher").reaches(7).get());
        REQUIRE(shop.seen->first == std::vector<log_position>{6, 7});
    }
    { // nobody reacts
        auto rt = open_shop(place.settings());
        sell(rt, 1);
    }
    opened_shop shop(place, reaction_start::now); // not the first time: from its checkpoint
    REQUIRE(shop.rt.projection("watcher").reaches(8).get());
    REQUIRE(shop.seen->first == std::vector<log_position>{8});
}

TEST_CASE("a paused projection takes nothing, also after opening again, until it is resumed") {
    const auto name = GENERATE(as<std::string>{}, "demand", "stock_on_disk", "watcher");
    CAPTURE(name);
    const event_store place;
    {
        opened_shop shop(place);
        sell(shop.rt, 3);
        REQUIRE(shop.rt.projection(name).reaches(3).get());
        REQUIRE(shop.rt.projection(name).pause().get().value() == 3);
        sell(shop.rt, 3);
        REQUIRE(status_of(shop.rt, name).now == projection_status::state::paused);
        REQUIRE(status_of(shop.rt, name).position == 3);
        REQUIRE(status_of(shop.rt, name).lag == 3);
    }
    opened_shop shop(place);
    REQUIRE(status_of(shop.rt, name).now == projection_status::state::paused);
    REQUIRE(shop.rt.projection(name).resume().get());
    REQUIRE(shop.rt.projection(name).reaches(6).get());
    REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) == "12");
    REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "12");
}

TEST_CASE("a view is rebuilt while it goes on answering") {
    const event_store place;
    opened_shop shop(place);
    sell(shop.rt, 20);
    const auto name = GENERATE(as<std::string>{}, "demand", "stock_on_disk");
    CAPTURE(name);
    const auto rebuilt = shop.rt.projection(name).rebuild();
    sell(shop.rt, 20);
    const auto at = rebuilt.get();
    REQUIRE(at);
    REQUIRE(at.value() >= 20);
    sell(shop.rt, 1);
    REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) == "82");
    REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "82");
    REQUIRE_FALSE(status_of(shop.rt, name).rebuilding);
    REQUIRE(shop.rt.projection("watcher").reaches(41).get());
    REQUIRE(shop.seen->first == up_to(41)); // nothing is done again
    REQUIRE(shop.seen->again.empty());
}

TEST_CASE("a reaction has nothing to rebuild, and says what to do instead") {
    const event_store place(keeping::in_memory);
    opened_shop shop(place);
    const auto answer = shop.rt.projection("watcher").rebuild().get();
    REQUIRE(answer.is_error());
    REQUIRE(answer.error().code == errc::invalid_argument);
    REQUIRE(answer.error().message.find("reset it") != std::string::npos);
}

TEST_CASE("a reaction that is reset is given events again, and told so") {
    const event_store place;
    opened_shop shop(place);
    sell(shop.rt, 6);
    REQUIRE(shop.rt.projection("watcher").reaches(6).get());
    REQUIRE(shop.rt.projection("watcher").reset(4).get().value() == 4);
    REQUIRE(shop.rt.projection("watcher").reaches(6).get());
    sell(shop.rt, 1);
    REQUIRE(shop.rt.projection("watcher").reaches(7).get());
    REQUIRE(shop.seen->first == up_to(7));
    REQUIRE(shop.seen->again == std::vector<log_position>{5, 6});
}

TEST_CASE("a view that is reset to a position reflects what comes after it, also after opening") {
    const event_store place;
    {
        opened_shop shop(place);
        sell(shop.rt, 6);
        REQUIRE(shop.rt.projection("demand").reset(4).get());
        REQUIRE(shop.rt.projection("stock_on_disk").reset(4).get());
        REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) == "4");
        REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "4");
    }
    opened_shop shop(place);
    REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) == "4");
    REQUIRE(said(shop.rt.ask(stock_of{"tea"}, latest())) == "4");
    REQUIRE(shop.rt.projection("demand").reset().get());
    REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) == "12");
}

TEST_CASE("a projection is not reset to where the log has not been") {
    const event_store place(keeping::in_memory);
    opened_shop shop(place);
    REQUIRE(shop.rt.projection("demand").reset(4).get().error().code == errc::invalid_argument);
}
