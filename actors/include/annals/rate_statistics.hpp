#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace annals {

/// How often things of several types happen: events by their name, or queries by theirs.
struct type_rate {
    std::string type;
    std::uint64_t count = 0; ///< within the window
    double share = 0;        ///< of all counts; 0 if there are none
    double per_minute = 0;

    friend bool operator==(const type_rate&, const type_rate&) = default;
};

/// The types that occurred in the window, most frequent first (then by name), and how their rates are
/// spread: mean and population variance over them. Rates of 10, 5 and 3 per minute have mean 6 and
/// variance 26/3.
struct rate_statistics {
    std::vector<type_rate> types;
    std::uint64_t count = 0;    ///< of all types
    double seconds = 0;         ///< length of the window
    double mean_per_minute = 0; ///< over the types; 0 if there are none
    double variance = 0;        ///< of `per_minute` over the types, divided by their number

    friend bool operator==(const rate_statistics&, const rate_statistics&) = default;
};

/// The statistics of so many of each type within `seconds`. Types of the same name count together;
/// one with a count of 0 did not occur.
[[nodiscard]] rate_statistics
statistics_of(const std::vector<std::pair<std::string, std::uint64_t>>& counts, double seconds);

} // namespace annals
