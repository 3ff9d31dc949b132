#include "annals/rate_statistics.hpp"

#include <algorithm>
#include <map>

namespace annals {

rate_statistics statistics_of(const std::vector<std::pair<std::string, std::uint64_t>>& counts,
                              double seconds) {
    std::map<std::string, std::uint64_t> by_type;
    rate_statistics made;
    made.seconds = seconds;
    for (const auto& [type, count] : counts) {
        if (count != 0)
            by_type[type] += count;
        made.count += count;
    }
    for (const auto& [type, count] : by_type) {
        type_rate one;
        one.type = type;
        one.count = count;
        one.share = static_cast<double>(count) / static_cast<double>(made.count);
        one.per_minute = seconds > 0 ? static_cast<double>(count) * 60 / seconds : 0;
        made.types.push_back(std::move(one));
    }
    std::stable_sort(made.types.begin(), made.types.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    if (made.types.empty())
        return made;
    const auto number = static_cast<double>(made.types.size());
    for (const auto& each : made.types)
        made.mean_per_minute += each.per_minute / number;
    for (const auto& each : made.types) {
        const double off = each.per_minute - made.mean_per_minute;
        made.variance += off * off / number;
    }
    return made;
}

} // namespace annals
