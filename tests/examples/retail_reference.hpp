#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The figures of the online_retail example, computed once more in the simplest way: all rows in
/// memory, maps, one loop. It shares no code with the example and takes well-formed input only.
namespace annals::test {

using csv_row = std::vector<std::string>;

/// The rows of well-formed CSV text without its header, one character at a time.
inline std::vector<csv_row> split_csv(std::string_view text) {
    std::vector<csv_row> rows(1);
    std::string field;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
            field += '"';
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ',' || c == '\n')) {
            rows.back().push_back(std::exchange(field, {}));
            if (c == '\n')
                rows.emplace_back();
        } else {
            field += c;
        }
    }
    if (!field.empty() || !rows.back().empty())
        rows.back().push_back(field);
    else
        rows.pop_back();
    rows.erase(rows.begin());
    return rows;
}

/// What `online_retail --json` says of a store that holds the first `count` rows of `rows`, as far
/// as it does not depend on how many runs it took. `first_run` receives the rest: accepted, rejected.
inline nlohmann::json reference_figures(const std::vector<csv_row>& rows, std::size_t count,
                                        nlohmann::json* first_run = nullptr) {
    struct product {
        std::int64_t units = 0;
        std::int64_t revenue = 0;
    };
    std::map<std::string, std::map<std::string, std::int64_t>> held; // by cart, by sku
    std::map<std::string, std::int64_t> events, rejected, by_country, by_day;
    std::map<std::string, product> products;
    std::set<std::string> carts;
    std::int64_t units = 0, revenue = 0, stored = 0;
    events["cart.item_added"] = events["cart.item_removed"] = 0;

    for (std::size_t i = 0; i < std::min(count, rows.size()); ++i) {
        const csv_row& row = rows[i];
        const std::string cart = row[6] == "NA" || row[6].empty() ? "guest-" + row[0] : row[6];
        const std::int64_t quantity = std::stoll(row[3]);
        const std::int64_t price = std::llround(std::stod(row[5]) * 1000);
        std::int64_t& in_cart = held[cart][row[1]];
        std::string refused;
        if (quantity > 0 && price < 0)
            refused = "negative price";
        else if (quantity < 0 && in_cart == 0)
            refused = "not in cart";
        else if (quantity < 0 && in_cart + quantity < 0)
            refused = "more than in cart";
        if (!refused.empty()) {
            ++rejected[refused];
            continue;
        }
        in_cart += quantity;
        ++stored;
        ++events[quantity > 0 ? "cart.item_added" : "cart.item_removed"];
        carts.insert(cart);
        units += quantity;
        revenue += quantity * price;
        by_country[row[7]] += quantity * price;
        products[row[1]].units += quantity;
        products[row[1]].revenue += quantity * price;
        ++by_day[row[4].substr(0, 10)];
    }

    std::vector<std::pair<std::string, product>> best(products.begin(), products.end());
    std::stable_sort(best.begin(), best.end(), [](const auto& a, const auto& b) {
        return a.second.revenue > b.second.revenue;
    });
    best.resize(std::min<std::size_t>(best.size(), 10));
    nlohmann::json top = nlohmann::json::array();
    for (const auto& [sku, sold] : best)
        top.push_back({{"sku", sku}, {"units", sold.units}, {"revenue_thousandths", sold.revenue}});
    nlohmann::json busiest = nullptr;
    std::int64_t most = 0;
    for (const auto& [day, number] : by_day)
        if (number > most) {
            most = number;
            busiest = day;
        }
    if (first_run != nullptr)
        *first_run = {{"accepted", stored}, {"rejected", rejected}};
    return {{"carts", carts.size()},
            {"events", events},
            {"units", units},
            {"revenue_thousandths", revenue},
            {"revenue_by_country", nlohmann::json(by_country)},
            {"top_products", top},
            {"busiest_day", busiest},
            {"days", by_day.size()},
            {"head", stored}};
}

/// The part of `printed` that `reference_figures` knows.
inline nlohmann::json store_figures(nlohmann::json printed) {
    for (const char* of_the_run :
         {"rows", "accepted", "rejected", "already_stored", "malformed", "seconds"})
        printed.erase(of_the_run);
    return printed;
}

} // namespace annals::test
