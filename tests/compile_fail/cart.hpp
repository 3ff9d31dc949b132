#pragma once

#include "annals/domain.hpp"

#include <string>
#include <variant>

/// The types of a complete aggregate, and none of its functions.

struct add_item {
    std::string sku;
};
struct remove_item {
    std::string sku;
};

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct item_removed {
    std::string sku;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku)
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, remove_item>;
    using event = std::variant<item_added, item_removed>;
    using decision = annals::decision<event>;
};
