#pragma once

// Part of contract/projection_store_contract.hpp: spaces come and go.

#include "support/row_verbs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace annals::test {

ANNALS_PROJECTION_STORE_PROMISE("spaces are handed out once") {
    projection_store_under_test held;
    const auto store = held.open();
    std::vector<row_space> spaces;
    for (int i = 0; i != 100; ++i)
        spaces.push_back(store->new_space());
    spaces.push_back(catalog_space);
    std::ranges::sort(spaces);
    REQUIRE(std::ranges::adjacent_find(spaces) == spaces.end());
}

ANNALS_PROJECTION_STORE_PROMISE("a space that somebody else chose is not handed out") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto chosen = store->new_space() + 2;
    REQUIRE(put(*store, chosen, {{"a", "1"}}) == "applied");
    for (int i = 0; i != 5; ++i)
        REQUIRE(store->new_space() > chosen);
}

ANNALS_PROJECTION_STORE_PROMISE("a dropped space is empty for every later snapshot") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto low = store->new_space();
    const auto gone = store->new_space();
    const auto high = store->new_space();
    for (const auto space : {low, gone, high})
        REQUIRE(put(*store, space, {{"a", "1"}, {"b", "2"}}) == "applied");
    const auto earlier = store->snapshot().value();
    REQUIRE(drop(*store, gone) == "applied");
    const auto now = store->snapshot().value();
    REQUIRE(value_of(*now, gone, "a") == "-");
    REQUIRE(seen(now->at_or_after(gone, {})) == std::nullopt);
    REQUIRE(seen(now->last_before(gone, raw("z"))) == std::nullopt);
    REQUIRE(seen(now->last(gone)) == std::nullopt);
    REQUIRE(all_rows(*now, low).size() == 2);
    REQUIRE(all_rows(*now, high).size() == 2);
    REQUIRE(all_rows(*earlier, gone).size() == 2);
    REQUIRE(earlier->renew());
    REQUIRE(all_rows(*earlier, gone).empty());
}

ANNALS_PROJECTION_STORE_PROMISE("a space goes together with what else its change does") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto before = store->new_space();
    const auto after = store->new_space();
    REQUIRE(put(*store, before, {{"a", "1"}}) == "applied");
    row_changes changes;
    changes.put(before, raw("b"), raw("2")); // goes too
    changes.drop(before);
    changes.put(before, raw("c"), raw("3")); // and this
    changes.put(after, raw("a"), raw("4"));
    changes.put(catalog_space, raw("serving"), raw("after"));
    REQUIRE(apply_and_wait(*store, std::move(changes)));
    REQUIRE(all_rows(*store, before).empty());
    REQUIRE(all_rows(*store, after) == rows{{"a", "4"}});
    REQUIRE(value_of(*store, catalog_space, "serving") == "after");
}

ANNALS_PROJECTION_STORE_PROMISE("a dropped space takes no rows and is not handed out again") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto gone = store->new_space();
    const auto other = store->new_space();
    REQUIRE(put(*store, gone, {{"a", "1"}}) == "applied");
    REQUIRE(drop(*store, gone) == "applied");
    REQUIRE(drop(*store, gone) == "applied");
    row_changes changes;
    changes.put(gone, raw("b"), raw("2"));
    changes.put(other, raw("b"), raw("2"));
    REQUIRE(said(apply_and_wait(*store, std::move(changes))) == "invalid_argument");
    REQUIRE(all_rows(*store, other).empty());
    for (int i = 0; i != 5; ++i)
        REQUIRE(store->new_space() > other);
}

ANNALS_PROJECTION_STORE_PROMISE("a large space is dropped at once") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto gone = store->new_space();
    const auto kept = store->new_space();
    row_changes changes;
    for (int i = 0; i != 20'000; ++i)
        for (const auto space : {gone, kept})
            changes.put(space, raw(std::to_string(i)), raw("a value of some length"));
    REQUIRE(apply_and_wait(*store, std::move(changes)));
    REQUIRE(drop(*store, gone) == "applied");
    REQUIRE(all_rows(*store, gone).empty());
    for (int i = 0; i != 40; ++i) { // while its rows are erased
        REQUIRE(put(*store, kept, {{"new", std::to_string(i)}}) == "applied");
        REQUIRE(all_rows(*store, gone).empty());
    }
    REQUIRE(all_rows(*store, kept).size() == 20'001);
}

ANNALS_PROJECTION_STORE_PROMISE("the catalog's space cannot be dropped") {
    projection_store_under_test held;
    const auto store = held.open();
    REQUIRE(put(*store, catalog_space, {{"a", "1"}}) == "applied");
    REQUIRE(drop(*store, catalog_space) == "invalid_argument");
    REQUIRE(store->keep_only({}));
    REQUIRE(value_of(*store, catalog_space, "a") == "1");
}

ANNALS_PROJECTION_STORE_PROMISE("what nobody names is dropped, the rest is kept") {
    projection_store_under_test held;
    const auto store = held.open();
    std::vector<row_space> spaces;
    for (int i = 0; i != 6; ++i) {
        spaces.push_back(store->new_space());
        REQUIRE(put(*store, spaces.back(), {{"a", "1"}, {"b", "2"}}) == "applied");
    }
    REQUIRE(put(*store, catalog_space, {{"a", "1"}}) == "applied");
    const std::vector<row_space> named = {spaces[4], spaces[1], store->new_space()};
    REQUIRE(store->keep_only(named));
    REQUIRE(store->keep_only(named));
    for (std::size_t i = 0; i != spaces.size(); ++i)
        REQUIRE(all_rows(*store, spaces[i]).size() == (i == 1 || i == 4 ? 2 : 0));
    REQUIRE(value_of(*store, catalog_space, "a") == "1");
}

ANNALS_PROJECTION_STORE_PROMISE("rows, drops and numbers of spaces outlive the process") {
    projection_store_under_test held;
    auto store = held.open();
    if (!store->durable())
        return;
    const auto kept = store->new_space();
    const auto gone = store->new_space();
    REQUIRE(put(*store, kept, {{"a", "1"}}) == "applied");
    REQUIRE(put(*store, gone, {{"a", "1"}}) == "applied");
    REQUIRE(drop(*store, gone) == "applied");
    const auto named = store->new_space();
    REQUIRE(put(*store, catalog_space, {{"named", std::to_string(named)}}) == "applied");
    for (int i = 0; i != 3; ++i) {
        store.reset();
        store = held.open();
        REQUIRE(all_rows(*store, kept) == rows{{"a", "1"}});
        REQUIRE(all_rows(*store, gone).empty());
        REQUIRE(store->new_space() > named);
    }
}

} // namespace annals::test
