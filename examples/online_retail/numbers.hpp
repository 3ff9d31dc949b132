#pragma once

#include <cstdint>
#include <string>

namespace retail {

/// "1,234,567".
[[nodiscard]] inline std::string grouped(std::int64_t number) {
    std::string text = std::to_string(number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > first + 3;) {
        at -= 3;
        text.insert(at, ",");
    }
    return text;
}

[[nodiscard]] inline std::string grouped(std::uint64_t number) {
    return grouped(static_cast<std::int64_t>(number));
}

/// An amount in thousandths of a pound as "9,747,747.934".
[[nodiscard]] inline std::string pounds(std::int64_t amount) {
    const std::int64_t rest = amount < 0 ? -(amount % 1'000) : amount % 1'000;
    const std::string decimals = std::to_string(1'000 + rest).substr(1);
    const bool sign_is_lost = amount < 0 && amount > -1'000;
    return (sign_is_lost ? "-" : "") + grouped(amount / 1'000) + "." + decimals;
}

} // namespace retail
