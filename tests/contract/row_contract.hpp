#pragma once

// Part of contract/projection_store_contract.hpp: rows, and what a snapshot shows of them.

#include "support/row_verbs.hpp"

#include <catch2/catch.hpp>

#include <thread>

namespace annals::test {

ANNALS_PROJECTION_STORE_PROMISE("a new store is empty") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto now = store->snapshot().value();
    for (const row_space space : {catalog_space, store->new_space(), ~row_space{0}}) {
        REQUIRE(value_of(*now, space, "a") == "-");
        REQUIRE(seen(now->at_or_after(space, {})) == std::nullopt);
        REQUIRE(seen(now->last_before(space, raw("a"))) == std::nullopt);
        REQUIRE(seen(now->last(space)) == std::nullopt);
        REQUIRE(seen(now->next()) == std::nullopt);
        REQUIRE(seen(now->previous()) == std::nullopt);
    }
}

ANNALS_PROJECTION_STORE_PROMISE("rows are found by key, and in the order of their bytes") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    const std::string zero("\0", 1);
    REQUIRE(put(*store, space, {{"b", "2"}, {"\xff", "5"}, {"ab", "1"}, {"a", "0"}, {zero, ""}}) ==
            "applied");
    REQUIRE(all_rows(*store, space) ==
            rows{{zero, ""}, {"a", "0"}, {"ab", "1"}, {"b", "2"}, {"\xff", "5"}});
    REQUIRE(value_of(*store, space, "ab") == "1");
    REQUIRE(value_of(*store, space, zero) == "");
    REQUIRE(value_of(*store, space, "abc") == "-");
    REQUIRE(value_of(*store, space, "") == "-");
    REQUIRE(value_of(*store, space, std::string(max_row_key_bytes + 1, 'a')) == "-");
}

ANNALS_PROJECTION_STORE_PROMISE("a search finds the row beside a key that is not there") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    REQUIRE(put(*store, space, {{"b", "1"}, {"d", "2"}}) == "applied");
    const auto now = store->snapshot().value();
    const auto at_or_after = [&](std::string_view key) {
        return seen(now->at_or_after(space, raw(key)));
    };
    const auto before = [&](std::string_view key) {
        return seen(now->last_before(space, raw(key)));
    };
    REQUIRE(at_or_after("") == row_of("b", "1"));
    REQUIRE(at_or_after("b") == row_of("b", "1"));
    REQUIRE(at_or_after("c") == row_of("d", "2"));
    REQUIRE(at_or_after("e") == std::nullopt);
    REQUIRE(before("") == std::nullopt);
    REQUIRE(before("b") == std::nullopt);
    REQUIRE(before("c") == row_of("b", "1"));
    REQUIRE(before("d") == row_of("b", "1"));
    REQUIRE(before("e") == row_of("d", "2"));
    REQUIRE(seen(now->last(space)) == row_of("d", "2"));
}

ANNALS_PROJECTION_STORE_PROMISE("a search may name a key longer than any row has") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    const std::string longest(max_row_key_bytes, 'k');
    REQUIRE(put(*store, space, {{longest, "1"}, {"l", "2"}}) == "applied");
    const auto now = store->snapshot().value();
    for (const std::size_t more : {1U, 2U, 1'000U}) {
        const auto longer = longest + std::string(more, 'a');
        REQUIRE(seen(now->at_or_after(space, raw(longer))) == row_of("l", "2"));
        REQUIRE(seen(now->last_before(space, raw(longer))) == row_of(longest, "1"));
    }
}

ANNALS_PROJECTION_STORE_PROMISE("a search stays within its space") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto low = store->new_space();
    const auto middle = store->new_space();
    const auto high = store->new_space();
    REQUIRE(put(*store, low, {{"m", "low"}}) == "applied");
    REQUIRE(put(*store, high, {{"m", "high"}}) == "applied");
    const auto now = store->snapshot().value();
    REQUIRE(seen(now->at_or_after(middle, {})) == std::nullopt);
    REQUIRE(seen(now->last_before(middle, raw("z"))) == std::nullopt);
    REQUIRE(seen(now->last(middle)) == std::nullopt);
    REQUIRE(seen(now->last(catalog_space)) == std::nullopt);
    REQUIRE(seen(now->last_before(high, raw("m"))) == std::nullopt);
    REQUIRE(seen(now->at_or_after(low, raw("n"))) == std::nullopt);
    REQUIRE(seen(now->last(low)) == row_of("m", "low"));
    REQUIRE(seen(now->next()) == std::nullopt);
    REQUIRE(seen(now->last(high)) == row_of("m", "high"));
    REQUIRE(seen(now->previous()) == std::nullopt);
}

ANNALS_PROJECTION_STORE_PROMISE("next and previous go on from the row returned last") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    REQUIRE(put(*store, space, {{"a", "1"}, {"b", "2"}, {"c", "3"}}) == "applied");
    const auto now = store->snapshot().value();
    const auto next = [&] { return seen(now->next()); };
    const auto previous = [&] { return seen(now->previous()); };
    REQUIRE(seen(now->at_or_after(space, raw("b"))) == row_of("b", "2"));
    REQUIRE(next() == row_of("c", "3"));
    REQUIRE(next() == std::nullopt);
    REQUIRE(next() == std::nullopt);
    REQUIRE(previous() == row_of("b", "2"));
    REQUIRE(value_of(*now, space, "c") == "3"); // which moves nothing
    REQUIRE(previous() == row_of("a", "1"));
    REQUIRE(previous() == std::nullopt);
    REQUIRE(next() == row_of("b", "2"));
    REQUIRE(seen(now->last_before(space, raw("a"))) == std::nullopt);
    REQUIRE(next() == std::nullopt);
    REQUIRE(previous() == std::nullopt);
    REQUIRE(seen(now->last(space)) == row_of("c", "3"));
    REQUIRE(now->renew());
    REQUIRE(previous() == std::nullopt);
}

ANNALS_PROJECTION_STORE_PROMISE("a snapshot shows its own moment until it is renewed") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    REQUIRE(put(*store, space, {{"a", "1"}, {"b", "1"}}) == "applied");
    const auto now = store->snapshot().value();
    const auto value = now->get(space, raw("a")).value().value();
    REQUIRE(put(*store, space, {{"a", "2"}, {"c", "2"}}) == "applied");
    REQUIRE(erase(*store, space, "b") == "applied");
    REQUIRE(all_rows(*now, space) == rows{{"a", "1"}, {"b", "1"}});
    REQUIRE(text_of(value) == "1");
    REQUIRE(all_rows(*store, space) == rows{{"a", "2"}, {"c", "2"}});
    REQUIRE(now->renew());
    REQUIRE(all_rows(*now, space) == rows{{"a", "2"}, {"c", "2"}});
}

ANNALS_PROJECTION_STORE_PROMISE("a snapshot may go from thread to thread") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    REQUIRE(put(*store, space, {{"a", "1"}}) == "applied");
    std::unique_ptr<row_snapshot> now;
    std::thread([&] { now = store->snapshot().value(); }).join();
    REQUIRE(value_of(*now, space, "a") == "1");
    std::thread([&] { now.reset(); }).join();
    store->close();
}

} // namespace annals::test
