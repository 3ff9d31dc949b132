#pragma once

#include "annals/codec.hpp"

#include <array>
#include <string_view>

/// Names an event type and its fields; put it last inside the struct.
///
///     struct item_added {
///         std::string sku;
///         int quantity = 1;
///         ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
///     };
///
/// What is stored is the text and the names of the fields, so both are kept for ever. The struct itself
/// may be renamed. A field
/// - may be added: older events get its default;
/// - may be renamed, where ANNALS_RENAMED_FIELDS says what it was called;
/// - may be removed; where another one was added since, ANNALS_DROPPED_FIELDS names the removed one.
///
/// An event that lacks a listed field and carries an unknown one is not read as if the field had its
/// default: probably it was renamed. Reading it is the error `undecodable`, which names both fields.
/// The same holds for every struct that names its fields: inside an event, a row or a view's copy.
///
/// An event whose meaning changes is a new event type. The struct stays an aggregate; up to 64 fields.
#define ANNALS_EVENT(Type, Name, ...)                                                              \
    [[maybe_unused]] static constexpr std::string_view annals_event_name = Name;                   \
    ANNALS_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__)

/// Says what fields were called when older events were stored: pairs of the old name and the field. Put
/// it before ANNALS_EVENT or ANNALS_FIELDS.
///
///     struct deposited {
///         std::int64_t sum = 0;
///         ANNALS_RENAMED_FIELDS((amount, sum))
///         ANNALS_EVENT(deposited, "account.deposited", sum)
///     };
///
/// A field may have had several names. A value that was stored under two of them is an error.
#define ANNALS_RENAMED_FIELDS(...)                                                                 \
    [[maybe_unused]] static constexpr ::annals::renamed_field annals_renamed_fields[] = {          \
        ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_RENAMED_FIELD, __VA_ARGS__)};

/// Names fields that older events carry and that nothing reads any more. Put it before ANNALS_EVENT or
/// ANNALS_FIELDS: `ANNALS_DROPPED_FIELDS(currency, note)`.
#define ANNALS_DROPPED_FIELDS(...)                                                                 \
    [[maybe_unused]] static constexpr std::string_view annals_dropped_fields[] = {                 \
        ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_FIELD_NAME, __VA_ARGS__)};

/// Names the fields of a plain struct that is part of an event.
#define ANNALS_FIELDS(Type, ...)                                                                   \
    using annals_described = Type;                                                                 \
    [[maybe_unused]] static constexpr std::size_t annals_field_count =                             \
        0 __VA_OPT__(ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_COUNT_FIELD, __VA_ARGS__));              \
    [[maybe_unused]] static constexpr std::array<std::string_view, annals_field_count>             \
        annals_field_names{                                                                        \
            __VA_OPT__(ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_FIELD_NAME, __VA_ARGS__))};            \
    template <class Self, class Visit>                                                             \
    static constexpr void annals_visit_fields([[maybe_unused]] Self& self,                         \
                                              [[maybe_unused]] Visit&& visit) {                    \
        __VA_OPT__(ANNALS_DETAIL_FOR_EACH(ANNALS_DETAIL_VISIT_FIELD, __VA_ARGS__))                 \
    }

#define ANNALS_DETAIL_COUNT_FIELD(field) +1
#define ANNALS_DETAIL_FIELD_NAME(field) std::string_view(#field),
#define ANNALS_DETAIL_RENAMED_FIELD(pair) ::annals::renamed_field{ANNALS_DETAIL_NAME_BOTH pair},
#define ANNALS_DETAIL_NAME_BOTH(then, now) #then, #now
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
