#pragma once

#include "annals/codec.hpp"
#include "annals/stored_view.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

/// What a type's stored values are made of, as text: "{sku:text,units:i4}". Two openings compare it, to
/// notice that a stored value means something else than when it was written. Types have one text only
/// if a value of one is stored, and ordered as a key, like the equal value of the other: `long` and
/// `long long`, two structs or two enums by another name. Of a type whose codec is the host's own, its
/// name is all that is known.
namespace annals::hosting {

class type_shape {
public:
    template <class T>
    void add() {
        const std::type_index type = typeid(T);
        if (const auto found = std::find(within_.begin(), within_.end(), type);
            found != within_.end()) { // a tree: how far up it is
            text_ += '^';
            text_ += std::to_string(within_.end() - found);
            return;
        }
        within_.push_back(type);
        add_parts<T>();
        within_.pop_back();
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    template <class T>
    void add_parts() {
        if constexpr (is_stored_map<T>) {
            add_map(static_cast<const T*>(nullptr));
        } else if constexpr (!named_scalar<T>().empty()) {
            text_ += named_scalar<T>();
        } else if constexpr (std::is_enum_v<T>) {
            text_ += "enum ";
            add<std::underlying_type_t<T>>();
        } else if constexpr (std::is_arithmetic_v<T>) {
            text_ += std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
            text_ += std::to_string(sizeof(T));
        } else if constexpr (described<T>) {
            add_fields<T>();
        } else {
            add_other(static_cast<const T*>(nullptr));
        }
    }

    /// Types that have codecs, keys or a meaning of their own beside others of their size.
    template <class T>
    static constexpr std::string_view named_scalar() {
        if constexpr (std::same_as<T, bool>)
            return "bool";
        else if constexpr (std::same_as<T, char>)
            return "char";
        else if constexpr (std::same_as<T, wchar_t>)
            return "wchar";
        else if constexpr (std::same_as<T, char8_t>)
            return "char8";
        else if constexpr (std::same_as<T, char16_t>)
            return "char16";
        else if constexpr (std::same_as<T, char32_t>)
            return "char32";
        else if constexpr (std::same_as<T, std::byte>)
            return "byte";
        else if constexpr (std::same_as<T, std::string>)
            return "text";
        else if constexpr (std::same_as<T, bytes>)
            return "bytes";
        else
            return {};
    }

    template <class Key, class Value>
    void add_map(const stored_map<Key, Value>*) {
        add_list<Key, Value>('{', '}');
    }
    template <class... Ts>
    void add_list(char begin, char end) {
        text_ += begin;
        std::size_t number = 0;
        ((text_ += number++ == 0 ? "" : ",", add<Ts>()), ...);
        text_ += end;
    }
    template <class T, class Allocator>
    void add_other(const std::vector<T, Allocator>*) {
        add_list<T>('[', ']');
    }
    template <class T, std::size_t N>
    void add_other(const std::array<T, N>*) {
        text_ += "array" + std::to_string(N);
        add_list<T>('[', ']');
    }
    template <class T, class Compare, class Allocator>
    void add_other(const std::set<T, Compare, Allocator>*) {
        text_ += "set";
        add_unless_usual<Compare, std::less<T>, std::less<>>();
        add_list<T>('[', ']');
    }
    template <class Key, class T, class Compare, class Allocator>
    void add_other(const std::map<Key, T, Compare, Allocator>*) {
        text_ += "map";
        add_unless_usual<Compare, std::less<Key>, std::less<>>();
        add_list<Key, T>('[', ']');
    }
    template <class Key, class T, class Hash, class Equal, class Allocator>
    void add_other(const std::unordered_map<Key, T, Hash, Equal, Allocator>*) {
        text_ += "unordered_map";
        add_unless_usual<Equal, std::equal_to<Key>, std::equal_to<>>();
        add_list<Key, T>('[', ']');
    }
    /// Which keys are the same one is up to it.
    template <class Compare, class... Usual>
    void add_unless_usual() {
        if constexpr (!(std::same_as<Compare, Usual> || ...))
            text_.append(" by ").append(typeid(Compare).name());
    }
    template <class... Ts>
    void add_other(const std::variant<Ts...>*) {
        add_list<Ts...>('<', '>');
    }
    template <class... Ts>
    void add_other(const std::tuple<Ts...>*) {
        add_list<Ts...>('(', ')');
    }
    template <class First, class Second>
    void add_other(const std::pair<First, Second>*) {
        text_ += "pair";
        add_list<First, Second>('(', ')');
    }
    template <class T>
    void add_other(const std::optional<T>*) {
        add_list<T>('?', ' ');
    }
    /// Its codec is its own. What it holds, if that can be seen, may be of a type whose is not.
    template <class T>
    void add_other(const T*) {
        text_ += typeid(T).name();
        if constexpr (requires { typename T::mapped_type; })
            add_list<typename T::key_type, typename T::mapped_type>('[', ']');
        else if constexpr (std::ranges::range<T>)
            add_list<std::ranges::range_value_t<T>>('[', ']');
    }
    template <class T>
    void add_fields() {
        text_ += '{';
        const auto sample = std::make_unique<const T>();
        T::annals_visit_fields(*sample, [this](std::string_view name, const auto& field) {
            text_ += text_.back() == '{' ? "" : ",";
            text_.append(name).append(":");
            add<std::remove_cvref_t<decltype(field)>>();
        });
        text_ += '}';
    }

    std::string text_;
    std::vector<std::type_index> within_;
};

} // namespace annals::hosting
