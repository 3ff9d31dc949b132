#pragma once

// Part of contract/journal_contract.hpp: reading streams and the log.

#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace annals::test {

/// Five events of "cart-1" at positions 1, 3, 5, 7, 9, between those of "order-1".
inline void store_two_streams(journal& to) {
    for (int i = 1; i <= 5; ++i) {
        (void)append_one(to, commit_of("c" + std::to_string(i), "cart-1", expected_version::any(),
                                       {i % 2 ? "cart.item_added" : "cart.item_removed"}));
        (void)append_one(to, commit_of("o" + std::to_string(i), "order-1", expected_version::any(),
                                       {"order.changed"}));
    }
}

ANNALS_JOURNAL_PROMISE("an empty journal reads as empty") {
    journal_under_test store;
    const auto journal = store.open();
    REQUIRE(journal->head() == 0);
    const auto log = journal->read_all(0, 10).value();
    REQUIRE(log.events.empty());
    REQUIRE(log.at_end);
    REQUIRE(log.through == 0);
    for (const auto way : {direction::forward, direction::backward}) {
        const auto stream = journal->read_stream("cart-1", 1, 10, way).value();
        REQUIRE(stream.events.empty());
        REQUIRE(stream.at_end);
    }
}

ANNALS_JOURNAL_PROMISE("a stream is read upwards from any version") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    using versions = std::vector<stream_version>;
    const auto upwards = [&](stream_version from, std::size_t max) {
        return journal->read_stream("cart-1", from, max).value();
    };
    REQUIRE(versions_of(upwards(0, 10).events) == versions{1, 2, 3, 4, 5});
    REQUIRE(versions_of(upwards(1, 10).events) == versions{1, 2, 3, 4, 5});
    REQUIRE(versions_of(upwards(4, 10).events) == versions{4, 5});
    REQUIRE(versions_of(upwards(5, 10).events) == versions{5});
    REQUIRE(upwards(6, 10).events.empty());
    REQUIRE(upwards(6, 10).at_end);
    REQUIRE(upwards(std::numeric_limits<stream_version>::max(), 10).events.empty());
}

ANNALS_JOURNAL_PROMISE("a stream is read downwards from any version") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    using versions = std::vector<stream_version>;
    const auto downwards = [&](stream_version from, std::size_t max) {
        return journal->read_stream("cart-1", from, max, direction::backward).value();
    };
    REQUIRE(versions_of(downwards(5, 10).events) == versions{5, 4, 3, 2, 1});
    REQUIRE(versions_of(downwards(6, 10).events) == versions{5, 4, 3, 2, 1});
    REQUIRE(versions_of(downwards(std::numeric_limits<stream_version>::max(), 2).events) ==
            versions{5, 4});
    REQUIRE(versions_of(downwards(2, 10).events) == versions{2, 1});
    REQUIRE(versions_of(downwards(1, 10).events) == versions{1});
    REQUIRE(downwards(0, 10).events.empty());
    REQUIRE(downwards(0, 10).at_end);
}

ANNALS_JOURNAL_PROMISE("a page of a stream holds no more than was asked for") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    const auto middle = journal->read_stream("cart-1", 2, 2).value();
    REQUIRE(versions_of(middle.events) == std::vector<stream_version>{2, 3});
    REQUIRE_FALSE(middle.at_end);
    REQUIRE(middle.through == 5);
    const auto last = journal->read_stream("cart-1", 4, 2).value();
    REQUIRE(versions_of(last.events) == std::vector<stream_version>{4, 5});
    REQUIRE(last.at_end);
    const auto down = journal->read_stream("cart-1", 4, 3, direction::backward).value();
    REQUIRE(versions_of(down.events) == std::vector<stream_version>{4, 3, 2});
    REQUIRE_FALSE(down.at_end);
    REQUIRE(journal->read_stream("cart-1", 2, 1, direction::backward).value().at_end == false);
    REQUIRE(journal->read_stream("cart-1", 1, 1, direction::backward).value().at_end);
    REQUIRE(journal->read_stream("cart-1", 1, 0).value().events.empty());
}

ANNALS_JOURNAL_PROMISE("a stream is not mistaken for one whose name begins alike") {
    journal_under_test store;
    const auto journal = store.open();
    for (const std::string name : {"cart-1", "cart-10", "cart-", "cart", "Cart-1"})
        REQUIRE(
            outcome_of(append_one(*journal, commit_of(name, name, expected_version::no_stream())))
                .version == 1);
    for (const std::string name : {"cart-1", "cart-10", "cart-", "cart", "Cart-1"})
        REQUIRE(payloads_of(read_upwards(*journal, name)) == std::vector<std::string>{name + "/1"});
    REQUIRE(read_upwards(*journal, "cart-2").empty());
}

ANNALS_JOURNAL_PROMISE("a long stream is read completely, either way") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr stream_version length = 3'000;
    for (stream_version v = 0; v != length; v += 100)
        REQUIRE(append_one(*journal,
                           commit_of(std::to_string(v), "cart-1", expected_version::exactly(v),
                                     std::vector<std::string>(100, "x"))));
    const auto upwards = read_upwards(*journal, "cart-1");
    REQUIRE(upwards.size() == length);
    for (stream_version v = 1; v <= length; ++v)
        REQUIRE(upwards[v - 1].version == v);
    stream_version expected = length;
    for (bool at_end = false; !at_end;) {
        const auto page =
            journal->read_stream("cart-1", expected, 700, direction::backward).value();
        for (const auto& event : page.events)
            REQUIRE(event.version == expected--);
        at_end = page.at_end;
    }
    REQUIRE(expected == 0);
    for (const stream_version v : {1U, 2U, 999U, 1'700U, 2'999U, 3'000U})
        REQUIRE(journal->read_stream("cart-1", v, 1).value().events.at(0).version == v);
}

ANNALS_JOURNAL_PROMISE("a name that no stream can have is refused, not looked for") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    for (const auto& name : {std::string(), std::string(256, 'a'), std::string(600, 'a'),
                             std::string("a\nb"), std::string("\xff")}) {
        for (const auto way : {direction::forward, direction::backward})
            REQUIRE(journal->read_stream(name, 1, 10, way).error().code == errc::invalid_argument);
        REQUIRE(journal->describe(name).error().code == errc::invalid_argument);
    }
    REQUIRE(journal->describe(std::string(255, 'a')).value().version == 0);
}

ANNALS_JOURNAL_PROMISE("the log is read in order, page after page") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    const auto all = read_log(*journal, 0, {}, 3);
    REQUIRE(all.size() == 10);
    for (std::size_t i = 0; i != all.size(); ++i) {
        REQUIRE(all[i].position == i + 1);
        REQUIRE(all[i].stream == (i % 2 ? "order-1" : "cart-1"));
    }
    const auto page = journal->read_all(2, 3).value();
    REQUIRE(page.events.size() == 3);
    REQUIRE(page.events[0].position == 3);
    REQUIRE(page.through == 5);
    REQUIRE_FALSE(page.at_end);
    REQUIRE(journal->read_all(7, 3).value().at_end);
    REQUIRE(journal->read_all(10, 3).value().at_end);
    REQUIRE(journal->read_all(10, 3).value().events.empty());
    REQUIRE(journal->read_all(99, 3).value().through == 99);
}

ANNALS_JOURNAL_PROMISE("the log is read by type and by category") {
    journal_under_test store;
    const auto journal = store.open();
    store_two_streams(*journal);
    const auto positions = [&](std::vector<std::string> types,
                               std::vector<std::string> categories) {
        std::vector<log_position> found;
        for (const auto& event : read_log(*journal, 0, {std::move(types), std::move(categories)}))
            found.push_back(event.position);
        return found;
    };
    using list = std::vector<log_position>;
    REQUIRE(positions({"cart.item_removed"}, {}) == list{3, 7});
    REQUIRE(positions({"cart.item_removed", "order.changed"}, {}) == list{2, 3, 4, 6, 7, 8, 10});
    REQUIRE(positions({}, {"cart"}) == list{1, 3, 5, 7, 9});
    REQUIRE(positions({"cart.item_removed"}, {"cart"}) == list{3, 7});
    REQUIRE(positions({"cart.item_removed"}, {"order"}).empty());
    REQUIRE(positions({}, {"car", "cart-1"}).empty());
    REQUIRE(positions({"unheard_of"}, {}).empty());
}

ANNALS_JOURNAL_PROMISE("a page without matches still says how far it looked") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr std::size_t events = 40'000;
    for (std::size_t i = 0; i != events; i += 1'000)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1", expected_version::any(),
                                               std::vector<std::string>(1'000, "common"))));
    REQUIRE(append_one(*journal, commit_of("last", "cart-1", expected_version::any(), {"rare"})));
    log_position after = 0;
    std::size_t matches = 0;
    for (bool at_end = false; !at_end;) {
        const auto page = journal->read_all(after, 10, {{"rare"}, {}}).value();
        REQUIRE(page.through > after);
        matches += page.events.size();
        after = page.through;
        at_end = page.at_end;
    }
    REQUIRE(matches == 1);
    REQUIRE(after == events + 1);
}

ANNALS_JOURNAL_PROMISE("a page stays valid whatever is appended, and after the journal is gone") {
    journal_under_test store;
    auto journal = store.open();
    REQUIRE(append_one(*journal, commit_of("first", "cart-1")));
    const auto page = journal->read_all(0, 10).value();
    const auto stream = journal->read_stream("cart-1", 1, 10).value();
    for (int i = 0; i != 200; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-" + std::to_string(i))));
    journal->close();
    journal.reset();
    REQUIRE(seen(page.events.at(0)) == seen(stream.events.at(0)));
    REQUIRE(seen(page.events.at(0)).payload == "first/1");
    REQUIRE(page.events.at(0).read_metadata().value().command_id == command("first"));
}

ANNALS_JOURNAL_PROMISE("a stream is described by its ends") {
    journal_under_test store;
    const auto journal = store.open();
    REQUIRE(journal->describe("cart-1").value().version == 0);
    store_two_streams(*journal);
    auto late = commit_of("late", "cart-1", expected_version::any(), {"x", "y"});
    late.about.time += std::chrono::hours{1};
    REQUIRE(append_one(*journal, late));

    const auto info = journal->describe("cart-1").value();
    REQUIRE(info.version == 7);
    REQUIRE(info.first_position == 1);
    REQUIRE(info.last_position == 12);
    REQUIRE(info.first_time == late.about.time - std::chrono::hours{1});
    REQUIRE(info.last_time == late.about.time);
}

ANNALS_JOURNAL_PROMISE("everything is there after opening again") {
    journal_under_test store;
    auto journal = store.open();
    if (!journal->capabilities().durable)
        return;
    store_two_streams(*journal);
    const auto before = read_log(*journal);
    journal->close();
    journal.reset();

    journal = store.open();
    REQUIRE(journal->head() == 10);
    REQUIRE(read_log(*journal) == before);
    REQUIRE(read_upwards(*journal, "order-1").size() == 5);
    REQUIRE(journal->describe("cart-1").value().last_position == 9);
}

} // namespace annals::test
