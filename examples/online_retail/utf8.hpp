#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace retail {

/// True if all of `text` is below 128; eight bytes at a time, as nearly all of the input is.
[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t high_bits = 0x8080808080808080u;
    std::uint64_t seen = 0;
    while (text.size() >= sizeof seen) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data(), sizeof eight);
        seen |= eight;
        text.remove_prefix(sizeof eight);
    }
    for (char c : text)
        seen |= static_cast<unsigned char>(c);
    return (seen & high_bits) == 0;
}

/// True if `text` is well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or cut sequences.
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
    if (is_ascii(text))
        return true;
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    while (at != end) {
        const unsigned lead = *at++;
        if (lead < 0x80)
            continue;
        const int following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - at < following)
            return false;
        // The second byte's range keeps out overlong forms, surrogates and what is past U+10FFFF.
        const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (*at < lowest || *at > highest)
            return false;
        for (int i = 1; i < following; ++i)
            if ((at[i] & 0xc0u) != 0x80)
                return false;
        at += following;
    }
    return true;
}

} // namespace retail
