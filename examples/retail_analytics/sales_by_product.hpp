#pragma once

#include "turnover.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace retail::analytics {

struct sales_by_product;

struct top_sellers {
    using view = sales_by_product;
    std::size_t count = 10;
};
/// By return rate, among articles of which at least `units_sold` were sold.
struct most_returned {
    using view = sales_by_product;
    std::size_t count = 10;
    std::int64_t units_sold = 100;
};
struct one_product {
    using view = sales_by_product;
    std::string sku;
};

struct product {
    std::string sku;
    std::string description; ///< as on its first invoice that has one
    turnover total;

    ANNALS_FIELDS(product, sku, description, total)
};

/// What the shop sells best, and what comes back.
struct sales_by_product {
    static constexpr std::string_view name = "sales_by_product";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<top_sellers, most_returned, one_product>;

    std::unordered_map<std::string, product> products; ///< by sku

    ANNALS_FIELDS(sales_by_product, products)
};

inline turnover& turnover_of(sales_by_product& view, const invoice_line& line) {
    product& found = view.products[line.sku];
    if (found.sku.empty())
        found.sku = line.sku;
    if (found.description.empty())
        found.description = line.description;
    return found.total;
}

inline void evolve(sales_by_product& view, const item_added& happened) {
    turnover_of(view, happened.line).sell(happened.line);
}
inline void evolve(sales_by_product& view, const item_removed& happened) {
    turnover_of(view, happened.line).take_back(happened.line);
}

/// The first `count` of `candidates` in the order of `comes_first`.
template <class Order>
std::vector<product> first_of(std::vector<const product*> candidates, std::size_t count,
                              Order comes_first) {
    const auto end =
        candidates.begin() + static_cast<std::ptrdiff_t>(std::min(count, candidates.size()));
    std::partial_sort(candidates.begin(), end, candidates.end(),
                      [&](const product* a, const product* b) { return comes_first(*a, *b); });
    std::vector<product> first;
    std::for_each(candidates.begin(), end, [&](const product* one) { first.push_back(*one); });
    return first;
}

/// By falling revenue, then by sku: the order of online_retail.
inline std::vector<product> answer(const sales_by_product& view, const top_sellers& query) {
    std::vector<const product*> all;
    for (const auto& [sku, one] : view.products)
        all.push_back(&one);
    return first_of(std::move(all), query.count, [](const product& a, const product& b) {
        return a.total.revenue() != b.total.revenue() ? a.total.revenue() > b.total.revenue()
                                                      : a.sku < b.sku;
    });
}

inline std::vector<product> answer(const sales_by_product& view, const most_returned& query) {
    std::vector<const product*> sold_enough;
    for (const auto& [sku, one] : view.products)
        if (one.total.units_sold >= query.units_sold && one.total.units_returned > 0)
            sold_enough.push_back(&one);
    return first_of(std::move(sold_enough), query.count, [](const product& a, const product& b) {
        return a.total.return_rate() != b.total.return_rate()
                   ? a.total.return_rate() > b.total.return_rate()
                   : a.sku < b.sku;
    });
}

inline std::optional<product> answer(const sales_by_product& view, const one_product& query) {
    const auto found = view.products.find(query.sku);
    return found == view.products.end() ? std::nullopt : std::optional(found->second);
}

} // namespace retail::analytics
