#pragma once

#include <annals/domain.hpp>

#include <map>
#include <string>

/// The whole domain: what can be asked of a cart, what can happen to it, what it is, how it decides
/// and how it changes. Prices are in pence.
namespace shop {

struct add_item {
    std::string sku;
    int quantity = 1;
    int price_pence = 0;
};
struct remove_item {
    std::string sku;
    int quantity = 1;
};

struct item_added {
    std::string sku;
    int quantity = 1;
    int price_pence = 0;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity, price_pence)
};
struct item_removed {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku, quantity)
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, remove_item>;
    using event = std::variant<item_added, item_removed>;
    using decision = annals::decision<event>;

    struct line {
        int quantity = 0;
        int price_pence = 0; ///< as last added
    };
    std::map<std::string, line> lines; ///< by sku
};

inline int held(const cart& c, const std::string& sku) {
    const auto found = c.lines.find(sku);
    return found == c.lines.end() ? 0 : found->second.quantity;
}

inline cart::decision decide(const cart& c, const add_item& command) {
    if (command.quantity < 1 || command.quantity > 1'000 - held(c, command.sku))
        return annals::reject("quantity", "a cart holds between 1 and 1,000 of an item");
    return item_added{command.sku, command.quantity, command.price_pence};
}

inline cart::decision decide(const cart& c, const remove_item& command) {
    if (command.quantity < 1)
        return annals::reject("quantity", "at least 1 has to be removed");
    if (command.quantity > held(c, command.sku))
        return annals::reject("not in cart",
                              "the cart holds " + std::to_string(held(c, command.sku)) + " of it");
    return item_removed{command.sku, command.quantity};
}

inline cart evolve(cart c, const item_added& happened) {
    auto& line = c.lines[happened.sku];
    line.quantity += happened.quantity;
    line.price_pence = happened.price_pence;
    return c;
}

inline cart evolve(cart c, const item_removed& happened) {
    auto& line = c.lines[happened.sku];
    line.quantity -= happened.quantity;
    if (line.quantity == 0)
        c.lines.erase(happened.sku);
    return c;
}

} // namespace shop
