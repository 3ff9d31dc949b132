#include "support/runtime_verbs.hpp"
#include "support/seed.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <mutex>
#include <random>
#include <thread>

/// What operators ask of projections while what they asked before is not done yet.
namespace {

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::item_added;

struct stock_on_disk;
struct look_at_stock {
    using view = stock_on_disk;
};
struct stock_on_disk {
    static constexpr std::string_view name = "stock_on_disk";
    using event = std::variant<item_added>;
    using query = std::variant<look_at_stock>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(stock_on_disk, units)
};
void evolve(stock_on_disk& stock, const item_added& happened) {
    stock.units.change(happened.sku, [&](int& units) { units += happened.quantity; });
}
int answer(const stock_on_disk& stock, const look_at_stock&) {
    return stock.units.value_or("tea", 0);
}

/// What a reaction was given, as others see it.
struct given_events {
    std::mutex mutex;
    std::vector<std::pair<log_position, bool>> events; ///< and whether they were flagged

    std::vector<std::pair<log_position, bool>> all() {
        const std::lock_guard lock(mutex);
        return events;
    }
};
struct watcher {
    static constexpr std::string_view name = "watcher";
    using event = std::variant<item_added>;
    std::shared_ptr<given_events> given;
};
void react(watcher& to, const item_added&, const delivery& about) {
    const std::lock_guard lock(to.given->mutex);
    to.given->events.emplace_back(about.position, about.redelivered);
}

struct opened_shop {
    explicit opened_shop(config with)
        : given(std::make_shared<given_events>()),
          rt(runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                           host<stock_on_disk>,
                           host_reaction(watcher{given}, reaction_start::beginning))
                 .value()) {}
    std::shared_ptr<given_events> given;
    runtime rt;
};

void sell(runtime& rt, int times) {
    for (int i = 0; i < times; ++i)
        REQUIRE(said(rt.send("cart " + std::to_string(i % 3), add_item{"tea", 1})) == "stored");
}

} // namespace

TEST_CASE("rebuilds and resets that are asked for all at once leave what the last reset says") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    constexpr int events = 40;
    for (int round = 0; round < 10; ++round) {
        const event_store place;
        int since = 0;
        {
            opened_shop shop(place.settings());
            sell(shop.rt, events);
            // A reset forwards passes over what was not delivered before.
            REQUIRE(shop.rt.projection("watcher").reaches(events).get());
            std::vector<future<log_position>> resets;
            std::vector<future<log_position>> others;
            for (int i = 0; i < 12; ++i) {
                const bool resets_now = random() % 3 == 0;
                const auto to = random() % events;
                for (const std::string name : {"demand", "stock_on_disk", "watcher"}) {
                    const auto each = shop.rt.projection(name);
                    if (resets_now)
                        resets.push_back(each.reset(to));
                    else
                        others.push_back(each.rebuild());
                }
                if (resets_now)
                    since = static_cast<int>(to);
            }
            for (const auto& each : resets)
                REQUIRE(each.get());
            for (const auto& each : others) // the reaction's are refused
                REQUIRE((each.get() || each.get().error().code == errc::aborted ||
                         each.get().error().code == errc::invalid_argument));
            INFO("round " << round << ", since " << since);
            REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) ==
                    std::to_string(events - since));
            REQUIRE(said(shop.rt.ask(look_at_stock{}, latest())) == std::to_string(events - since));
            REQUIRE(shop.rt.projection("watcher").reaches(events).get());
            log_position delivered = 0;
            for (const auto& [position, again] : shop.given->all()) {
                REQUIRE(position <= delivered + 1);
                REQUIRE((position == delivered + 1 || again));
                delivered = std::max(delivered, position);
            }
        }
        opened_shop shop(place.settings());
        sell(shop.rt, 1);
        INFO("round " << round << ", since " << since << ", opened again");
        REQUIRE(said(shop.rt.ask(shop::demand_for{"tea"}, latest())) ==
                std::to_string(events + 1 - since));
        REQUIRE(said(shop.rt.ask(look_at_stock{}, latest())) == std::to_string(events + 1 - since));
    }
}

TEST_CASE("what a reaction is given while it is being reset is flagged when it is given again") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const event_store place;
    auto with = place.settings();
    with.limits.page_events = 1; // so that each event is begun by itself
    opened_shop shop(std::move(with));
    std::jthread customers([&rt = shop.rt](const std::stop_token& stop) {
        while (!stop.stop_requested())
            (void)rt.send("1", add_item{"tea", 1}).get();
    });
    const auto watching = shop.rt.projection("watcher");
    std::size_t resets = 0;
    for (log_position at = 0; resets < 300; ++resets) {
        if (!watching.reaches(at + 1 + random() % 3).get())
            break;
        at = watching.status().value().position;
        if (!watching.reset(at - std::min<log_position>(at, random() % 5)).get())
            break;
    }
    customers.request_stop();
    customers.join();
    REQUIRE(resets == 300);
    REQUIRE(watching.reaches(shop.rt.journal().head()).get());
    log_position delivered = 0;
    for (const auto& [position, again] : shop.given->all()) {
        REQUIRE(position <= delivered + 1);
        REQUIRE((position == delivered + 1 || again));
        delivered = std::max(delivered, position);
    }
    REQUIRE(delivered == shop.rt.journal().head());
}
