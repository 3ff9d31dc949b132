#pragma once

// Part of contract/journal_contract.hpp: what an append stores, and what it refuses.

#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace annals::test {

ANNALS_JOURNAL_PROMISE("a commit is stored whole, with consecutive versions and positions") {
    journal_under_test store;
    const auto journal = store.open();
    const auto three = commit_of("order", "cart-1", expected_version::no_stream(),
                                 {"cart.opened", "cart.item_added", "cart.item_added"});
    REQUIRE(outcome_of(append_one(*journal, three)) == stored(3, 3));

    const auto events = read_log(*journal);
    REQUIRE(payloads_of(events) == std::vector<std::string>{"order/1", "order/2", "order/3"});
    for (std::size_t i = 0; i != 3; ++i) {
        REQUIRE(events[i].position == i + 1);
        REQUIRE(events[i].version == i + 1);
        REQUIRE(events[i].stream == "cart-1");
        REQUIRE(events[i].type == three.events[i].type);
        REQUIRE(events[i].command_id == command("order"));
        REQUIRE(events[i].ends_commit == (i == 2));
    }
}

ANNALS_JOURNAL_PROMISE("an event comes back with the metadata of its command") {
    journal_under_test store;
    const auto journal = store.open();
    auto one = commit_of("order", "cart-1");
    one.command_named = true;
    one.about.correlation_id = command("request");
    one.about.causation_id = command("cause");
    one.about.actor = "grace";
    one.about.extra = {{"device", "till 4"}, {"ip", "::1"}};
    REQUIRE(append_one(*journal, one));
    auto plain = commit_of("plain", "cart-1");
    REQUIRE(append_one(*journal, plain));

    const auto page = journal->read_all(0, 10).value();
    REQUIRE(page.events.size() == 2);
    REQUIRE(page.events[0].command_named);
    REQUIRE(page.events[0].time == one.about.time);
    REQUIRE(page.events[0].read_metadata().value() == one.about);
    REQUIRE_FALSE(page.events[1].command_named);
    REQUIRE(page.events[1].more_metadata.empty());
    plain.about.correlation_id = plain.about.command_id;
    REQUIRE(page.events[1].read_metadata().value() == plain.about);
}

ANNALS_JOURNAL_PROMISE("an event may be empty, and as large as the journal says") {
    journal_under_test store;
    const auto journal = store.open();
    auto both = commit_of("sizes", "cart-1", expected_version::any(), {"empty", "large"});
    both.events[0].payload.clear();
    both.events[1].payload.assign(journal->capabilities().max_event_bytes, std::byte{7});
    REQUIRE(outcome_of(append_one(*journal, both)) == stored(2, 2));
    const auto page = journal->read_stream("cart-1", 1, 10).value();
    REQUIRE(page.events[0].payload.empty());
    REQUIRE(std::ranges::equal(page.events[1].payload, both.events[1].payload));
}

ANNALS_JOURNAL_PROMISE("a commit that expects no stream is stored only as its first") {
    journal_under_test store;
    const auto journal = store.open();
    const auto none = expected_version::no_stream();
    REQUIRE(outcome_of(append_one(*journal, commit_of("a", "cart-1", none))) == stored(1, 1));
    REQUIRE(outcome_of(append_one(*journal, commit_of("b", "cart-1", none))) ==
            refused(errc::version_conflict, 1));
    REQUIRE(outcome_of(append_one(*journal, commit_of("c", "cart-2", none))) == stored(2, 1));
}

ANNALS_JOURNAL_PROMISE("a commit that expects a stream is not stored as its first") {
    journal_under_test store;
    const auto journal = store.open();
    const auto exists = expected_version::stream_exists();
    REQUIRE(outcome_of(append_one(*journal, commit_of("a", "cart-1", exists))) ==
            refused(errc::version_conflict, 0));
    REQUIRE(append_one(*journal, commit_of("b", "cart-1")));
    REQUIRE(outcome_of(append_one(*journal, commit_of("c", "cart-1", exists))) == stored(2, 2));
}

ANNALS_JOURNAL_PROMISE("a commit that expects a version is stored at that version only") {
    journal_under_test store;
    const auto journal = store.open();
    const auto at = [](stream_version v) { return expected_version::exactly(v); };
    REQUIRE(outcome_of(append_one(*journal, commit_of("a", "cart-1", at(1)))) ==
            refused(errc::version_conflict, 0));
    REQUIRE(append_one(*journal, commit_of("b", "cart-1", at(0), {"x", "x"})));
    REQUIRE(outcome_of(append_one(*journal, commit_of("c", "cart-1", at(1)))) ==
            refused(errc::version_conflict, 2));
    REQUIRE(outcome_of(append_one(*journal, commit_of("d", "cart-1", at(3)))) ==
            refused(errc::version_conflict, 2));
    REQUIRE(outcome_of(append_one(*journal, commit_of("e", "cart-1", at(2)))) == stored(3, 3));
    REQUIRE(payloads_of(read_upwards(*journal, "cart-1")) ==
            std::vector<std::string>{"b/1", "b/2", "e/1"});
}

ANNALS_JOURNAL_PROMISE("a commit that expects nothing is always stored") {
    journal_under_test store;
    const auto journal = store.open();
    for (stream_version v = 1; v != 4; ++v)
        REQUIRE(outcome_of(append_one(*journal, commit_of(std::to_string(v), "cart-1"))) ==
                stored(v, v));
}

ANNALS_JOURNAL_PROMISE("each commit of an append has its own result") {
    journal_under_test store;
    const auto journal = store.open();
    const auto results =
        append_all(*journal, {commit_of("a", "cart-1", expected_version::no_stream()),
                              commit_of("b", "cart-1", expected_version::exactly(7)),
                              commit_of("c", "cart-1", expected_version::exactly(1), {"x", "y"}),
                              commit_of("d", "cart-2", expected_version::stream_exists()),
                              commit_of("e", "cart-2", expected_version::no_stream())});
    REQUIRE(outcomes_of(results) ==
            std::vector<outcome>{stored(1, 1), refused(errc::version_conflict, 1), stored(3, 3),
                                 refused(errc::version_conflict, 0), stored(4, 1)});
    REQUIRE(payloads_of(read_log(*journal)) ==
            std::vector<std::string>{"a/1", "c/1", "c/2", "e/1"});
}

ANNALS_JOURNAL_PROMISE("an append of no commits is completed too") {
    journal_under_test store;
    const auto journal = store.open();
    REQUIRE(append_all(*journal, {}).empty());
    REQUIRE(journal->head() == 0);
}

ANNALS_JOURNAL_PROMISE("a conflict says what was expected, what is there and what to do") {
    journal_under_test store;
    const auto journal = store.open();
    const auto result =
        append_one(*journal, commit_of("a", "cart-1", expected_version::exactly(41)));
    REQUIRE_FALSE(result);
    REQUIRE_THAT(result.error().message, Catch::Contains("version 41") &&
                                             Catch::Contains("found version 0") &&
                                             Catch::Contains("read the stream again"));
}

ANNALS_JOURNAL_PROMISE("a commit that is appended again is recognised, not stored twice") {
    journal_under_test store;
    const auto journal = store.open();
    const auto first = commit_of("a", "cart-1", expected_version::no_stream());
    const auto second = commit_of("b", "cart-1", expected_version::exactly(1), {"x", "y", "z"});
    const auto third = commit_of("c", "cart-1", expected_version::exactly(4));
    REQUIRE(outcomes_of(append_all(*journal, {first, second, third})) ==
            std::vector<outcome>{stored(1, 1), stored(4, 4), stored(5, 5)});

    REQUIRE(outcomes_of(append_all(*journal, {first, second, third})) ==
            std::vector<outcome>{already_stored(1, 1), already_stored(4, 4), already_stored(5, 5)});
    REQUIRE(journal->head() == 5);
}

ANNALS_JOURNAL_PROMISE("a commit that occurs twice in one append is stored once") {
    journal_under_test store;
    const auto journal = store.open();
    const auto twice = commit_of("a", "cart-1", expected_version::no_stream(), {"x", "y"});
    REQUIRE(outcomes_of(append_all(*journal, {twice, twice})) ==
            std::vector<outcome>{stored(2, 2), already_stored(2, 2)});
}

ANNALS_JOURNAL_PROMISE("a commit is recognised only where it was stored") {
    journal_under_test store;
    const auto journal = store.open();
    REQUIRE(
        append_all(*journal, {commit_of("a", "cart-1", expected_version::no_stream()),
                              commit_of("b", "cart-1", expected_version::exactly(1), {"x", "y"}),
                              commit_of("c", "cart-1", expected_version::exactly(3))})
            .at(2));
    const auto again = [&](const char* name, stream_version expected) {
        return outcome_of(
            append_one(*journal, commit_of(name, "cart-1", expected_version::exactly(expected))));
    };
    REQUIRE(again("b", 0) == refused(errc::version_conflict, 4)); // another commit is there
    REQUIRE(again("b", 2) == refused(errc::version_conflict, 4)); // the middle of the commit
    REQUIRE(again("new", 1) == refused(errc::version_conflict, 4));
    REQUIRE(again("c", 3) == already_stored(4, 4));
    // Without an exact expectation there is no place to look at.
    REQUIRE(outcome_of(append_one(*journal, commit_of("a", "cart-1"))) == stored(5, 5));
}

ANNALS_JOURNAL_PROMISE("another commit with the id of a stored one is a conflict that says so") {
    journal_under_test store;
    auto journal = store.open();
    REQUIRE(append_one(*journal, commit_of("first", "cart-1", expected_version::no_stream())));
    auto two = commit_of("a", "cart-1", expected_version::exactly(1), {"x", "y"});
    two.fingerprint = {1, 2};
    REQUIRE(append_one(*journal, two));

    auto longer = two;
    longer.events.push_back({"z", payload("a/3")});
    auto shorter = two;
    shorter.events.pop_back();
    auto other_payload = two;
    other_payload.events[1].payload = payload("b/2");
    auto longer_payload = two;
    longer_payload.events[1].payload.push_back(std::byte{0});
    auto no_payload = two;
    no_payload.events[0].payload.clear();
    auto other_type = two;
    other_type.events[0].type = "z";
    auto other_order = two;
    std::swap(other_order.events[0], other_order.events[1]);
    auto other_time = two;
    other_time.about.time += std::chrono::microseconds(1);
    auto other_command = two;
    other_command.fingerprint.fields = 3;
    const auto compare = [&] {
        for (const auto& other : {longer, shorter, other_payload, longer_payload, no_payload,
                                  other_type, other_order, other_time, other_command}) {
            const auto chain = std::make_shared<pipeline>();
            auto one = other;
            one.pipeline = chain;
            const auto refusal = append_one(*journal, one);
            REQUIRE(outcome_of(refusal) == refused(errc::version_conflict, 3));
            REQUIRE_THAT(refusal.error().message, Catch::Contains("other events"));
            REQUIRE(chain->broken());
        }
        auto without = two; // as an older version would have stored it
        without.fingerprint = {};
        REQUIRE(outcomes_of(append_all(*journal, {two, without})) ==
                std::vector<outcome>{already_stored(3, 3), already_stored(3, 3)});
        REQUIRE(journal->head() == 3);
    };
    compare();
    if (!journal->capabilities().durable)
        return;
    journal->close();
    journal.reset();
    journal = store.open();
    compare();
}

ANNALS_JOURNAL_PROMISE("of two commits with one id in one append the second is compared too") {
    journal_under_test store;
    const auto journal = store.open();
    const auto one = commit_of("a", "cart-1", expected_version::no_stream(), {"x", "y"});
    auto three = commit_of("a", "cart-1", expected_version::no_stream(), {"x", "y", "z"});
    REQUIRE(outcomes_of(append_all(*journal, {one, three, one})) ==
            std::vector<outcome>{stored(2, 2), refused(errc::version_conflict, 2),
                                 already_stored(2, 2)});
    REQUIRE(journal->head() == 2);
}

ANNALS_JOURNAL_PROMISE("an event comes back with the fingerprint of its command") {
    journal_under_test store;
    const auto journal = store.open();
    auto one = commit_of("a", "cart-1", expected_version::any(), {"x", "y"});
    one.fingerprint = {0x12345678, 0x9abcdef0};
    auto more = one;
    more.about.command_id = command("b");
    more.about.actor = "grace";
    more.about.extra = {{"command", "of the caller"}};
    REQUIRE(append_one(*journal, one));
    REQUIRE(append_one(*journal, more));
    REQUIRE(append_one(*journal, commit_of("c", "cart-1")));
    const auto page = journal->read_all(0, 10).value();
    for (std::size_t i = 0; i != 4; ++i)
        REQUIRE(page.events.at(i).fingerprint() == one.fingerprint);
    REQUIRE(page.events[2].read_metadata().value().extra == more.about.extra);
    REQUIRE_FALSE(page.events.at(4).fingerprint().known());
}

ANNALS_JOURNAL_PROMISE("a commit that is stored already is recognised after opening again") {
    journal_under_test store;
    auto journal = store.open();
    if (!journal->capabilities().durable)
        return;
    const auto first = commit_of("a", "cart-1", expected_version::no_stream(), {"x", "y"});
    const auto second = commit_of("b", "cart-1", expected_version::exactly(2));
    REQUIRE(append_all(*journal, {first, second}).at(1));
    journal->close();
    journal.reset();

    journal = store.open();
    REQUIRE(journal->head() == 3);
    REQUIRE(outcomes_of(append_all(*journal, {first, second})) ==
            std::vector<outcome>{already_stored(2, 2), already_stored(3, 3)});
    REQUIRE(outcome_of(append_one(
                *journal, commit_of("c", "cart-1", expected_version::exactly(3)))) == stored(4, 4));
}

ANNALS_JOURNAL_PROMISE("what is too large is refused and leaves the rest alone") {
    journal_under_test store;
    const auto journal = store.open();
    const auto limits = journal->capabilities();
    auto large_event = commit_of("event", "cart-1");
    large_event.events[0].payload.resize(limits.max_event_bytes + 1);
    auto large_commit = commit_of("commit", "cart-1");
    large_commit.events.clear();
    for (std::size_t size = 0; size <= limits.max_commit_bytes; size += limits.max_event_bytes)
        large_commit.events.push_back({"x", bytes(limits.max_event_bytes)});

    REQUIRE(outcomes_of(append_all(*journal, {commit_of("a", "cart-1"), large_event, large_commit,
                                              commit_of("b", "cart-1")})) ==
            std::vector<outcome>{stored(1, 1), refused(errc::too_large), refused(errc::too_large),
                                 stored(2, 2)});
}

ANNALS_JOURNAL_PROMISE("a commit without command id or events is refused") {
    journal_under_test store;
    const auto journal = store.open();
    auto nameless = commit_of("a", "cart-1");
    nameless.about.command_id = {};
    auto eventless = commit_of("b", "cart-1");
    eventless.events.clear();
    auto typeless = commit_of("c", "cart-1", expected_version::any(), {""});
    REQUIRE(outcomes_of(
                append_all(*journal, {nameless, eventless, typeless, commit_of("d", "cart-1")})) ==
            std::vector<outcome>{refused(errc::invalid_argument), refused(errc::invalid_argument),
                                 refused(errc::invalid_argument), stored(1, 1)});
}

ANNALS_JOURNAL_PROMISE("a stream's name is 1 to 255 bytes of UTF-8 without control characters") {
    journal_under_test store;
    const auto journal = store.open();
    const std::vector<std::string> good{
        "c",     "cart-17", "Bestellung Ä-1", "買い物-🛒", std::string(255, 'x'), " ",
        "a-b-c", "-"};
    const std::vector<std::string> bad{"",
                                       std::string(256, 'x'),
                                       "cart\n1",
                                       std::string(1, '\0'),
                                       "cart-\xff",
                                       "cart-\xc3",
                                       "\xed\xa0\x80",
                                       "\x7f",
                                       "\xc2\x85",
                                       "\xc0\xaf",
                                       "\xe0\x80\xaf",
                                       "\xf0\x80\x80\xaf",
                                       "\xf4\x90\x80\x80"};
    log_position head = 0;
    for (const auto& name : good) {
        CAPTURE(name);
        ++head;
        REQUIRE(outcome_of(append_one(*journal, commit_of("a", name))) == stored(head, 1));
        REQUIRE(read_upwards(*journal, name).at(0).stream == name);
    }
    for (const auto& name : bad) {
        CAPTURE(name);
        REQUIRE(outcome_of(append_one(*journal, commit_of("a", name))) ==
                refused(errc::invalid_argument));
        REQUIRE_FALSE(check_stream_name(name));
    }
    REQUIRE(journal->head() == head);
}

} // namespace annals::test
