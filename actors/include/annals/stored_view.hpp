#pragma once

#include "annals/domain.hpp"
#include "annals/stored_map.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

/// Which views are stored, and how their maps get their rows.
namespace annals {

template <class T>
inline constexpr bool is_stored_map = false;
template <class Key, class Value>
inline constexpr bool is_stored_map<stored_map<Key, Value>> = true;

namespace detail {

/// A V to be looked at by the compiler, never made. (The idea is that of Boost.PFR's fake objects.)
template <class V>
struct imagined {
    V value;
};
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class V>
extern const imagined<V> imagined_view;

template <described V>
constexpr std::size_t count_stored_maps() {
    std::size_t count = 0;
    V::annals_visit_fields(imagined_view<V>.value, [&](std::string_view, const auto& field) {
        count += is_stored_map<std::remove_cvref_t<decltype(field)>>;
    });
    return count;
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// Stands for the initialiser of any member of V.
template <class V>
struct member_of {
    template <class Member>
    requires(!std::is_base_of_v<Member, V>) operator Member() const;
};

/// True if V has more members than its ANNALS_FIELDS names. Where it cannot tell it says false.
template <described V>
constexpr bool has_unnamed_members() {
    if constexpr (std::is_aggregate_v<V>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return requires {
                V{(static_cast<void>(I), member_of<V>{})...};
            };
        }
    (std::make_index_sequence<V::annals_field_count + 1>{});
    else return false;
}

} // namespace detail

/// A view that names a stored map among its fields, and so wants to be stored.
template <class V>
concept names_stored_maps = view<V> && described<V> &&(detail::count_stored_maps<V>() > 0);

/// A view whose rows annals keeps: each of its fields is a stored map.
template <class V>
concept stored_view = names_stored_maps<V> &&
    (detail::count_stored_maps<V>() == V::annals_field_count);

/// What the compiler says of a view that wants to be stored and cannot be.
template <class V>
struct require_stored_view {
    static_assert(
        stored_view<V>,
        "annals: this view has stored maps and other members beside them, which would be "
        "lost with the process. Make each member a stored_map - a single value is the one "
        "row of a map - or use none");
    static_assert(!stored_view<V> || !detail::has_unnamed_members<V>(),
                  "annals: this stored view has a member that its ANNALS_FIELDS does not name; its "
                  "rows would be lost with the process. Name every member");
    static constexpr bool ok = stored_view<V> && !detail::has_unnamed_members<V>();
};

/// Gives each map of `view` its part of `rows`: the table with the number of its place in
/// ANNALS_FIELDS, counted from 1. `rows` outlives `view`.
template <stored_view V>
void bind_tables(V& view, table_rows& rows) {
    unsigned number = 0;
    V::annals_visit_fields(view, [&](std::string_view name, auto& map) {
        map.table().bind(rows, static_cast<std::byte>(++number), name);
    });
}

/// The names of V's tables in order: "by_product,by_day".
template <stored_view V>
[[nodiscard]] std::string shape_of() {
    std::string names;
    const V view{};
    V::annals_visit_fields(view, [&](std::string_view name, const auto&) {
        names.append(names.empty() ? "" : ",").append(name);
    });
    return names;
}

} // namespace annals
