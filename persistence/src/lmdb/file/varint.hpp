#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

/// Numbers as they stand in records and heads: fixed ones little-endian, the others as LEB128
/// varints (seven bits a byte, low bits first, the top bit set on all but the last byte).
namespace annals::lmdb {

inline constexpr std::size_t max_varint_bytes = 10;

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

template <class T>
constexpr std::byte* put_fixed(std::byte* to, T value) noexcept {
    for (std::size_t i = 0; i != sizeof(T); ++i)
        *to++ = static_cast<std::byte>((value >> (8 * i)) & 0xff);
    return to;
}

template <class T>
constexpr T get_fixed(const std::byte* from) noexcept {
    T value = 0;
    for (std::size_t i = 0; i != sizeof(T); ++i)
        value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
    return value;
}

constexpr std::byte* put_varint(std::byte* to, std::uint64_t value) noexcept {
    for (; value >= 0x80; value >>= 7)
        *to++ = static_cast<std::byte>(value | 0x80);
    *to++ = static_cast<std::byte>(value);
    return to;
}

/// Reads from untrusted bytes: never past the end, and only the shortest form of a number, so that
/// every value has one encoding.
class varint_reader {
public:
    constexpr varint_reader(const std::byte* begin, const std::byte* end) noexcept
        : at_(begin),
          end_(end) {}

    /// 0 once anything was malformed; see ok().
    constexpr std::uint64_t next() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto piece = static_cast<std::uint64_t>(*at_++);
            value |= (piece & 0x7f) << shift;
            if (piece < 0x80) {
                const bool shortest = piece != 0 || shift == 0;
                const bool fits = shift < 63 || piece <= 1;
                ok_ = ok_ && shortest && fits;
                return ok_ ? value : 0;
            }
        }
        ok_ = false;
        return 0;
    }

    [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
    [[nodiscard]] constexpr const std::byte* position() const noexcept { return at_; }

private:
    const std::byte* at_;
    const std::byte* end_;
    bool ok_ = true;
};

} // namespace annals::lmdb
