#pragma once

#include "annals/codec.hpp"

#include <algorithm>
#include <cmath>

/// Codecs of single values: numbers, enums, text, bytes, ids and times.
namespace annals {

/// Chosen for a type that nothing below knows; using it does not compile.
template <class T>
struct codec {
    using annals_does_not_know_it = T; ///< for the concept `encodable`

    static void encode(encoder&, const T&) {
        static_assert(
            detail::no_codec_for<T>,
            "annals cannot write this type (see no_codec_for<...> above): name its fields "
            "with ANNALS_FIELDS(type, fields...), or specialise annals::codec for it");
    }
    static bool decode(const node&, T&, decode_error&) {
        static_assert(detail::no_codec_for<T>,
                      "annals cannot read this type (see no_codec_for<...> above): name its fields "
                      "with ANNALS_FIELDS(type, fields...), or specialise annals::codec for it");
        return false;
    }
};

template <>
struct codec<bool> {
    static void encode(encoder& to, bool value) { to.boolean(value); }
    static bool decode(const node& from, bool& value, decode_error& why) {
        return from.get(value) || why.expected("boolean", from);
    }
};

/// Integers of any width share one form on the wire, so a field may be widened later. `wchar_t` is
/// left out because its size differs between platforms, `char` is a case of its own below.
template <class T>
concept stored_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                         !std::same_as<T, wchar_t> && sizeof(T) <= sizeof(std::int64_t);

template <stored_integer T>
struct codec<T> {
    using widest = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;

    static void encode(encoder& to, T value) {
        if constexpr (std::is_signed_v<T>)
            to.integer(value);
        else
            to.natural(value);
    }
    static bool decode(const node& from, T& value, decode_error& why) {
        widest found{};
        if (!from.get(found))
            return from.kind() == node_kind::integer ? out_of_range(why)
                                                     : why.expected("integer", from);
        if (found < widest{std::numeric_limits<T>::min()} ||
            found > widest{std::numeric_limits<T>::max()})
            return out_of_range(why);
        value = static_cast<T>(found);
        return true;
    }

private:
    static bool out_of_range(decode_error& why) {
        return why.fail("integer out of range " +
                        std::to_string(widest{std::numeric_limits<T>::min()}) + " to " +
                        std::to_string(widest{std::numeric_limits<T>::max()}));
    }
};

/// A `char` is its byte, 0 to 255, whether or not `char` is signed here.
template <>
struct codec<char> {
    static void encode(encoder& to, char value) { to.natural(static_cast<unsigned char>(value)); }
    static bool decode(const node& from, char& value, decode_error& why) {
        unsigned char byte{};
        if (!codec<unsigned char>::decode(from, byte, why))
            return false;
        value = static_cast<char>(byte);
        return true;
    }
};

/// A lone byte is an integer; `bytes` are binary.
template <>
struct codec<std::byte> {
    static void encode(encoder& to, std::byte value) {
        to.natural(std::to_integer<unsigned>(value));
    }
    static bool decode(const node& from, std::byte& value, decode_error& why) {
        unsigned char byte{};
        if (!codec<unsigned char>::decode(from, byte, why))
            return false;
        value = std::byte{byte};
        return true;
    }
};

template <>
struct codec<double> {
    static void encode(encoder& to, double value) { to.real(value); }
    static bool decode(const node& from, double& value, decode_error& why) {
        return from.get(value) || why.expected("number", from);
    }
};

/// Read from a double too (rounded), unless it is finite and too large for a float.
template <>
struct codec<float> {
    static void encode(encoder& to, float value) { to.real(value); }
    static bool decode(const node& from, float& value, decode_error& why) {
        double found{};
        if (!from.get(found))
            return why.expected("number", from);
        if (std::isfinite(found) && std::abs(found) > double{std::numeric_limits<float>::max()})
            return why.fail("number out of range of float");
        value = static_cast<float>(found);
        return true;
    }
};

/// An enum is its underlying integer. Values without an enumerator are kept, as newer writers may
/// know more of them.
template <class T>
requires std::is_enum_v<T>
struct codec<T> {
    using underlying = std::underlying_type_t<T>;

    static void encode(encoder& to, T value) {
        codec<underlying>::encode(to, static_cast<underlying>(value));
    }
    static bool decode(const node& from, T& value, decode_error& why) {
        underlying found{};
        if (!codec<underlying>::decode(from, found, why))
            return false;
        value = static_cast<T>(found);
        return true;
    }
};

/// Text is taken and given back byte by byte; that it is UTF-8 is the host's business.
template <>
struct codec<std::string> {
    static void encode(encoder& to, const std::string& value) { to.text(value); }
    static bool decode(const node& from, std::string& value, decode_error& why) {
        std::string_view found;
        if (!from.get(found))
            return why.expected("text", from);
        value.assign(found);
        return true;
    }
};

template <>
struct codec<bytes> {
    static void encode(encoder& to, const bytes& value) { to.binary(value); }
    static bool decode(const node& from, bytes& value, decode_error& why) {
        bytes_view found;
        if (!from.get(found))
            return why.expected("binary", from);
        value.assign(found.begin(), found.end());
        return true;
    }
};

/// Binary of exactly N bytes.
template <std::size_t N>
struct codec<std::array<std::byte, N>> {
    static void encode(encoder& to, const std::array<std::byte, N>& value) { to.binary(value); }
    static bool decode(const node& from, std::array<std::byte, N>& value, decode_error& why) {
        bytes_view found;
        if (!from.get(found))
            return why.expected("binary", from);
        if (found.size() != N)
            return why.fail("expected " + std::to_string(N) + " bytes, found " +
                            std::to_string(found.size()));
        std::copy(found.begin(), found.end(), value.begin());
        return true;
    }
};

template <>
struct codec<uuid> {
    static void encode(encoder& to, const uuid& value) { to.binary(value.bytes); }
    static bool decode(const node& from, uuid& value, decode_error& why) {
        return codec<std::array<std::byte, 16>>::decode(from, value.bytes, why);
    }
};

/// A duration is its bare count: changing a field's unit later changes what is stored.
template <class Rep, class Period>
struct codec<std::chrono::duration<Rep, Period>> {
    using duration = std::chrono::duration<Rep, Period>;

    static void encode(encoder& to, const duration& value) {
        codec<Rep>::encode(to, value.count());
    }
    static bool decode(const node& from, duration& value, decode_error& why) {
        Rep count{};
        if (!codec<Rep>::decode(from, count, why))
            return false;
        value = duration{count};
        return true;
    }
};

/// A time is the bare count of its duration since its clock's epoch; `timestamp` thus is
/// microseconds since 1970.
template <class Clock, class Duration>
struct codec<std::chrono::time_point<Clock, Duration>> {
    static_assert(!std::same_as<Clock, std::chrono::steady_clock>,
                  "a steady_clock time means nothing after a restart: store an annals::timestamp");
    using time_point = std::chrono::time_point<Clock, Duration>;

    static void encode(encoder& to, const time_point& value) {
        codec<Duration>::encode(to, value.time_since_epoch());
    }
    static bool decode(const node& from, time_point& value, decode_error& why) {
        Duration since_epoch{};
        if (!codec<Duration>::decode(from, since_epoch, why))
            return false;
        value = time_point{since_epoch};
        return true;
    }
};

} // namespace annals
