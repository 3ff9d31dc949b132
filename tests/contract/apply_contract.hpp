#pragma once

// Part of contract/projection_store_contract.hpp: how changes are applied and answered.

#include "support/gate.hpp"
#include "support/row_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace annals::test {

inline row_changes change_of(row_space space, std::string_view key, std::string_view value) {
    row_changes changes;
    changes.put(space, raw(key), raw(value));
    return changes;
}

ANNALS_PROJECTION_STORE_PROMISE("of several changes of one key the last one counts") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    row_changes changes;
    changes.put(space, raw("a"), raw("1"));
    changes.put(space, raw("b"), raw("1"));
    changes.erase(space, raw("b"));
    changes.put(space, raw("a"), raw("2"));
    changes.erase(space, raw("c"));
    changes.put(space, raw("c"), raw("3"));
    REQUIRE(apply_and_wait(*store, std::move(changes)));
    REQUIRE(all_rows(*store, space) == rows{{"a", "2"}, {"c", "3"}});
}

ANNALS_PROJECTION_STORE_PROMISE("changes are applied and answered in order") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    std::vector<int> answered; // by one thread at a time
    for (int i = 0; i != 500; ++i)
        store->apply(change_of(space, "a", std::to_string(i)), [&, i](const result<void>& applied) {
            if (applied)
                answered.push_back(i);
        });
    REQUIRE(put(*store, space, {{"b", "1"}}) == "applied");
    REQUIRE(answered.size() == 500);
    REQUIRE(std::ranges::is_sorted(answered));
    REQUIRE(value_of(*store, space, "a") == "499");
}

ANNALS_PROJECTION_STORE_PROMISE("a change that breaks a rule fails alone, and as a whole") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    const std::string long_key(max_row_key_bytes + 1, 'k');
    const std::string large(max_row_value_bytes + 1, 'v');
    std::vector<std::string> answers; // by one thread at a time
    const auto apply = [&](std::string_view key, std::string_view value) {
        auto changes = change_of(space, key, value);
        changes.put(space, raw("beside it"), raw(value.substr(0, 1)));
        store->apply(std::move(changes),
                     [&](const result<void>& applied) { answers.push_back(said(applied)); });
    };
    apply("a", "1");
    apply("", "2");
    apply(long_key, "2");
    apply("b", large);
    apply("c", "3");
    REQUIRE(put(*store, space, {}) == "applied"); // a change of nothing comes in its turn too
    REQUIRE(answers == std::vector<std::string>{"applied", "invalid_argument", "invalid_argument",
                                                "too_large", "applied"});
    const auto now = store->snapshot().value();
    REQUIRE(value_of(*now, space, "a") == "1");
    REQUIRE(value_of(*now, space, "b") == "-");
    REQUIRE(value_of(*now, space, "c") == "3");
    REQUIRE(value_of(*now, space, "beside it") == "3");
    REQUIRE(erase(*store, space, "") == "invalid_argument");
    REQUIRE(erase(*store, space, long_key) == "invalid_argument");
}

ANNALS_PROJECTION_STORE_PROMISE("a change larger than a batch may be is refused") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    row_changes changes;
    const std::string value(std::size_t{1} << 20, 'v');
    for (int i = 0; i != 17; ++i)
        changes.put(space, raw(std::to_string(i)), raw(value));
    REQUIRE(said(apply_and_wait(*store, std::move(changes))) == "too_large");
    REQUIRE(all_rows(*store, space).empty());
}

ANNALS_PROJECTION_STORE_PROMISE("keys and values of the largest size come back whole") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    const std::string key(max_row_key_bytes, '\xff');
    std::string value(max_row_value_bytes - max_row_key_bytes, 'v');
    value[17] = 'w';
    REQUIRE(put(*store, space, {{key, value}}) == "applied");
    const auto now = store->snapshot().value();
    REQUIRE(value_of(*now, space, key) == value);
    REQUIRE(seen(now->last(space)) == row_of(key, value));
}

ANNALS_PROJECTION_STORE_PROMISE("a change is seen whole or not at all") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (int i = 0; i != 200; ++i) {
            row_changes changes;
            for (const auto* key : {"a", "m", "z"})
                changes.put(space, raw(key), raw(std::to_string(i)));
            static_cast<void>(apply_and_wait(*store, std::move(changes)));
        }
        done = true;
    });
    std::size_t torn = 0;
    while (!done) {
        const auto now = store->snapshot().value();
        const auto first = value_of(*now, space, "a");
        torn += value_of(*now, space, "m") != first || value_of(*now, space, "z") != first;
    }
    writer.join();
    REQUIRE(torn == 0);
    REQUIRE(value_of(*store, space, "z") == "199");
}

ANNALS_PROJECTION_STORE_PROMISE("a callback sees what was applied, and may apply again") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto space = store->new_space();
    std::promise<std::string> last;
    int left = 1'000;
    std::function<void(const result<void>&)> again = [&](const result<void>& applied) {
        if (!applied || value_of(*store, space, "left") != std::to_string(left))
            return last.set_value("not applied");
        if (left == 0)
            return last.set_value("all applied");
        --left;
        store->apply(change_of(space, "left", std::to_string(left)), again);
    };
    store->apply(change_of(space, "left", "1000"), again);
    REQUIRE(last.get_future().get() == "all applied");
}

ANNALS_PROJECTION_STORE_PROMISE("changes from several threads are all applied") {
    projection_store_under_test held;
    const auto store = held.open();
    std::vector<std::thread> threads;
    std::vector<row_space> spaces;
    for (int t = 0; t != 3; ++t)
        spaces.push_back(store->new_space());
    for (const auto space : spaces)
        threads.emplace_back([&store, space] {
            for (int i = 0; i != 100; ++i)
                store->apply(change_of(space, std::to_string(i), "1"), {});
            static_cast<void>(apply_and_wait(*store, change_of(space, "last", "1")));
        });
    for (auto& each : threads)
        each.join();
    for (const auto space : spaces)
        REQUIRE(all_rows(*store, space).size() == 101);
}

ANNALS_PROJECTION_STORE_PROMISE("closing applies what was given before, then refuses") {
    projection_store_under_test held;
    auto store = held.open();
    const auto space = store->new_space();
    std::atomic<int> applied{0};
    for (int i = 0; i != 200; ++i)
        store->apply(change_of(space, std::to_string(i), "1"),
                     [&](const result<void>& how) { applied += how ? 1 : 0; });
    store->close();
    REQUIRE(applied == 200);
    store->close();
    REQUIRE(put(*store, space, {{"a", "1"}}) == "closed");
    REQUIRE(store->snapshot().error().code == errc::closed);
    REQUIRE(store->keep_only({}).error().code == errc::closed);
    if (!store->durable())
        return;
    store = held.open();
    REQUIRE(all_rows(*store, space).size() == 200);
}

ANNALS_PROJECTION_STORE_PROMISE("a callback may close the store, and be the last to hold it") {
    projection_store_under_test held;
    auto store = held.open();
    const auto space = store->new_space();
    std::promise<void> dropped;
    auto* const plain = store.get();
    plain->apply(change_of(space, "a", "1"),
                 [&dropped, last = std::move(store)](const result<void>&) mutable {
                     last->close();
                     last.reset();
                     dropped.set_value();
                 });
    dropped.get_future().get();
}

ANNALS_PROJECTION_STORE_PROMISE("a callback is released once it has run") {
    projection_store_under_test held;
    const auto store = held.open();
    const auto kept = std::make_shared<int>(17);
    store->apply(change_of(store->new_space(), "a", "1"), [copy = kept](const result<void>&) {});
    store->close();
    REQUIRE(kept.use_count() == 1);
}

} // namespace annals::test
