#pragma once

#include <annals/domain.hpp>

#include <chrono>
#include <cstdint>
#include <map>
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
    std::uint64_t row = 0;    ///< its place in the file, from 1
    std::uint32_t input = 0;  ///< which file: see row_checksum
    std::uint32_t so_far = 0; ///< of the file up to and with this row: see row_checksum

    ANNALS_FIELDS(invoice_line, sku, description, quantity, price, country, invoiced, row, input,
                  so_far)
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
    std::map<std::uint32_t, std::uint64_t> last_rows;    ///< the last row it stored, by input
};

/// Rows reach a cart in the order of their file. One that is not later than the last stored row of the
/// same file was decided in an earlier run, perhaps refused: deciding it again, on what the cart holds
/// by now, could turn that refusal into an acceptance.
inline bool decided_before(const cart& state, const invoice_line& line) {
    const auto last = state.last_rows.find(line.input);
    return last != state.last_rows.end() && line.row <= last->second;
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
    state.last_rows[happened.line.input] = happened.line.row;
}

inline void evolve(cart& state, const item_removed& happened) {
    std::int64_t& held = state.units[happened.line.sku];
    held -= happened.line.quantity;
    if (held == 0)
        state.units.erase(happened.line.sku);
    state.last_rows[happened.line.input] = happened.line.row;
}

} // namespace retail
