#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace annals {

/// 128 bits that name one command, event or chain of causes. The all-zero value means "none".
struct uuid {
    std::array<std::byte, 16> bytes{};

    /// The id that `name` always has: the same text gives the same id on every machine. Use it to
    /// make a command id from something the host already has, such as a row or order number.
    /// The hash (XXH3, 128 bits) is fast but not cryptographic: do not feed it hostile names.
    [[nodiscard]] static uuid of_name(std::string_view name) noexcept;

    /// Reads the usual 36-character form; nothing else is accepted.
    [[nodiscard]] static std::optional<uuid> parse(std::string_view text) noexcept;

    [[nodiscard]] bool is_nil() const noexcept { return *this == uuid{}; }
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(const uuid&, const uuid&) = default;
    friend bool operator==(const uuid&, const uuid&) = default;
};

} // namespace annals

template <>
struct std::hash<annals::uuid> {
    std::size_t operator()(const annals::uuid& id) const noexcept;
};
