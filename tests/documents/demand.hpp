#pragma once

#include "shopping_cart/cart.hpp"

/// The view that the README shows.
namespace shop {

struct demand;
struct demand_for {
    using view = demand;
    std::string sku;
};

struct demand {
    static constexpr std::string_view name = "demand";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<demand_for>;
    std::map<std::string, int> units; ///< in all carts, by sku
};

inline void evolve(demand& d, const item_added& happened) {
    d.units[happened.sku] += happened.quantity;
}
inline void evolve(demand& d, const item_removed& happened) {
    d.units[happened.sku] -= happened.quantity;
}
inline int answer(const demand& d, const demand_for& query) {
    const auto found = d.units.find(query.sku);
    return found == d.units.end() ? 0 : found->second;
}

} // namespace shop
