#pragma once

// Part of contract/projection_store_contract.hpp: a store against a model of it, by chance.

#include "support/row_verbs.hpp"
#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

namespace annals::test {

/// What a store should hold.
using row_model = std::map<std::pair<row_space, std::string>, std::string>;

/// One walk after the other through a snapshot and the model of its moment.
class modelled_snapshot {
public:
    modelled_snapshot(std::unique_ptr<row_snapshot> snapshot, row_model model)
        : snapshot_(std::move(snapshot)),
          model_(std::move(model)) {}

    /// Whether one search and some steps from it agree.
    [[nodiscard]] bool agrees(std::mt19937_64& random, row_space space, const std::string& key) {
        if (value_of(*snapshot_, space, key) != value_in_model(space, key))
            return false;
        auto at = model_.lower_bound({space, key});
        seen_row found;
        switch (random() % 3) {
        case 0:
            found = seen(snapshot_->at_or_after(space, raw(key)));
            break;
        case 1:
            found = seen(snapshot_->last_before(space, raw(key)));
            at = at == model_.begin() ? model_.end() : std::prev(at);
            break;
        default:
            found = seen(snapshot_->last(space));
            at = model_.lower_bound({space + 1, ""});
            at = at == model_.begin() ? model_.end() : std::prev(at);
        }
        if (found != row_at(at, space))
            return false;
        return !found || steps_agree(random, at);
    }
    [[nodiscard]] bool renew(const row_model& now) {
        model_ = now;
        return static_cast<bool>(snapshot_->renew());
    }

private:
    [[nodiscard]] std::string value_in_model(row_space space, const std::string& key) const {
        const auto found = model_.find({space, key});
        return found == model_.end() ? "-" : found->second;
    }
    [[nodiscard]] seen_row row_at(row_model::const_iterator at, row_space space) const {
        if (at == model_.end() || at->first.first != space)
            return std::nullopt;
        return row_of(at->first.second, at->second);
    }
    [[nodiscard]] bool steps_agree(std::mt19937_64& random, row_model::const_iterator at) {
        const auto space = at->first.first;
        for (auto steps = random() % 12; steps != 0; --steps) {
            const bool up = random() % 2 == 0;
            auto to = up ? std::next(at) : at == model_.begin() ? model_.end() : std::prev(at);
            const auto expected = row_at(to, space);
            if (seen(up ? snapshot_->next() : snapshot_->previous()) != expected)
                return false;
            if (expected)
                at = to;
        }
        return true;
    }

    std::unique_ptr<row_snapshot> snapshot_;
    row_model model_;
};

/// Random changes, and the same to the model.
class random_rows {
public:
    random_rows(projection_store& store, std::mt19937_64& random) : random_(random) {
        for (int i = 0; i != 4; ++i)
            spaces_.push_back(store.new_space());
    }

    [[nodiscard]] row_space space() {
        return random_() % 8 == 0 ? catalog_space : spaces_[random_() % spaces_.size()];
    }
    /// Few short keys, of few bytes, so that they meet.
    [[nodiscard]] std::string key() {
        static constexpr std::string_view bytes("\0\x01"
                                                "a\xff",
                                                4);
        std::string made(1 + random_() % 4, ' ');
        if (random_() % 50 == 0)
            made.resize(max_row_key_bytes, 'a');
        for (auto& each : made)
            each = bytes[random_() % bytes.size()];
        return made;
    }
    [[nodiscard]] row_changes change(projection_store& store, row_model& model) {
        row_changes changes;
        for (auto writes = random_() % 30; writes != 0; --writes)
            write(changes, model);
        if (random_() % 10 == 0) {
            const auto index = random_() % spaces_.size();
            changes.drop(spaces_[index]);
            std::erase_if(model,
                          [&](const auto& each) { return each.first.first == spaces_[index]; });
            spaces_[index] = store.new_space();
        }
        return changes;
    }
    void keep_only_some(projection_store& store, row_model& model) {
        spaces_.pop_back();
        REQUIRE(store.keep_only(spaces_));
        std::erase_if(model, [&](const auto& each) {
            return each.first.first != catalog_space &&
                   std::ranges::find(spaces_, each.first.first) == spaces_.end();
        });
        spaces_.push_back(store.new_space());
    }

private:
    void write(row_changes& changes, row_model& model) {
        const auto where = space();
        const auto what = key();
        if (random_() % 3 == 0) {
            changes.erase(where, raw(what));
            model.erase({where, what});
        } else {
            std::string value(random_() % 40 == 0 ? random_() % 20'000 : random_() % 20, 'v');
            value += std::to_string(random_());
            changes.put(where, raw(what), raw(value));
            model[{where, what}] = value;
        }
    }

    std::mt19937_64& random_;
    std::vector<row_space> spaces_;
};

ANNALS_PROJECTION_STORE_PROMISE("a long random history agrees with a model at every moment") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    projection_store_under_test held;
    auto store = held.open();
    random_rows chance(*store, random);
    row_model model;
    std::vector<modelled_snapshot> snapshots;
    for (int step = 0; step != 300; ++step) {
        for (auto together = random() % 3; together != 0; --together)
            store->apply(chance.change(*store, model), {});
        REQUIRE(apply_and_wait(*store, chance.change(*store, model)));
        if (random() % 4 == 0)
            snapshots.emplace_back(store->snapshot().value(), model);
        for (auto& each : snapshots) {
            if (random() % 10 == 0)
                REQUIRE(each.renew(model));
            for (int look = 0; look != 5; ++look)
                REQUIRE(each.agrees(random, chance.space(), chance.key()));
        }
        if (snapshots.size() > 5)
            snapshots.erase(snapshots.begin() + static_cast<std::ptrdiff_t>(random() % 5));
        if (random() % 40 == 0) {
            snapshots.clear();
            if (store->durable()) {
                store.reset();
                store = held.open();
            }
            chance.keep_only_some(*store, model);
        }
    }
    modelled_snapshot last(store->snapshot().value(), model);
    for (int look = 0; look != 500; ++look)
        REQUIRE(last.agrees(random, chance.space(), chance.key()));
}

} // namespace annals::test
