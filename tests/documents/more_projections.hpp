#pragma once

#include "shopping_cart/cart.hpp"

#include <annals/reaction.hpp>
#include <annals/stored_map.hpp>

#include <functional>

/// The other two kinds of projection that the README shows.
namespace shop {

struct demand_on_disk;
struct most_wanted {
    using view = demand_on_disk;
    std::size_t count = 10;
};

struct demand_on_disk {
    static constexpr std::string_view name = "demand_on_disk";
    using event = std::variant<item_added>;
    using query = std::variant<most_wanted>;
    annals::stored_map<std::string, int> units;                  ///< by sku
    annals::stored_map<std::pair<int, std::string>, bool> order; ///< the same, by units
    ANNALS_FIELDS(demand_on_disk, units, order)
};

inline void evolve(demand_on_disk& d, const item_added& happened) {
    const int before = d.units.value_or(happened.sku, 0);
    d.order.erase({before, happened.sku});
    d.units.put(happened.sku, before + happened.quantity);
    d.order.put({before + happened.quantity, happened.sku}, true);
}
inline std::vector<std::string> answer(const demand_on_disk& d, const most_wanted& query) {
    std::vector<std::string> skus;
    for (const auto& [key, wanted] : d.order.all().backwards())
        if (skus.size() < query.count)
            skus.push_back(key.second);
        else
            break;
    return skus;
}

struct restock {
    static constexpr std::string_view name = "restock";
    using event = std::variant<item_added>;
    std::function<void(const std::string& sku, int units, annals::uuid order)> order;
};
inline void react(restock& to, const item_added& happened, const annals::delivery& about) {
    if (happened.quantity >= 100)
        to.order(happened.sku, happened.quantity, about.event_id); // may block, may throw
}

} // namespace shop
