#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace shop {

/// "1.99", "1.9" or "2" as pence, exactly: at most 99999 pounds and two decimals, nothing else.
[[nodiscard]] inline std::optional<int> read_price(std::string_view text) {
    const auto is_digits = [](std::string_view part, std::size_t most) {
        return !part.empty() && part.size() <= most &&
               part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const std::size_t point = text.find('.');
    const bool has_pence = point != std::string_view::npos;
    std::string digits(text.substr(0, point));
    std::string pence(has_pence ? text.substr(point + 1) : "00");
    if (!is_digits(digits, 5) || !is_digits(pence, 2))
        return std::nullopt;
    pence.resize(2, '0');
    return std::stoi(digits + pence);
}

/// Pence as "1.99".
[[nodiscard]] inline std::string price_text(long long pence) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%02lld", pence / 100, pence % 100);
    return text;
}

} // namespace shop
