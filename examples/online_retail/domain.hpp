#pragma once

#include <annals/domain.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

/// The domain: carts of an online shop, filled and emptied by the lines of its invoices.
namespace retail {

/// An amount of money in thousandths of a pound, exact: unit prices have up to three decimals.
using thousandths = std::int64_t;

/// What one row of the file says. Whether the units came or went is said by the command or event
/// that holds it.
struct invoice_line {
    std::string sku;
    std::string description;
    std::int64_t quantity = 0; ///< at least 1
    thousandths price = 0;     ///< of one unit
    std::string country;
    std::chrono::sys_seconds invoiced{};
    std::uint64_t row = 0; ///< its place in the file, from 1

    ANNALS_FIELDS(invoice_line, sku, description, quantity, price, country, invoiced, row)
};

struct add_item {
    invoice_line line;
};
struct remove_item {
    invoice_line line;
};

struct item_added {
    invoice_line line;
    ANNALS_EVENT(item_added, "cart.item_added", line)
};
struct item_removed {
    invoice_line line;
    ANNALS_EVENT(item_removed, "cart.item_removed", line)
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, remove_item>;
    using event = std::variant<item_added, item_removed>;
    using decision = annals::decision<event>;

    std::unordered_map<std::string, std::int64_t> units; ///< by sku; none of them is 0
    std::uint64_t last_row = 0;                          ///< the last row this cart stored
};

/// Rows reach a cart in the order of the file. One that is not later than the last stored row was
/// decided in an earlier run, perhaps refused: deciding it again, on what the cart holds by now,
/// could turn that refusal into an acceptance.
inline bool decided_before(const cart& state, const invoice_line& line) {
    return line.row <= state.last_row;
}

inline cart::decision decide(const cart& state, const add_item& command) {
    if (decided_before(state, command.line))
        return annals::nothing;
    if (command.line.price < 0)
        return annals::reject("negative price");
    return item_added{command.line};
}

inline cart::decision decide(const cart& state, const remove_item& command) {
    if (decided_before(state, command.line))
        return annals::nothing;
    const auto held = state.units.find(command.line.sku);
    if (held == state.units.end())
        return annals::reject("not in cart");
    if (held->second < command.line.quantity)
        return annals::reject("more than in cart");
    return item_removed{command.line};
}

inline void evolve(cart& state, const item_added& happened) {
    state.units[happened.line.sku] += happened.line.quantity;
    state.last_row = happened.line.row;
}

inline void evolve(cart& state, const item_removed& happened) {
    std::int64_t& held = state.units[happened.line.sku];
    held -= happened.line.quantity;
    if (held == 0)
        state.units.erase(happened.line.sku);
    state.last_row = happened.line.row;
}

} // namespace retail
