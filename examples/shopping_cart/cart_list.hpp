#pragma once

#include "cart.hpp"

/// A view over all carts: it receives their events after they are stored, and answers from memory.
namespace shop {

struct cart_list;

struct all_carts {
    using view = cart_list;
};

struct listed_cart {
    std::string id;
    int items = 0;
    annals::timestamp last_change{};
};

struct cart_list {
    static constexpr std::string_view name = "cart_list";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<all_carts>;

    std::map<std::string, listed_cart> carts; ///< by id
};

inline void change(cart_list& list, int items, const annals::logged_context& context) {
    listed_cart& changed = list.carts[std::string(context.id)];
    changed.id = context.id;
    changed.items += items;
    changed.last_change = context.time;
}

inline void evolve(cart_list& list, const item_added& e, const annals::logged_context& context) {
    change(list, e.quantity, context);
}

inline void evolve(cart_list& list, const item_removed& e, const annals::logged_context& context) {
    change(list, -e.quantity, context);
}

inline std::vector<listed_cart> answer(const cart_list& list, const all_carts&) {
    std::vector<listed_cart> carts;
    for (const auto& [id, cart] : list.carts)
        carts.push_back(cart);
    return carts;
}

} // namespace shop
