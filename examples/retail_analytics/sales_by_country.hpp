#pragma once

#include "turnover.hpp"

#include <map>
#include <string>
#include <variant>

namespace retail::analytics {

struct sales_by_country;

struct sales_of_countries {
    using view = sales_by_country;
};

/// Where the shop's customers are.
struct sales_by_country {
    static constexpr std::string_view name = "sales_by_country";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<sales_of_countries>;

    std::map<std::string, turnover> countries;

    ANNALS_FIELDS(sales_by_country, countries)
};

inline void evolve(sales_by_country& view, const item_added& happened) {
    view.countries[happened.line.country].sell(happened.line);
}
inline void evolve(sales_by_country& view, const item_removed& happened) {
    view.countries[happened.line.country].take_back(happened.line);
}

inline std::map<std::string, turnover> answer(const sales_by_country& view,
                                              const sales_of_countries&) {
    return view.countries;
}

} // namespace retail::analytics
