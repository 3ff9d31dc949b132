#pragma once

#include "annals/codec.hpp"

#include <algorithm>

/// Codecs of values that hold other values. Reading replaces what the container held before.
namespace annals {

namespace detail {

/// Decodes one element of a list, and says which one it was if that fails.
template <class T>
bool decode_element(const node& list, std::size_t index, T& value, decode_error& why) {
    if (annals::decode(list.at(index), value, why))
        return true;
    why.within_element(index);
    return false;
}

inline bool expect_list_of(std::size_t size, const node& from, decode_error& why) {
    if (from.kind() != node_kind::list)
        return why.expected("list", from);
    return from.size() == size || why.fail("expected " + std::to_string(size) +
                                           " elements, found " + std::to_string(from.size()));
}

/// Lists whose length is free: vectors and sets.
template <class List, class Add>
bool decode_list(const node& from, decode_error& why, Add add) {
    if (from.kind() != node_kind::list)
        return why.expected("list", from);
    for (std::size_t i = 0; i != from.size(); ++i) {
        typename List::value_type element{};
        if (!decode_element(from, i, element, why))
            return false;
        add(std::move(element));
    }
    return true;
}

/// Text keys are map keys like any other; so are numbers, ids and even lists.
template <class Map>
struct map_codec {
    static void encode(encoder& to, const Map& value) {
        to.map(value.size());
        for (const auto& [key, mapped] : value) {
            annals::encode(to, key);
            annals::encode(to, mapped);
        }
    }
    /// A key that occurs twice is an error: the bytes do not say what was meant.
    static bool decode(const node& from, Map& value, decode_error& why) {
        if (from.kind() != node_kind::map)
            return why.expected("map", from);
        value.clear();
        for (std::size_t i = 0; i != from.size(); ++i) {
            typename Map::key_type key{};
            typename Map::mapped_type mapped{};
            if (!annals::decode(from.key_at(i), key, why) ||
                !annals::decode(from.value_at(i), mapped, why)) {
                why.within_element(i);
                return false;
            }
            if (!value.emplace(std::move(key), std::move(mapped)).second) {
                why.fail("the key occurs twice");
                why.within_element(i);
                return false;
            }
        }
        return true;
    }
};

} // namespace detail

template <class T, class Allocator>
struct codec<std::vector<T, Allocator>> {
    using list = std::vector<T, Allocator>;

    static void encode(encoder& to, const list& value) {
        to.list(value.size());
        for (const auto& element : value)
            annals::encode<T>(to, element);
    }
    static bool decode(const node& from, list& value, decode_error& why) {
        value.clear();
        value.reserve(std::min(from.size(), reserved_bytes / sizeof(T) + 1));
        return detail::decode_list<list>(from, why,
                                         [&](T&& element) { value.push_back(std::move(element)); });
    }

private:
    /// More is taken only as elements turn out to be there: a byte of payload may be a large T.
    static constexpr std::size_t reserved_bytes = std::size_t{64} << 10;
};

template <class T, std::size_t N>
struct codec<std::array<T, N>> {
    static void encode(encoder& to, const std::array<T, N>& value) {
        to.list(N);
        for (const T& element : value)
            annals::encode(to, element);
    }
    static bool decode(const node& from, std::array<T, N>& value, decode_error& why) {
        if (!detail::expect_list_of(N, from, why))
            return false;
        for (std::size_t i = 0; i != N; ++i)
            if (!detail::decode_element(from, i, value[i], why))
                return false;
        return true;
    }
};

/// A list; elements that are equal become one.
template <class T, class Compare, class Allocator>
struct codec<std::set<T, Compare, Allocator>> {
    using set = std::set<T, Compare, Allocator>;

    static void encode(encoder& to, const set& value) {
        to.list(value.size());
        for (const T& element : value)
            annals::encode(to, element);
    }
    static bool decode(const node& from, set& value, decode_error& why) {
        value.clear();
        return detail::decode_list<set>(
            from, why, [&](T&& element) { value.insert(value.end(), std::move(element)); });
    }
};

template <class Key, class T, class Compare, class Allocator>
struct codec<std::map<Key, T, Compare, Allocator>>
    : detail::map_codec<std::map<Key, T, Compare, Allocator>> {};

/// Equal maps may be written in different orders.
template <class Key, class T, class Hash, class Equal, class Allocator>
struct codec<std::unordered_map<Key, T, Hash, Equal, Allocator>>
    : detail::map_codec<std::unordered_map<Key, T, Hash, Equal, Allocator>> {};

/// Nil, or the bare value.
template <class T>
struct codec<std::optional<T>> {
    static void encode(encoder& to, const std::optional<T>& value) {
        if (value)
            annals::encode(to, *value);
        else
            to.nil();
    }
    static bool decode(const node& from, std::optional<T>& value, decode_error& why) {
        if (from.kind() != node_kind::nil)
            return annals::decode(from, value.emplace(), why);
        value.reset();
        return true;
    }
};

/// An optional inside an optional would be nil in two meanings.
template <class T>
struct codec<std::optional<std::optional<T>>> {
    static_assert(detail::no_codec_for<T>,
                  "annals cannot tell an empty optional from an optional that holds an empty one");
};

/// The same with another value that is written as nil. A codec of the host's own must not write nil for
/// what may stand in an optional.
template <>
struct codec<std::optional<std::monostate>> {
    template <class T>
    static constexpr bool never = false;
    template <class To>
    static void encode(To&, const std::optional<std::monostate>&) {
        static_assert(never<To>, "annals cannot tell an empty optional from one that holds a "
                                 "std::monostate; use bool");
    }
    template <class From>
    static bool decode(const From&, std::optional<std::monostate>&, decode_error&) {
        static_assert(never<From>, "annals cannot tell an empty optional from one that holds a "
                                   "std::monostate; use bool");
        return false;
    }
};

template <>
struct codec<std::monostate> {
    static void encode(encoder& to, std::monostate) { to.nil(); }
    static bool decode(const node& from, std::monostate&, decode_error& why) {
        return from.kind() == node_kind::nil || why.expected("nil", from);
    }
};

/// The list [index, value]. The index is the alternative's identity: add alternatives at the end.
template <class... Ts>
struct codec<std::variant<Ts...>> {
    using variant = std::variant<Ts...>;

    static void encode(encoder& to, const variant& value) {
        to.list(2);
        to.natural(value.index());
        std::visit([&](const auto& alternative) { annals::encode(to, alternative); }, value);
    }
    static bool decode(const node& from, variant& value, decode_error& why) {
        std::size_t index{};
        if (!detail::expect_list_of(2, from, why) || !detail::decode_element(from, 0, index, why))
            return false;
        if (index >= sizeof...(Ts))
            return why.fail("alternative " + std::to_string(index) + " of a variant of " +
                            std::to_string(sizeof...(Ts)));
        return decode_alternative(from, index, value, why, std::index_sequence_for<Ts...>{});
    }

private:
    template <std::size_t... I>
    static bool decode_alternative(const node& from, std::size_t index, variant& value,
                                   decode_error& why, std::index_sequence<I...>) {
        bool decoded = false;
        (void)((I == index &&
                (decoded = detail::decode_element(from, 1, value.template emplace<I>(), why),
                 true)) ||
               ...);
        return decoded;
    }
};

/// A list with one element for each member.
template <class... Ts>
struct codec<std::tuple<Ts...>> {
    static void encode(encoder& to, const std::tuple<Ts...>& value) {
        to.list(sizeof...(Ts));
        std::apply([&](const auto&... member) { (annals::encode(to, member), ...); }, value);
    }
    static bool decode(const node& from, std::tuple<Ts...>& value, decode_error& why) {
        if (!detail::expect_list_of(sizeof...(Ts), from, why))
            return false;
        std::size_t next = 0;
        return std::apply(
            [&](auto&... member) {
                return (detail::decode_element(from, next++, member, why) && ...);
            },
            value);
    }
};

/// A list of two.
template <class First, class Second>
struct codec<std::pair<First, Second>> {
    static void encode(encoder& to, const std::pair<First, Second>& value) {
        to.list(2);
        annals::encode(to, value.first);
        annals::encode(to, value.second);
    }
    static bool decode(const node& from, std::pair<First, Second>& value, decode_error& why) {
        return detail::expect_list_of(2, from, why) &&
               detail::decode_element(from, 0, value.first, why) &&
               detail::decode_element(from, 1, value.second, why);
    }
};

} // namespace annals
