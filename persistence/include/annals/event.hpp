#pragma once

#include "annals/codec.hpp"

#include <string_view>

/// Names an event type and its fields; put it last inside the struct.
///
///     struct item_added {
///         std::string sku;
///         int quantity = 1;
///         ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
///     };
///
/// The name is the event's identity on disk, for ever: rename the struct freely, never the text.
/// A field may be added (older events get its default) or no longer listed (its stored values are
/// ignored). An event whose meaning changes is a new event type. The struct stays an aggregate; up
/// to 64 fields.
#define ANNALS_EVENT(Type, Name, ...)                                                              \
    [[maybe_unused]] static constexpr std::string_view annals_event_name = Name;                   \
    ANNALS_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__)

/// Names the fields of a plain struct that is part of an event.
#define ANNALS_FIELDS(Type, ...)                                                                   \
    using annals_described = Type;                                                                 \
    [[maybe_unused]] static constexpr std::size_t annals_field_count =                             \
        0 __VA_OPT__(ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_COUNT_FIELD, __VA_ARGS__));              \
    template <class Self, class Visit>                                                             \
    static constexpr void annals_visit_fields([[maybe_unused]] Self& self,                         \
                                              [[maybe_unused]] Visit&& visit) {                    \
        __VA_OPT__(ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_VISIT_FIELD, __VA_ARGS__))                 \
    }

#define ANNALS_DETAIL_COUNT_FIELD(field) +1
#define ANNALS_DETAIL_VISIT_FIELD(field) visit(std::string_view(#field), self.field);

// Recursion by rescanning, as in "Recursive macros with C++20 __VA_OPT__" (D. Mazières, 2021).
#define ANNALS_DETAIL_PARENS ()
#define ANNALS_DETAIL_EXPAND(...)                                                                  \
    ANNALS_DETAIL_EXPAND3(ANNALS_DETAIL_EXPAND3(ANNALS_DETAIL_EXPAND3(__VA_ARGS__)))
#define ANNALS_DETAIL_EXPAND3(...)                                                                 \
    ANNALS_DETAIL_EXPAND2(ANNALS_DETAIL_EXPAND2(ANNALS_DETAIL_EXPAND2(__VA_ARGS__)))
#define ANNALS_DETAIL_EXPAND2(...)                                                                 \
    ANNALS_DETAIL_EXPAND1(ANNALS_DETAIL_EXPAND1(ANNALS_DETAIL_EXPAND1(__VA_ARGS__)))
#define ANNALS_DETAIL_EXPAND1(...) ANNALS_DETAIL_EXPAND0(ANNALS_DETAIL_EXPAND0(__VA_ARGS__))
#define ANNALS_DETAIL_EXPAND0(...) __VA_ARGS__
#define ANNALS_DETAIL_FOR_EACH(macro, ...)                                                         \
    __VA_OPT__(ANNALS_DETAIL_EXPAND(ANNALS_DETAIL_FOR_ONE(macro, __VA_ARGS__)))
#define ANNALS_DETAIL_FOR_ONE(macro, first, ...)                                                   \
    macro(first) __VA_OPT__(ANNALS_DETAIL_FOR_AGAIN ANNALS_DETAIL_PARENS(macro, __VA_ARGS__))
#define ANNALS_DETAIL_FOR_AGAIN() ANNALS_DETAIL_FOR_ONE

namespace annals {

/// A value type that carries an event's name and fields (see ANNALS_EVENT).
template <class T>
concept event = described<T> && requires {
    { T::annals_event_name } -> std::convertible_to<std::string_view>;
};

/// The name under which events of type E are stored.
template <event E>
constexpr std::string_view event_name() noexcept {
    return E::annals_event_name;
}

} // namespace annals
