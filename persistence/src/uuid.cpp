#include "annals/uuid.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace annals {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

/// The usual form is 8-4-4-4-12 digits: a dash comes before these bytes.
constexpr bool dash_before(std::size_t byte) noexcept {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

constexpr int digit_value(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

} // namespace

uuid uuid::of_name(std::string_view name) noexcept {
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(name.data(), name.size()));
    uuid id;
    static_assert(sizeof hash.digest == sizeof id.bytes);
    std::memcpy(id.bytes.data(), hash.digest, sizeof hash.digest);
    // Version 8 is "made by a rule of one's own" in RFC 9562; the variant is the RFC's.
    id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x80};
    id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return id;
}

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
    if (text.size() != 36)
        return std::nullopt;
    uuid id;
    std::size_t at = 0;
    for (std::size_t byte = 0; byte != id.bytes.size(); ++byte) {
        if (dash_before(byte) && text[at++] != '-')
            return std::nullopt;
        const int high = digit_value(text[at++]);
        const int low = digit_value(text[at++]);
        if (high < 0 || low < 0)
            return std::nullopt;
        id.bytes[byte] = static_cast<std::byte>(high * 16 + low);
    }
    return id;
}

std::string uuid::to_string() const {
    std::string text;
    text.reserve(36);
    for (std::size_t byte = 0; byte != bytes.size(); ++byte) {
        if (dash_before(byte))
            text += '-';
        const auto value = std::to_integer<std::size_t>(bytes[byte]);
        text += digits[value >> 4];
        text += digits[value & 0xf];
    }
    return text;
}

} // namespace annals

std::size_t std::hash<annals::uuid>::operator()(const annals::uuid& id) const noexcept {
    return XXH3_64bits(id.bytes.data(), id.bytes.size());
}
