#include "support/holding_journal.hpp"
#include "support/journal_verbs.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <thread>

/// What a host gets for a command: a receipt, a rejection, or nothing to do.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::confirm_units;
using shop::remove_item;

TEST_CASE("a receipt says where the command's events are") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());

    const receipt first = rt.send("17", add_item{"tea", 2}, as_command("first")).get().value();
    REQUIRE(first.what == receipt::kind::stored);
    REQUIRE(first.position == 1);
    REQUIRE(first.version == 1);
    REQUIRE(first.command_id == uuid::of_name("first"));

    const receipt other = rt.send("18", add_items{{"tea", "milk", "rum"}}).get().value();
    REQUIRE(other.position == 4);
    REQUIRE(other.version == 3);
    REQUIRE_FALSE(other.command_id.is_nil());

    const receipt second = rt.send("17", remove_item{"tea"}).get().value();
    REQUIRE(second.position == 5);
    REQUIRE(second.version == 2);
    REQUIRE(read_upwards(rt.journal(), "cart-17").at(1).command_id == second.command_id);
}

TEST_CASE("what a receipt was given for is there when the store is opened again") {
    const event_store store;
    {
        auto rt = open_shop(store.settings());
        REQUIRE(said(rt.send("17", add_item{"tea", 2})) == "stored");
        REQUIRE(said(rt.send("17", add_item{"rum", 1})) == "stored");
        REQUIRE(rt.close());
    }
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", confirm_units{3})) == "nothing to do");
    REQUIRE(rt.send("17", remove_item{"tea"}).get().value().version == 3);
}

TEST_CASE("an event is readable when its receipt arrives") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    for (int i = 1; i <= 50; ++i) {
        const auto written = rt.send("17", add_item{"tea"}).get().value();
        REQUIRE(rt.journal().head() >= written.position);
        REQUIRE(stored_cart(rt.journal(), "17").units() == i);
    }
}

TEST_CASE("a receipt comes only when the events are stored") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    const auto coming = rt.send("17", add_item{"tea"});
    REQUIRE(log->holds(1));
    REQUIRE_FALSE(coming.is_ready());
    log->release();
    REQUIRE(said(coming) == "stored");
}

TEST_CASE("an aggregate decides its next command without waiting for the disk") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 100; ++i)
        coming.push_back(rt.send("17", add_item{"tea"}));
    REQUIRE(log->holds(100)); // all of them decided, none stored
    log->release();
    for (std::size_t i = 0; i < coming.size(); ++i)
        REQUIRE(coming[i].get().value().version == i + 1);
    REQUIRE(stored_cart(rt.journal(), "17").units() == 100);
}

TEST_CASE("the domain's rejection arrives with its code and its sentence, and stores nothing") {
    auto rt = open_shop();
    const auto answer = rt.send("17", remove_item{"tea"}).get();
    REQUIRE(answer.is_rejected());
    REQUIRE(answer.rejection().code == "not in cart");
    REQUIRE(answer.rejection().message == "there is no tea in the cart");
    REQUIRE(rt.journal().head() == 0);
}

TEST_CASE("a command with nothing to do says on what state that was decided") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("18", add_item{"rum"})) == "stored");
    const auto before = rt.send("17", add_item{"tea"}).get().value();
    REQUIRE(said(rt.send("18", add_item{"rum"})) == "stored");

    const auto none = rt.send("17", add_item{"tea", 0}, as_command("none")).get().value();
    REQUIRE(none.what == receipt::kind::nothing_to_do);
    REQUIRE(none.version == before.version);
    REQUIRE(none.position == before.position);
    REQUIRE(none.command_id == uuid::of_name("none"));
    const auto fresh = rt.send("new", add_item{"tea", 0}).get().value();
    REQUIRE(fresh.version == 0);
    REQUIRE(fresh.position == 0);
    REQUIRE(rt.journal().head() == 3);
}

TEST_CASE("commands of one thread to one aggregate are decided in their order") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    std::vector<std::jthread> hosts;
    for (int host = 0; host < 4; ++host)
        hosts.emplace_back([&rt, host] {
            for (int i = 0; i < 200; ++i)
                (void)rt.send("17", add_item{std::to_string(host), i + 1});
        });
    for (auto& each : hosts)
        each.join();
    REQUIRE(said(rt.send("17", confirm_units{4 * 200 * 201 / 2})) == "nothing to do");

    std::map<std::string, int> last;
    stream_version version = 0;
    bool in_order = true;
    const auto page = rt.journal().read_stream("cart-17", 1, 1'000).value();
    for (const auto& event : page.events) {
        const auto added = from_bytes<shop::item_added>(event.payload).value();
        in_order = in_order && added.quantity == ++last[added.sku] && event.version == ++version;
    }
    REQUIRE(in_order);
    REQUIRE(version == 800);
}

TEST_CASE("a command chosen at run time goes the same way") {
    auto rt = open_shop();
    shop::cart::command chosen = add_item{"tea", 2};
    REQUIRE(said(rt.send("17", chosen)) == "stored");
    chosen = remove_item{"rum"};
    REQUIRE(said(rt.send("17", chosen)) == "rejected: not in cart");
}

TEST_CASE("an answer nobody waits for does not keep the command from being stored") {
    auto rt = open_shop();
    (void)rt.send("17", add_item{"tea"});
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
}

TEST_CASE("a command's metadata is found beside its events") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    const auto clock = std::make_shared<manual_clock>();
    with.clock = clock;
    auto rt = open_shop(std::move(with));
    auto options = as_command("order 1");
    options.about.actor = "alice";
    options.about.correlation_id = uuid::of_name("visit");
    options.about.extra = {{"till", "3"}};
    REQUIRE(said(rt.send("17", add_item{"tea"}, options)) == "stored");

    const auto page = rt.journal().read_stream("cart-17", 1, 10).value();
    const auto about = page.events.at(0).read_metadata().value();
    REQUIRE(page.events[0].command_named);
    REQUIRE(about.command_id == uuid::of_name("order 1"));
    REQUIRE(about.correlation_id == uuid::of_name("visit"));
    REQUIRE(about.actor == "alice");
    REQUIRE(about.extra == options.about.extra);
    REQUIRE(about.time == clock->wall_time());
}

TEST_CASE("a history longer than many pages is read back whole") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    with.limits.page_events = 7;
    const auto clock = std::make_shared<manual_clock>();
    with.clock = clock;
    with.limits.idle_timeout = std::chrono::minutes(1);
    auto rt = open_shop(std::move(with));
    for (int i = 0; i < 20; ++i)
        (void)rt.send("17", add_items{{"a", "b", "c", "d", "e"}});
    REQUIRE(said(rt.send("17", confirm_units{100})) == "nothing to do");
    const auto before = rt.status().passivations;
    clock->advance(std::chrono::minutes(5));
    REQUIRE(eventually(rt, [&] { return rt.status().passivations > before; }));
    REQUIRE(said(rt.send("17", confirm_units{100})) == "nothing to do");
    REQUIRE(rt.send("17", add_item{"f"}).get().value().version == 101);
}
