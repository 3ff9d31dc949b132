#pragma once

// msgpack as tests write it down: byte by byte.

#include "annals/codec.hpp"

#include <initializer_list>
#include <string>

namespace annals::test {

inline bytes wire(std::initializer_list<int> values) {
    bytes out;
    for (const int value : values)
        out.push_back(static_cast<std::byte>(value));
    return out;
}

/// What keeps `payload` from being a T, or "" if it is one.
template <class T>
std::string refusal_of(const bytes& payload, const parse_limits& limits = {}) {
    const auto decoded = from_bytes<T>(payload, limits);
    if (decoded)
        return "";
    return decoded.error().code == errc::undecodable ? decoded.error().message : "wrong code";
}

/// What T's decoder says to the bytes of a `value` of another type.
template <class T, class Stored>
std::string refusal_to_read(const Stored& value) {
    return refusal_of<T>(to_bytes(value));
}

template <class T>
T through_the_wire(const T& value) {
    return from_bytes<T>(to_bytes(value)).value();
}

} // namespace annals::test
