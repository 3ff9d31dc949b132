#pragma once

#include "annals/runtime.hpp"

#include <memory>
#include <string>
#include <variant>

/// A complete view that cannot be copied, and one that is stored.

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct demand_for {};

struct uncopyable {
    static constexpr std::string_view name = "uncopyable";
    using event = std::variant<item_added>;
    using query = std::variant<demand_for>;
    std::unique_ptr<int> demand;
};
void evolve(uncopyable&, const item_added&);
int answer(const uncopyable&, const demand_for&);
