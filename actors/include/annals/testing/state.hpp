#pragma once

#include "annals/decision.hpp"
#include "annals/stored_event.hpp"
#include "annals/testing/check.hpp"

#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// The host's own values, states and answers, in checks and their explanations.
namespace annals::testing {

/// Types whose values the codec can write, as far as that can be told from outside.
template <class T>
inline constexpr bool printable = std::is_arithmetic_v<T> || std::is_enum_v<T> || described<T>;
template <>
inline constexpr bool printable<std::string> = true;
template <>
inline constexpr bool printable<uuid> = true;
template <class T>
inline constexpr bool printable<std::vector<T>> = printable<T>;
template <class T>
inline constexpr bool printable<std::set<T>> = printable<T>;
template <class T>
inline constexpr bool printable<std::optional<T>> = printable<T>;
template <class T, std::size_t N>
inline constexpr bool printable<std::array<T, N>> = printable<T>;
template <class A, class B>
inline constexpr bool printable<std::pair<A, B>> = printable<A>&& printable<B>;
template <class K, class T>
inline constexpr bool printable<std::map<K, T>> = printable<K>&& printable<T>;

/// The value as JSON, or a remark that it cannot be shown.
template <class T>
[[nodiscard]] std::string show(const T& value) {
    if constexpr (std::convertible_to<const T&, std::string_view>)
        return show(std::string(std::string_view(value)));
    else if constexpr (printable<T>) {
        const auto json = payload_as_json(to_bytes(value));
        return json ? *json : json.error().message;
    } else {
        return "(a value without ANNALS_FIELDS, which cannot be shown)";
    }
}

/// Applies a test's own condition to a state.
template <class State, class Expected>
[[nodiscard]] check check_state(const State& state, Expected&& expected) {
    static_assert(std::invocable<Expected&, const State&>,
                  "annals: then_state() takes a function of const State&");
    using answer = std::invoke_result_t<Expected&, const State&>;
    if constexpr (std::is_void_v<answer>) {
        std::invoke(expected, state);
        return check::passed();
    } else if constexpr (std::same_as<std::remove_cvref_t<answer>, check>) {
        return std::invoke(expected, state);
    } else {
        if (std::invoke(expected, state))
            return check::passed();
        return check::failed("the state is not as expected:\n  " + show(state));
    }
}

} // namespace annals::testing
