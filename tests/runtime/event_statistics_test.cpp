#include "annals/event_statistics.hpp"
#include "support/runtime_verbs.hpp"
#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <random>

/// How often what happens, asked of a whole runtime: of its events and of its queries.

using namespace annals;
using namespace annals::test;
using namespace std::chrono_literals;
using shop::add_item;
using shop::remove_item;

namespace {

runtime open_counted_shop(config with, const hosted& statistics = host<event_statistics>) {
    return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>, statistics).value();
}
send_options at(timestamp time) {
    send_options options;
    options.about.time = time;
    return options;
}
outcome<rate_statistics> ask_rates(runtime& rt, event_rates query = {}) {
    return rt.ask(std::move(query), latest()).get();
}
constexpr timestamp noon = std::chrono::sys_days(std::chrono::year(2010) / 12 / 1) + 12h;

} // namespace

TEST_CASE("the rates of events are asked of the whole log, of a category, and of one stream") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_counted_shop(store.settings());
    for (int i = 0; i != 30; ++i)
        REQUIRE(said(rt.send(std::to_string(i % 3), add_item{"tea"}, at(noon + i * 2s))) ==
                "stored");
    REQUIRE(said(rt.send("0", remove_item{"tea"}, at(noon + 59s))) == "stored");

    const auto all = ask_rates(rt).value();
    CHECK(all.count == 31);
    CHECK(all.seconds == 60);
    REQUIRE(all.types.size() == 2);
    CHECK(all.types[0].type == "cart.item_added");
    CHECK(all.types[0].per_minute == 30);
    CHECK(all.types[1].per_minute == 1);
    CHECK(all.mean_per_minute == Approx(15.5));
    CHECK(all.variance == Approx(14.5 * 14.5));
    CHECK(ask_rates(rt, {"cart"}).value() == all);
    CHECK(ask_rates(rt, {"order"}).value().count == 0);
    CHECK(stream_event_rates(rt.journal(), "cart-1").value().count == 10);
    CHECK(ask_rates(rt, {{}, time_window::last(0s)}).is_rejected());
}

TEST_CASE("statistics of events are saved, published and watched like any view") {
    const event_store store;
    const hosted statistics = host_published<event_statistics>({.save_every = 10});
    {
        auto rt = open_counted_shop(store.settings(), statistics);
        for (int i = 0; i != 25; ++i)
            REQUIRE(said(rt.send("1", add_item{"tea"}, at(noon))) == "stored");
        REQUIRE(ask_rates(rt).value().count == 25); // it has seen them before it is closed
        REQUIRE(rt.close());
    }
    auto rt = open_counted_shop(store.settings(), statistics);
    CHECK(ask_rates(rt).value().count == 25);
    CHECK(status_of(rt, "event_statistics").events == 0); // all of them from the copy
    auto reader = rt.reader<event_statistics>().value();
    CHECK(eventually(rt, [&] { return reader.read()->rates({}, {}).value().count == 25; }));
}

TEST_CASE("the statistics agree with a recount of the journal") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const event_store store(keeping::in_memory);
    auto rt = open_counted_shop(store.settings());
    for (int i = 0; i != 500; ++i) {
        const auto time = at(noon + std::chrono::seconds(random() % 600));
        const auto id = std::to_string(random() % 5);
        if (random() % 4 == 0)
            (void)rt.send(id, remove_item{"tea"}, time); // refused if there is none
        else
            (void)rt.send(id, add_item{"tea"}, time);
    }
    REQUIRE(said(rt.send("0", add_item{"tea"}, at(noon))) == "stored");
    REQUIRE(eventually(rt, [&] { return rt.status().commands_in_flight == 0; }));

    const auto begin = noon + std::chrono::seconds(random() % 300);
    const auto end = begin + std::chrono::seconds(1 + random() % 300);
    std::vector<std::pair<std::string, std::uint64_t>> recount;
    const auto page = rt.journal().read_all(0, 10'000).value();
    for (const auto& each : page.events)
        if (each.time >= begin && each.time < end)
            recount.emplace_back(each.type, 1);
    CHECK(ask_rates(rt, {{}, time_window::between(begin, end)}).value() ==
          statistics_of(recount, std::chrono::duration<double>(end - begin).count()));
}

TEST_CASE("query rates of 20 and 10 per minute have mean 15 and variance 25") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    auto rt = open_counted_shop(std::move(with));
    for (int i = 0; i != 20; ++i) {
        REQUIRE(said(rt.ask(shop::demand_for{"tea"})) == "0");
        if (i % 2 == 0)
            REQUIRE(said(rt.ask(shop::look_inside{})) == "0");
        clock->advance(3s);
    }
    const auto found = rt.query_statistics(1min);
    REQUIRE(found.types.size() == 2);
    CHECK(found.types[0].type == "shop::demand_for");
    CHECK(found.types[0].count == 20);
    CHECK(found.types[0].share == Approx(2.0 / 3));
    CHECK(found.types[0].per_minute == 20);
    CHECK(found.types[1].type == "shop::look_inside");
    CHECK(found.types[1].per_minute == 10);
    CHECK(found.mean_per_minute == Approx(15));
    CHECK(found.variance == Approx(25));
    clock->advance(1min);
    CHECK(rt.query_statistics(1min).types.empty());
    CHECK(rt.query_statistics(2min).mean_per_minute == Approx(7.5));
}
