#pragma once

#include "annals/codec.hpp"

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

/// How much memory a value holds besides its own `sizeof`: what limits in bytes count.
///
/// Found without help: text, vectors, lists, maps, sets, optionals, variants, pairs, tuples, arrays,
/// `std::unique_ptr`, structs that name their fields (ANNALS_FIELDS), and plain structs of up to 16
/// members without base classes and C arrays. Anything else counts as nothing; so does what is shared
/// (`std::shared_ptr`, views). Such a type says itself what it holds, by an overload in its
/// namespace, which is always preferred:
///
///     std::size_t size_hint(const my_command&);
namespace annals {

/// What an allocation takes: a header before it, rounded up to the allocator's grain.
[[nodiscard]] constexpr std::size_t allocated_bytes(std::size_t asked_for) noexcept {
    constexpr std::size_t header = 8;
    constexpr std::size_t grain = 16;
    constexpr std::size_t least = 32;
    const std::size_t rounded = (asked_for + header + grain - 1) / grain * grain;
    return asked_for == 0 ? 0 : rounded < least ? least : rounded;
}

template <class T>
[[nodiscard]] std::size_t memory_of(const T& value);

namespace detail {

template <class T>
concept hints_its_size = requires(const T& value) {
    { size_hint(value) } -> std::convertible_to<std::size_t>;
};
template <class T>
concept tuple_like = requires {
    std::tuple_size<T>::value;
};
template <class T>
concept optional_like = requires(const T& value) {
    typename T::value_type;
    value.has_value();
    *value;
};
template <class T>
concept container = requires(const T& value) {
    typename T::value_type;
    value.begin();
    value.end();
    value.size();
};
template <class T>
concept owning_pointer = requires(const T& value) {
    typename T::element_type;
    typename T::deleter_type;
    value.get();
};
template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

template <class T>
std::size_t memory_of_container(const T& value) {
    using element = typename T::value_type;
    constexpr std::size_t links = 4 * sizeof(void*); // of a node in a map, a set or a list
    std::size_t held = 0;
    if constexpr (requires {
                      value.capacity();
                      value.data();
                  }) {
        const auto* inside = reinterpret_cast<const std::byte*>(&value);
        const auto* first = reinterpret_cast<const std::byte*>(value.data());
        if (first < inside || first >= inside + sizeof value) // not a short text
            held = allocated_bytes(value.capacity() * sizeof(element));
    } else if constexpr (requires { value.capacity(); }) {
        held = allocated_bytes(value.capacity() / 8); // std::vector<bool>
    } else {
        held = value.size() * allocated_bytes(sizeof(element) + links);
        if constexpr (requires { value.bucket_count(); })
            held += allocated_bytes(value.bucket_count() * sizeof(void*));
    }
    if constexpr (!std::is_trivially_copyable_v<element>)
        for (const auto& each : value)
            held += memory_of(each);
    return held;
}

// --- plain structs ---------------------------------------------------------------------------------
//
// Their members are counted by trying how many initialisers they take, and reached by a structured
// binding (as in Boost.PFR). A struct that is not surely of this kind is left alone.

/// Stands for the initialiser of any member of T, for the compiler only.
template <class T>
struct any_member {
    template <class Member>
    requires(!std::is_base_of_v<Member, T>) operator Member() const { std::terminate(); }
};
/// And of any base class.
template <class T>
struct any_base {
    template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>) operator Base() const {
        std::terminate();
    }
};
/// And of any union: a binding does not reach into one without a name.
struct any_union {
    template <class Union>
    requires(std::is_union_v<Union>) operator Union() const { std::terminate(); }
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), any_member<T>{})...};
    };
}
/// With `{}` after them, which initialises whatever has a default.
template <class T, std::size_t... I>
constexpr bool takes_one_more(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), any_member<T>{})..., {}};
    };
}
/// With `{any, any}` after the members I and before the members J.
template <class T, std::size_t... I, std::size_t... J>
constexpr bool takes_pair(std::index_sequence<I...>, std::index_sequence<J...>) {
    return requires {
        T{(static_cast<void>(I), any_member<T>{})...,
          {any_member<T>{}, any_member<T>{}},
          (static_cast<void>(J), any_member<T>{})...};
    };
}

template <class T, std::size_t... I>
constexpr bool takes_union(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), any_member<T>{})..., any_union{}};
    };
}

inline constexpr std::size_t most_members = 16;

/// The number of members of T; `most_members` + 1 if it has more, 0 if it is not known: some type
/// cannot be made of `any_member`, but its neighbours can.
template <class T, std::size_t Count = 0>
constexpr std::size_t count_members() {
    if constexpr (!takes<T>(std::make_index_sequence<Count>{})) {
        if constexpr (Count == 0)
            return 0;
        else
            return takes_one_more<T>(std::make_index_sequence<Count - 1>{}) ? 0 : Count - 1;
    } else if constexpr (Count > most_members)
        return Count;
    else
        return count_members<T, Count + 1>();
}

/// The initialisers of an array's elements stand in a row, as if each were a member. If the member
/// at `At` can be given in braces, the others must still find their place behind it.
template <class T, std::size_t Count, std::size_t At = 0>
constexpr bool has_no_array_or_union() {
    if constexpr (At == Count)
        return true;
    else if constexpr (takes_union<T>(std::make_index_sequence<At>{}))
        return false;
    else if constexpr (takes_pair<T>(std::make_index_sequence<At>{}, std::index_sequence<>{}) &&
                       !takes_pair<T>(std::make_index_sequence<At>{},
                                      std::make_index_sequence<Count - At - 1>{}))
        return false;
    else
        return has_no_array_or_union<T, Count, At + 1>();
}

template <class T>
constexpr std::size_t plain_members() {
    if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T> || std::is_array_v<T>)
        return 0;
    else if constexpr (requires { T{any_base<T>{}}; })
        return 0;
    else if constexpr (constexpr std::size_t count = count_members<T>(); count > most_members)
        return 0;
    else
        return has_no_array_or_union<T, count>() ? count : 0;
}

template <class... Members>
std::size_t memory_of_all(const Members&... members) {
    return (std::size_t{0} + ... + memory_of(members));
}

template <class T>
std::size_t memory_of_members(const T& value) {
    constexpr std::size_t count = plain_members<T>();
#define ANNALS_DETAIL_MEMBERS(number, ...)                                                         \
    if constexpr (count == number) {                                                               \
        const auto& [__VA_ARGS__] = value;                                                         \
        return memory_of_all(__VA_ARGS__);                                                         \
    } else
    ANNALS_DETAIL_MEMBERS(1, a)
    ANNALS_DETAIL_MEMBERS(2, a, b)
    ANNALS_DETAIL_MEMBERS(3, a, b, c)
    ANNALS_DETAIL_MEMBERS(4, a, b, c, d)
    ANNALS_DETAIL_MEMBERS(5, a, b, c, d, e)
    ANNALS_DETAIL_MEMBERS(6, a, b, c, d, e, f)
    ANNALS_DETAIL_MEMBERS(7, a, b, c, d, e, f, g)
    ANNALS_DETAIL_MEMBERS(8, a, b, c, d, e, f, g, h)
    ANNALS_DETAIL_MEMBERS(9, a, b, c, d, e, f, g, h, i)
    ANNALS_DETAIL_MEMBERS(10, a, b, c, d, e, f, g, h, i, j)
    ANNALS_DETAIL_MEMBERS(11, a, b, c, d, e, f, g, h, i, j, k)
    ANNALS_DETAIL_MEMBERS(12, a, b, c, d, e, f, g, h, i, j, k, l)
    ANNALS_DETAIL_MEMBERS(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
    ANNALS_DETAIL_MEMBERS(14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
    ANNALS_DETAIL_MEMBERS(15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
    ANNALS_DETAIL_MEMBERS(16, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    return 0;
#undef ANNALS_DETAIL_MEMBERS
}

} // namespace detail

/// The memory that `value` holds besides its own `sizeof`, allocators' overhead included. What the
/// library cannot see counts as nothing; see above.
template <class T>
std::size_t memory_of(const T& value) {
    if constexpr (detail::hints_its_size<T>) {
        return size_hint(value);
    } else if constexpr (std::is_trivially_copyable_v<T>) {
        return 0;
    } else if constexpr (described<T>) {
        std::size_t held = 0;
        T::annals_visit_fields(
            value, [&](std::string_view, const auto& field) { held += memory_of(field); });
        return held;
    } else if constexpr (detail::tuple_like<T>) {
        return std::apply([](const auto&... each) { return detail::memory_of_all(each...); },
                          value);
    } else if constexpr (detail::is_variant<T>) {
        return value.valueless_by_exception()
                   ? 0
                   : std::visit([](const auto& one) { return memory_of(one); }, value);
    } else if constexpr (detail::optional_like<T>) {
        return value.has_value() ? memory_of(*value) : 0;
    } else if constexpr (detail::container<T>) {
        return detail::memory_of_container(value);
    } else if constexpr (detail::owning_pointer<T>) {
        using element = typename T::element_type;
        if constexpr (requires { sizeof(element); })
            return value ? allocated_bytes(sizeof(element)) + memory_of(*value) : 0;
        else
            return 0;
    } else {
        return detail::memory_of_members(value);
    }
}

} // namespace annals
