#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// Every command has an id from the beginning. An error tells it, and with it the command may be sent
/// again without taking effect twice, whether or not the caller chose it.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::run_inside;
using namespace std::chrono_literals;

namespace {

struct watched_shop {
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    runtime rt;

    watched_shop() : watched_shop([](auto&) {}) {}
    explicit watched_shop(const std::function<void(engine_limits&)>& set) : rt(open(set)) {}
    runtime open(const std::function<void(engine_limits&)>& set) const {
        auto with = event_store(keeping::in_memory).settings();
        with.clock = clock;
        with.journal = log;
        set(with.limits);
        return open_shop(std::move(with));
    }
};

send_options with_id(const uuid& id) {
    send_options options;
    options.about.command_id = id;
    return options;
}

uuid id_in(const future<receipt>& coming) {
    const auto answer = coming.get();
    return answer.is_error() ? answer.error().command_id : uuid{};
}

} // namespace

TEST_CASE("an error tells the id of its command, chosen or not") {
    watched_shop shop([](auto& limits) { limits.max_commands_in_flight = 2; });
    const auto check = [&](const std::string& expected, auto send) {
        CAPTURE(expected);
        const auto unnamed = send(send_options{});
        REQUIRE(said(unnamed) == expected);
        REQUIRE_FALSE(id_in(unnamed).is_nil());
        const auto named = send(as_command("chosen"));
        REQUIRE(said(named) == expected);
        REQUIRE(id_in(named) == uuid::of_name("chosen"));
    };
    check("invalid_argument", [&](auto options) { return shop.rt.send("", add_item{}, options); });
    check("handler_failed",
          [&](auto options) { return shop.rt.send("17", run_inside{[] { throw 17; }}, options); });
    check("disk_full", [&](auto options) {
        shop.log->fail_next(errc::disk_full);
        return shop.rt.send("17", add_item{"tea"}, options);
    });
    shop.log->hold();
    const auto held = shop.rt.send("17", add_item{"tea"}, within(5s));
    const auto more = shop.rt.send("18", add_item{"tea"}, within(5s));
    check("overloaded", [&](auto options) { return shop.rt.send("19", add_item{}, options); });
    REQUIRE(shop.log->holds(2));
    shop.clock->advance(6s);
    REQUIRE(said(shop.rt.send("20", add_item{}, within(-1h))) == "overloaded");
    shop.log->release();
    (void)held.get();
    (void)more.get();
    (void)shop.rt.close();
    check("closed", [&](auto options) { return shop.rt.send("17", add_item{}, options); });
}

TEST_CASE(
    "a command of unknown outcome is stored once, if it is sent again with the id it was given") {
    watched_shop shop;
    const bool among_others = GENERATE(false, true);
    if (among_others)
        REQUIRE(said(shop.rt.send("17", add_items{{"rum", "milk"}})) == "stored");
    shop.log->hold();
    const auto first = shop.rt.send("17", add_item{"tea"}, within(5s));
    REQUIRE(shop.log->holds(1));
    let_pass(6s, *shop.clock, shop.rt);
    REQUIRE(said(first) == "outcome_unknown");
    const uuid id = id_in(first);
    const auto early = shop.rt.send("17", add_item{"tea"}, with_id(id)); // while it is on its way
    const auto behind = shop.rt.send("17", add_item{"gin"});
    // Others are read from the log meanwhile: there is time enough to look for the id too early.
    for (int other = 0; other != 50; ++other)
        REQUIRE(said(shop.rt.send("other-" + std::to_string(other), shop::confirm_units{0})) ==
                "nothing to do");
    shop.log->release();
    REQUIRE(said(early) == "already stored");
    REQUIRE(said(behind) == "stored");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, with_id(id))) == "already stored");
    REQUIRE(stored_cart(*shop.log, "17").items.at("tea") == 1);
    REQUIRE(shop.rt.status().rehydrations == 50 + 2); // with the one that looked at the clock
}

TEST_CASE("a command that was not stored is decided anew with the id it was given") {
    watched_shop shop;
    REQUIRE(said(shop.rt.send("17", add_item{"rum"})) == "stored");
    shop.log->fail_next(errc::disk_full);
    const auto first = shop.rt.send("17", add_item{"tea"});
    REQUIRE(said(first) == "disk_full");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, with_id(id_in(first)))) == "stored");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, with_id(id_in(first)))) == "already stored");
    REQUIRE(stored_cart(*shop.log, "17").units() == 2);
}

TEST_CASE("ids that annals gave are known after a restart, and after the aggregate left memory") {
    const event_store store;
    std::vector<receipt> firsts;
    {
        auto rt = open_shop(store.settings());
        for (int i = 0; i < 50; ++i)
            firsts.push_back(rt.send("17", add_item{"tea"}).get().value());
    }
    const bool in_memory_first = GENERATE(false, true);
    auto rt = open_shop(store.settings());
    if (in_memory_first) // read by a command without a name, which is stored as well
        firsts.push_back(rt.send("17", add_item{"tea"}).get().value());
    bool same = true;
    for (const auto& first : firsts) {
        const auto again = rt.send("17", add_item{"tea"}, with_id(first.command_id)).get().value();
        same = same && again.what == receipt::kind::already_stored &&
               again.position == first.position && again.version == first.version;
    }
    REQUIRE(same);
    REQUIRE(rt.journal().head() == firsts.size());
    REQUIRE(rt.status().rehydrations == 1);
}

TEST_CASE("so many ids that annals gave are known, and no more") {
    watched_shop shop([](auto& limits) { limits.remembered_commands = 3; });
    std::vector<uuid> ids;
    for (const auto* sku : {"a", "b", "c", "d"})
        ids.push_back(shop.rt.send("17", add_item{sku}).get().value().command_id);
    REQUIRE(said(shop.rt.send("17", add_item{"b"}, with_id(ids[1]))) == "already stored");
    REQUIRE(said(shop.rt.send("17", add_item{"d"}, with_id(ids[3]))) == "already stored");
    REQUIRE(said(shop.rt.send("17", add_item{"a"}, with_id(ids[0]))) == "stored");
    REQUIRE(stored_cart(*shop.log, "17").units() == 5);
}

TEST_CASE("when the ids that annals gave cannot be read, only named commands fail for it") {
    watched_shop shop;
    REQUIRE(said(shop.rt.send("17", add_item{"tea"})) == "stored");
    shop.log->fail_reads(error{errc::io_error, "cannot read"});
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, as_command("order"))) == "io_error");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"})) == "stored");
    shop.log->fail_reads(std::nullopt);
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, as_command("order"))) == "stored");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"}, as_command("order"))) == "already stored");
    REQUIRE(stored_cart(*shop.log, "17").units() == 3);
}
