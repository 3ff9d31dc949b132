#pragma once

#include "annals/codec.hpp"
#include "annals/projection_store.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// Keys of stored maps as bytes that are ordered as the keys are, so that an ordered store can find
/// ranges of them.
namespace annals {

/// The bytes of one key: at most `max_row_key_bytes`, on the stack. More throw `bad_result` with
/// `errc::too_large`.
class row_key {
public:
    row_key() noexcept {} // the bytes get their values with `size_`
    row_key(const row_key& other) noexcept : size_(other.size_) {
        std::memcpy(bytes_.data(), other.bytes_.data(), size_);
    }
    row_key& operator=(const row_key& other) noexcept {
        size_ = other.size_;
        std::memmove(bytes_.data(), other.bytes_.data(), size_);
        return *this;
    }

    void push(std::byte one) {
        if (size_ == bytes_.size())
            refuse();
        bytes_[size_++] = one;
    }
    void append(bytes_view more) {
        if (more.size() > bytes_.size() - size_)
            refuse();
        if (!more.empty())
            std::memcpy(bytes_.data() + size_, more.data(), more.size());
        size_ += more.size();
    }
    void clear() noexcept { size_ = 0; }
    [[nodiscard]] bytes_view view() const noexcept { return {bytes_.data(), size_}; }

    /// Becomes the least key that is greater than every key that begins with this one. Precondition:
    /// some byte is not FF.
    void to_end_of_prefix() noexcept {
        while (bytes_[size_ - 1] == std::byte{0xFF})
            --size_;
        bytes_[size_ - 1] =
            static_cast<std::byte>(std::to_integer<unsigned>(bytes_[size_ - 1]) + 1U);
    }

private:
    [[noreturn]] static void refuse();

    std::size_t size_ = 0;
    std::array<std::byte, max_row_key_bytes> bytes_;
};

/// How a key of type K becomes bytes. `a < b` is true of two keys exactly if it is true of their bytes
/// (`memcmp`), and no key's bytes are the beginning of another's, so that keys can follow each other in
/// a composite one. `decode` takes a key off the front of `from`; false, whatever the bytes, if none
/// is there. What is written here is on disk for ever.
template <class K>
struct table_key {
    static_assert(detail::no_codec_for<K>,
                  "annals: rows cannot be ordered by this type of key (see no_codec_for<...> "
                  "above). Keys are "
                  "integers, bool, double, enums, std::string, annals::uuid, times and durations, "
                  "std::pair and "
                  "std::tuple of these, and structs that name such fields with ANNALS_FIELDS");
    static void encode(row_key& to, const K& key);
    static bool decode(bytes_view& from, K& key);
};

namespace detail {

/// Big-endian, so that bytes are compared from the most significant one.
template <std::unsigned_integral U>
void encode_unsigned(row_key& to, U value) {
    std::array<std::byte, sizeof(U)> big{};
    for (std::size_t i = sizeof(U); i-- != 0; value = static_cast<U>(value >> 7 >> 1))
        big[i] = static_cast<std::byte>(value & U{0xFF});
    to.append(big);
}

template <std::unsigned_integral U>
bool decode_unsigned(bytes_view& from, U& value) {
    if (from.size() < sizeof(U))
        return false;
    value = 0;
    for (const std::byte one : from.first(sizeof(U)))
        value = static_cast<U>(static_cast<U>(value << 7 << 1) | std::to_integer<U>(one));
    from = from.subspan(sizeof(U));
    return true;
}

template <class U>
inline constexpr U top_bit = static_cast<U>(U{1} << (sizeof(U) * 8 - 1));

/// A zero byte becomes 00 FF and 00 00 ends the text, which thus is less than any longer one.
void encode_text(row_key& to, std::string_view text);
/// As much of a text as is known of all that begin with it: `encode_text` without its end.
void encode_text_prefix(row_key& to, std::string_view prefix);
bool decode_text(bytes_view& from, std::string& text);

} // namespace detail

/// Signed ones with their sign bit turned over, so that negative numbers come first.
template <stored_integer K>
struct table_key<K> {
    using bits = std::make_unsigned_t<K>;
    static constexpr bits flipped = std::is_signed_v<K> ? detail::top_bit<bits> : bits{0};

    static void encode(row_key& to, K key) {
        detail::encode_unsigned(to, static_cast<bits>(static_cast<bits>(key) ^ flipped));
    }
    static bool decode(bytes_view& from, K& key) {
        bits found{};
        if (!detail::decode_unsigned(from, found))
            return false;
        key = static_cast<K>(static_cast<bits>(found ^ flipped));
        return true;
    }
};

/// Ordered by their bytes, 0 to 255, whether or not `char` is signed here.
template <>
struct table_key<char> {
    static void encode(row_key& to, char key) { to.push(static_cast<std::byte>(key)); }
    static bool decode(bytes_view& from, char& key) {
        unsigned char found{};
        if (!detail::decode_unsigned(from, found))
            return false;
        key = static_cast<char>(found);
        return true;
    }
};

template <>
struct table_key<bool> {
    static void encode(row_key& to, bool key) { to.push(std::byte{key}); }
    static bool decode(bytes_view& from, bool& key) {
        unsigned char found{};
        if (!detail::decode_unsigned(from, found) || found > 1)
            return false;
        key = found == 1;
        return true;
    }
};

/// Ordered by their underlying integers.
template <class K>
requires std::is_enum_v<K>
struct table_key<K> {
    using underlying = std::underlying_type_t<K>;
    static void encode(row_key& to, K key) {
        table_key<underlying>::encode(to, static_cast<underlying>(key));
    }
    static bool decode(bytes_view& from, K& key) {
        underlying found{};
        if (!table_key<underlying>::decode(from, found))
            return false;
        key = static_cast<K>(found);
        return true;
    }
};

/// As IEEE 754 bits, of which a negative number's are all turned over. The two zeros are one key. Not
/// a number has no place in the order: it throws `bad_result` with `errc::invalid_argument`.
template <std::floating_point K>
requires(sizeof(K) <= 8) struct table_key<K> {
    using bits = std::conditional_t<sizeof(K) == 4, std::uint32_t, std::uint64_t>;
    static constexpr bits sign = detail::top_bit<bits>;

    static void encode(row_key& to, K key) {
        if (std::isnan(key))
            throw bad_result(
                {errc::invalid_argument,
                 "a row's key must not be NaN, which has no order; leave the row out"});
        const bits raw = std::bit_cast<bits>(key == 0 ? K{0} : key);
        detail::encode_unsigned(to, (raw & sign) != 0 ? static_cast<bits>(~raw) : raw | sign);
    }
    static bool decode(bytes_view& from, K& key) {
        bits found{};
        if (!detail::decode_unsigned(from, found))
            return false;
        const bits raw = (found & sign) != 0 ? found ^ sign : static_cast<bits>(~found);
        key = std::bit_cast<K>(raw);
        return !std::isnan(key) && raw != sign;
    }
};

template <>
struct table_key<std::string> {
    static void encode(row_key& to, std::string_view key) { detail::encode_text(to, key); }
    static bool decode(bytes_view& from, std::string& key) {
        return detail::decode_text(from, key);
    }
};

/// To look for a text without making a string. Rows are read with `std::string`.
template <>
struct table_key<std::string_view> {
    static void encode(row_key& to, std::string_view key) { detail::encode_text(to, key); }
};

template <>
struct table_key<uuid> {
    static void encode(row_key& to, const uuid& key) { to.append(key.bytes); }
    static bool decode(bytes_view& from, uuid& key) {
        if (from.size() < key.bytes.size())
            return false;
        std::memcpy(key.bytes.data(), from.data(), key.bytes.size());
        from = from.subspan(key.bytes.size());
        return true;
    }
};

/// The bare count, whole ones always in 8 bytes: libraries differ in how they count days.
template <class Rep, class Period>
struct table_key<std::chrono::duration<Rep, Period>> {
    using duration = std::chrono::duration<Rep, Period>;
    using counted = std::conditional_t<std::is_floating_point_v<Rep>, Rep, std::int64_t>;
    static_assert(std::is_floating_point_v<Rep> || std::is_signed_v<Rep>,
                  "annals: a key's duration counts with a signed type");

    static void encode(row_key& to, const duration& key) {
        table_key<counted>::encode(to, key.count());
    }
    static bool decode(bytes_view& from, duration& key) {
        counted found{};
        if (!table_key<counted>::decode(from, found))
            return false;
        key = duration{static_cast<Rep>(found)};
        return std::is_floating_point_v<Rep> || static_cast<counted>(key.count()) == found;
    }
};

/// The time since its clock's epoch.
template <class Clock, class Duration>
struct table_key<std::chrono::time_point<Clock, Duration>> {
    static_assert(!std::same_as<Clock, std::chrono::steady_clock>,
                  "annals: a steady_clock time means nothing after a restart: use an "
                  "annals::timestamp as key");
    using time_point = std::chrono::time_point<Clock, Duration>;

    static void encode(row_key& to, const time_point& key) {
        table_key<Duration>::encode(to, key.time_since_epoch());
    }
    static bool decode(bytes_view& from, time_point& key) {
        Duration found{};
        if (!table_key<Duration>::decode(from, found))
            return false;
        key = time_point{found};
        return true;
    }
};

template <class First, class Second>
struct table_key<std::pair<First, Second>> {
    static void encode(row_key& to, const std::pair<First, Second>& key) {
        table_key<First>::encode(to, key.first);
        table_key<Second>::encode(to, key.second);
    }
    static bool decode(bytes_view& from, std::pair<First, Second>& key) {
        return table_key<First>::decode(from, key.first) &&
               table_key<Second>::decode(from, key.second);
    }
};

template <class... Parts>
struct table_key<std::tuple<Parts...>> {
    static_assert(sizeof...(Parts) > 0, "annals: a key has at least one part");
    static void encode(row_key& to, const std::tuple<Parts...>& key) {
        std::apply([&](const auto&... part) { (table_key<Parts>::encode(to, part), ...); }, key);
    }
    static bool decode(bytes_view& from, std::tuple<Parts...>& key) {
        return std::apply(
            [&](auto&... part) { return (table_key<Parts>::decode(from, part) && ...); }, key);
    }
};

/// Ordered by the first field, then by the second, and so on, as ANNALS_FIELDS lists them.
template <described K>
struct table_key<K> {
    static_assert(
        std::same_as<typename K::annals_described, K>,
        "annals: ANNALS_FIELDS of a base class does not list this type's own fields: give "
        "the key its own ANNALS_FIELDS, or check the name in the macro");
    static_assert(K::annals_field_count > 0, "annals: a key has at least one field");

    static void encode(row_key& to, const K& key) {
        K::annals_visit_fields(key, [&](std::string_view, const auto& field) {
            table_key<std::remove_cvref_t<decltype(field)>>::encode(to, field);
        });
    }
    static bool decode(bytes_view& from, K& key) {
        bool decoded = true;
        K::annals_visit_fields(key, [&](std::string_view, auto& field) {
            decoded =
                decoded && table_key<std::remove_cvref_t<decltype(field)>>::decode(from, field);
        });
        return decoded;
    }
};

} // namespace annals
