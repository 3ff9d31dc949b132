#pragma once

#include "turnover.hpp"

#include <array>
#include <chrono>
#include <map>
#include <variant>

namespace retail::analytics {

struct sales_by_time;

struct daily_sales {
    using view = sales_by_time;
};
struct hourly_sales {
    using view = sales_by_time;
};

using days_turnover = std::map<std::chrono::sys_days, turnover>;
using hours_turnover = std::array<turnover, 24>;

/// When the shop earns its money: by day, and by hour of the day. By the time on the invoice, not by
/// that of the import, which `logged_context` would have.
struct sales_by_time {
    static constexpr std::string_view name = "sales_by_time";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<daily_sales, hourly_sales>;

    days_turnover days;   ///< with at least one line
    hours_turnover hours; ///< from midnight

    ANNALS_FIELDS(sales_by_time, days, hours)
};

inline std::chrono::sys_days day_of(const invoice_line& line) {
    return std::chrono::floor<std::chrono::days>(line.invoiced);
}
inline std::size_t hour_of(const invoice_line& line) {
    const auto since_midnight = line.invoiced - day_of(line);
    return static_cast<std::size_t>(std::chrono::floor<std::chrono::hours>(since_midnight).count());
}

inline void evolve(sales_by_time& view, const item_added& happened) {
    view.days[day_of(happened.line)].sell(happened.line);
    view.hours[hour_of(happened.line)].sell(happened.line);
}
inline void evolve(sales_by_time& view, const item_removed& happened) {
    view.days[day_of(happened.line)].take_back(happened.line);
    view.hours[hour_of(happened.line)].take_back(happened.line);
}

inline days_turnover answer(const sales_by_time& view, const daily_sales&) {
    return view.days;
}
inline hours_turnover answer(const sales_by_time& view, const hourly_sales&) {
    return view.hours;
}

} // namespace retail::analytics
