#pragma once

#include "turnover.hpp"

#include <annals/stored_map.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace retail::analytics {

struct customers;

struct one_customer {
    using view = customers;
    std::string id;
};
/// Who spent at least `spent`, the biggest spender first.
struct biggest_spenders {
    using view = customers;
    std::size_t count = 10;
    thousandths spent = std::numeric_limits<thousandths>::min();
};

struct customer {
    std::string country; ///< of the latest line
    std::chrono::sys_seconds first_seen{};
    std::chrono::sys_seconds last_seen{};
    turnover total;

    ANNALS_FIELDS(customer, country, first_seen, last_seen, total)
};
struct spender {
    std::string id;
    customer known;
};

/// Who buys, and for how much: a stored view. Its rows are on disk beside its checkpoint, so a restart
/// goes on where it was, and it may outgrow the memory. As in online_retail, an invoice without a
/// customer counts as one of its own ("guest-536365").
struct customers {
    static constexpr std::string_view name = "customers";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<one_customer, biggest_spenders>;

    using spend_and_id = std::pair<thousandths, std::string>;
    annals::stored_map<std::string, customer> by_id;
    annals::stored_map<spend_and_id, bool> by_spend; ///< an index: only its order matters

    ANNALS_FIELDS(customers, by_id, by_spend)
};

/// The customer before `line` and after it; the index follows.
template <class Count>
void change_customer(customers& view, const std::string& id, const invoice_line& line,
                     Count count) {
    customer known = view.by_id.value_or(id, customer{{}, line.invoiced, line.invoiced, {}});
    const thousandths spent_before = known.total.revenue();
    const bool is_new = known.total.lines == 0;
    count(known.total);
    known.country = line.country;
    known.first_seen = std::min(known.first_seen, line.invoiced);
    known.last_seen = std::max(known.last_seen, line.invoiced);
    view.by_id.put(id, known);
    if (!is_new && known.total.revenue() == spent_before)
        return;
    view.by_spend.erase({spent_before, id});
    view.by_spend.put({known.total.revenue(), id}, true);
}

inline void evolve(customers& view, const item_added& happened,
                   const annals::logged_context& context) {
    change_customer(view, std::string(context.id), happened.line,
                    [&](turnover& total) { total.sell(happened.line); });
}
inline void evolve(customers& view, const item_removed& happened,
                   const annals::logged_context& context) {
    change_customer(view, std::string(context.id), happened.line,
                    [&](turnover& total) { total.take_back(happened.line); });
}

inline std::optional<customer> answer(const customers& view, const one_customer& query) {
    return view.by_id.find(query.id);
}

inline std::vector<spender> answer(const customers& view, const biggest_spenders& query) {
    std::vector<spender> found;
    for (const auto& [key, indexed] : view.by_spend.from({query.spent, {}}).backwards()) {
        if (found.size() == query.count)
            break;
        found.push_back({key.second, view.by_id.value_or(key.second, {})});
    }
    return found;
}

} // namespace retail::analytics
