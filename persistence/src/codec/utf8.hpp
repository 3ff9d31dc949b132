#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace annals {

/// Takes the first character off `text` (which is not empty). Nothing, and `text` left alone, if it
/// does not begin with well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates).
[[nodiscard]] constexpr std::optional<char32_t> take_utf8(std::string_view& text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > text.size() || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4)
        return std::nullopt;
    char32_t character = size == 1 ? lead : lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i != size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return std::nullopt;
        character = (character << 6) | (byte(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    if (overlong || surrogate || character > 0x10ffff)
        return std::nullopt;
    text.remove_prefix(size);
    return character;
}

} // namespace annals
