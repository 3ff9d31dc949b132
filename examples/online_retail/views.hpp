#pragma once

#include "domain.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

/// What the shop wants to know: one view over all carts, folded from the log, and its queries.
/// Units and revenue are net: what was removed is subtracted, at the price of its own row.
namespace retail {

struct sales;

struct overall_sales {
    using view = sales;
};
struct revenue_by_country {
    using view = sales;
};
struct best_products {
    using view = sales;
    std::size_t count = 10;
};
struct busiest_day {
    using view = sales;
};
/// What is stored of one file, so that a file that was changed since is noticed.
struct rows_of_input {
    using view = sales;
    std::uint32_t input = 0;
};

struct sales_total {
    std::uint64_t carts = 0; ///< with at least one event
    std::uint64_t added = 0; ///< events
    std::uint64_t removed = 0;
    std::int64_t units = 0;
    thousandths revenue = 0;
    std::uint64_t days = 0; ///< distinct days with an event
};
struct product_sales {
    std::string sku;
    std::int64_t units = 0;
    thousandths revenue = 0;
};

struct stored_rows {
    /// `invoice_line::so_far` of each row, by its number; 0: nothing is stored of the row.
    std::vector<std::uint32_t> so_far;
    /// The store has rows that do not say which file they come from.
    bool of_unknown_input = false;
};

struct sales {
    static constexpr std::string_view name = "sales";
    using event = std::variant<item_added, item_removed>;
    using query =
        std::variant<overall_sales, revenue_by_country, best_products, busiest_day, rows_of_input>;

    struct sold {
        std::int64_t units = 0;
        thousandths revenue = 0;
    };
    sales_total total;
    std::unordered_map<std::string, thousandths> by_country;
    std::unordered_map<std::string, sold> by_sku;
    std::map<std::chrono::sys_days, std::uint64_t> events_by_day;
    std::map<std::uint32_t, std::vector<std::uint32_t>> rows; ///< by input; as in stored_rows
};

/// Rows that are compared when they come again; later ones are taken as they are.
inline constexpr std::uint64_t max_compared_rows = std::uint64_t{1} << 27;

inline void remember_row(sales& view, const invoice_line& line) {
    std::vector<std::uint32_t>& rows = view.rows[line.input];
    if (line.row >= max_compared_rows)
        return;
    if (rows.size() <= line.row)
        rows.resize(line.row + 1);
    rows[line.row] = line.so_far;
}

/// Folds `line`, whose units came (`sign` 1) or went (-1).
inline void fold_line(sales& view, const invoice_line& line, int sign,
                      const annals::logged_context& context) {
    const std::int64_t units = sign * line.quantity;
    const thousandths revenue = units * line.price;
    view.total.carts += context.version == 1; // the first event of its cart
    view.total.units += units;
    view.total.revenue += revenue;
    view.by_country[line.country] += revenue;
    sales::sold& product = view.by_sku[line.sku];
    product.units += units;
    product.revenue += revenue;
    ++view.events_by_day[std::chrono::floor<std::chrono::days>(line.invoiced)];
    remember_row(view, line);
}

inline void evolve(sales& view, const item_added& happened, const annals::logged_context& context) {
    ++view.total.added;
    fold_line(view, happened.line, 1, context);
}

inline void evolve(sales& view, const item_removed& happened,
                   const annals::logged_context& context) {
    ++view.total.removed;
    fold_line(view, happened.line, -1, context);
}

inline sales_total answer(const sales& view, const overall_sales&) {
    sales_total total = view.total;
    total.days = view.events_by_day.size();
    return total;
}

inline std::map<std::string, thousandths> answer(const sales& view, const revenue_by_country&) {
    return {view.by_country.begin(), view.by_country.end()};
}

/// By falling revenue, then by sku.
inline std::vector<product_sales> answer(const sales& view, const best_products& query) {
    std::vector<product_sales> ranked;
    ranked.reserve(view.by_sku.size());
    for (const auto& [sku, sold] : view.by_sku)
        ranked.push_back({sku, sold.units, sold.revenue});
    const auto better = [](const product_sales& a, const product_sales& b) {
        return a.revenue != b.revenue ? a.revenue > b.revenue : a.sku < b.sku;
    };
    const std::size_t count = std::min(query.count, ranked.size());
    const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(ranked.begin(), end, ranked.end(), better);
    ranked.erase(end, ranked.end());
    return ranked;
}

/// The day with the most events, the earliest of equals; empty if nothing happened yet.
inline std::optional<std::chrono::sys_days> answer(const sales& view, const busiest_day&) {
    const auto busiest =
        std::max_element(view.events_by_day.begin(), view.events_by_day.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (busiest == view.events_by_day.end())
        return std::nullopt;
    return busiest->first;
}

inline stored_rows answer(const sales& view, const rows_of_input& query) {
    const auto known = view.rows.find(query.input);
    return {known == view.rows.end() ? std::vector<std::uint32_t>() : known->second,
            view.rows.contains(0)};
}

} // namespace retail
