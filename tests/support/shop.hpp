#pragma once

// A small shop for the tests of whole runtimes: carts that decide, and views that count what is in
// them. Some commands and queries carry a function, with which a test looks or waits inside a handler.

#include "annals/domain.hpp"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace shop {

// --- the cart --------------------------------------------------------------------------------------

/// A quantity of 0 leaves nothing to do.
struct add_item {
    std::string sku;
    int quantity = 1;
};
/// Several events of one commit.
struct add_items {
    std::vector<std::string> skus;
};
struct remove_item {
    std::string sku;
};
/// Refused unless the cart holds exactly so many units.
struct confirm_units {
    int units = 0;
};
/// Runs `body` inside `decide` and then has nothing to store.
struct run_inside {
    std::function<void()> body;
};
/// Decides an event that the cart's own `evolve` cannot fold.
struct add_unfoldable {};

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};
struct item_removed {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku, quantity)
};
struct unfoldable {
    ANNALS_EVENT(unfoldable, "cart.unfoldable")
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command =
        std::variant<add_item, add_items, remove_item, confirm_units, run_inside, add_unfoldable>;
    using event = std::variant<item_added, item_removed, unfoldable>;
    using decision = annals::decision<event>;

    std::map<std::string, int> items;

    [[nodiscard]] int units() const {
        int sum = 0;
        for (const auto& [sku, quantity] : items)
            sum += quantity;
        return sum;
    }
    friend bool operator==(const cart&, const cart&) = default;
};

inline cart::decision decide(const cart&, const add_item& command) {
    if (command.quantity == 0)
        return annals::nothing;
    if (command.quantity < 0)
        return annals::reject("bad quantity", "a cart holds no negative quantities");
    return item_added{command.sku, command.quantity};
}
inline cart::decision decide(const cart&, const add_items& command) {
    std::vector<cart::event> added;
    for (const auto& sku : command.skus)
        added.emplace_back(item_added{sku, 1});
    return added;
}
/// How much memory the command holds, for the runtime's limits.
inline std::size_t size_hint(const add_items& command) {
    std::size_t bytes = 0;
    for (const auto& sku : command.skus)
        bytes += sku.size();
    return bytes;
}
inline cart::decision decide(const cart& state, const remove_item& command) {
    const auto found = state.items.find(command.sku);
    if (found == state.items.end())
        return annals::reject("not in cart", "there is no " + command.sku + " in the cart");
    return item_removed{command.sku, found->second};
}
inline cart::decision decide(const cart& state, const confirm_units& command) {
    if (state.units() == command.units)
        return annals::nothing;
    return annals::reject("other units", std::to_string(state.units()));
}
inline cart::decision decide(const cart&, const run_inside& command) {
    if (command.body)
        command.body();
    return annals::nothing;
}
inline cart::decision decide(const cart&, const add_unfoldable&) {
    return unfoldable{};
}

inline void evolve(cart& state, const item_added& happened) {
    state.items[happened.sku] += happened.quantity;
}
inline void evolve(cart& state, const item_removed& happened) {
    state.items.erase(happened.sku);
}
inline void evolve(cart&, const unfoldable&) {
    throw std::runtime_error("cannot fold this");
}

// --- what is in all carts together -------------------------------------------------------------------

struct demand;
struct demand_for {
    using view = demand;
    std::string sku;
};
struct total_demand {
    using view = demand;
};
/// Runs `body` inside `answer`; the answer is the number of events seen.
struct look_inside {
    using view = demand;
    std::function<void()> body;
};
/// Answered by "no": a query can be refused, too.
struct refused_question {
    using view = demand;
};

struct demand {
    static constexpr std::string_view name = "demand";
    using query = std::variant<demand_for, total_demand, look_inside, refused_question>;
    using event = std::variant<item_added, item_removed>;

    std::map<std::string, int> units;
    int events = 0;
    friend bool operator==(const demand&, const demand&) = default;
};

inline void evolve(demand& view, const item_added& happened) {
    view.units[happened.sku] += happened.quantity;
    ++view.events;
}
inline void evolve(demand& view, const item_removed& happened) {
    view.units[happened.sku] -= happened.quantity;
    ++view.events;
}
inline int answer(const demand& view, const demand_for& query) {
    const auto found = view.units.find(query.sku);
    return found == view.units.end() ? 0 : found->second;
}
inline std::map<std::string, int> answer(const demand& view, const total_demand&) {
    return view.units;
}
inline int answer(const demand& view, const look_inside& query) {
    if (query.body)
        query.body();
    return view.events;
}
inline annals::outcome<int> answer(const demand&, const refused_question&) {
    return annals::reject("no");
}

// --- a view that wants little, and one that breaks ---------------------------------------------------

struct removals;
struct removals_so_far {
    using view = removals;
};
struct removals {
    static constexpr std::string_view name = "removals";
    using query = std::variant<removals_so_far>;
    using event = std::variant<item_removed>;
    int count = 0;
};
inline void evolve(removals& view, const item_removed&) {
    ++view.count;
}
inline int answer(const removals& view, const removals_so_far&) {
    return view.count;
}

/// Throws when it folds an item called "poison".
struct fragile;
struct fragile_count {
    using view = fragile;
};
struct fragile {
    static constexpr std::string_view name = "fragile";
    using query = std::variant<fragile_count>;
    using event = std::variant<item_added>;
    int count = 0;
};
inline void evolve(fragile& view, const item_added& happened) {
    if (happened.sku == "poison")
        throw std::runtime_error("the view met poison");
    ++view.count;
}
inline int answer(const fragile& view, const fragile_count&) {
    return view.count;
}

} // namespace shop
