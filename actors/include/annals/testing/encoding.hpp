#pragma once

#include "annals/codec.hpp"
#include "annals/event.hpp"

#include <array>
#include <concepts>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// Does an event come back from its bytes as it was? Asked without an operator==, which events need
/// not have: a field that is not listed in ANNALS_EVENT is found by counting.
namespace annals::testing {

namespace detail {

/// Stands for the initialiser of any member of T, but not of T itself or of one of its bases.
template <class T>
struct any_member {
    template <class Member>
    requires(!std::is_base_of_v<Member, T>) operator Member() const {
        std::abort(); // only its type is looked at
    }
};

template <class T, std::size_t... I>
constexpr bool is_made_of(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), any_member<T>{})...};
    };
}

/// True if the aggregate T has more members than its macro lists. (The idea of counting by trying
/// initialisers is that of Boost.PFR.) Where it cannot tell, as with empty bases, it says false.
template <described T>
constexpr bool has_unlisted_fields() {
    if constexpr (std::is_aggregate_v<T>)
        return is_made_of<T>(std::make_index_sequence<T::annals_field_count + 1>{});
    else
        return false;
}

/// Calls `look` with the type of each value that a T may hold: its elements, or its listed fields.
template <class T>
struct parts_of {
    template <class Look>
    static void each(Look&&) {}
};
template <template <class...> class Template, class... Ts>
struct parts_of<Template<Ts...>> {
    template <class Look>
    static void each(Look&& look) {
        (look(std::string_view(), std::type_identity<Ts>{}), ...);
    }
};
template <class T, std::size_t N>
struct parts_of<std::array<T, N>> {
    template <class Look>
    static void each(Look&& look) {
        look(std::string_view(), std::type_identity<T>{});
    }
};
template <described T>
struct parts_of<T> {
    template <class Look>
    static void each(Look&& look) {
        const T value{};
        T::annals_visit_fields(value, [&](std::string_view name, const auto& field) {
            look(name, std::type_identity<std::remove_cvref_t<decltype(field)>>{});
        });
    }
};

/// The path from T to a struct with unlisted fields: "" is T itself, "lines.price" a struct in it.
/// `depth` ends the search in types that contain themselves.
template <class T>
std::optional<std::string> path_to_unlisted_fields(std::size_t depth = 8) {
    if constexpr (described<T>)
        if (has_unlisted_fields<T>())
            return "";
    std::optional<std::string> found;
    if (depth == 0)
        return found;
    parts_of<T>::each([&]<class Part>(std::string_view name, std::type_identity<Part>) {
        if (found)
            return;
        found = path_to_unlisted_fields<Part>(depth - 1);
        if (found && !name.empty())
            *found = std::string(name) + (found->empty() ? "" : ".") + *found;
    });
    return found;
}

} // namespace detail

/// Why a reader of the stored event would not see what was decided; nothing if it would.
template <event E>
[[nodiscard]] std::optional<std::string> lost_by_encoding(const E& happened) {
    const std::string verdict = std::string(event_name<E>()) + " does not survive encoding: ";
    if (const auto path = detail::path_to_unlisted_fields<E>())
        return verdict + (path->empty()
                              ? "the struct has a field that its ANNALS_EVENT does not list"
                              : "the struct in its field " + *path +
                                    " has a field that its ANNALS_FIELDS does not list");
    const auto decoded = from_bytes<E>(to_bytes(happened));
    if (!decoded)
        return verdict + decoded.error().message;
    if constexpr (std::equality_comparable<E>)
        // An event that does not equal itself (NaN) says nothing.
        if (happened == happened && !(*decoded == happened))
            return verdict + "decoded, it is not equal to what was encoded; look for an operator== "
                             "or a codec that is wrong about one of its fields";
    return std::nullopt;
}

} // namespace annals::testing
