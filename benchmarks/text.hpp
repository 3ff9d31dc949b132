#pragma once

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>

namespace bench {

/// Everything that was given, one after the other.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
    std::ostringstream to;
    (to << ... << parts);
    return std::move(to).str();
}

/// "1,234,567".
[[nodiscard]] inline std::string grouped(double value) {
    std::string digits = std::to_string(std::llround(value));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (digits[0] == '-' ? 1 : 0);
         at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return digits;
}
[[nodiscard]] inline std::string grouped(std::size_t value) {
    return grouped(static_cast<double>(value));
}

/// With two digits behind the point.
[[nodiscard]] inline std::string two_digits(double value) {
    std::ostringstream to;
    to.setf(std::ios::fixed);
    to.precision(2);
    to << value;
    return std::move(to).str();
}

} // namespace bench
