#pragma once

#include "annals/codec.hpp"
#include "annals/stored_view.hpp"

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <variant>
#include <vector>

/// What a type's stored values are made of, as text: "{sku:text,units:i4}". Two openings compare it, to
/// notice that a stored value means something else than when it was written.
namespace annals::hosting {

class type_shape {
public:
    template <class T>
    void add() {
        const std::type_index type = typeid(T);
        if (std::find(within_.begin(), within_.end(), type) != within_.end()) {
            text_ += "^"; // a tree
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
        } else if constexpr (std::same_as<T, bool>) {
            text_ += "bool";
        } else if constexpr (std::is_enum_v<T>) {
            text_ += "enum ";
            add<std::underlying_type_t<T>>();
        } else if constexpr (std::is_arithmetic_v<T>) {
            text_ += std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
            text_ += std::to_string(sizeof(T));
        } else if constexpr (std::same_as<T, std::string>) {
            text_ += "text";
        } else if constexpr (described<T>) {
            add_fields<T>();
        } else if constexpr (requires { typename T::mapped_type; }) {
            add_list<typename T::key_type, typename T::mapped_type>('[', ']');
        } else if constexpr (std::ranges::range<T>) {
            add_list<std::ranges::range_value_t<T>>('[', ']');
        } else {
            add_other(static_cast<const T*>(nullptr));
        }
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
        add_list<First, Second>('(', ')');
    }
    template <class T>
    void add_other(const std::optional<T>*) {
        add_list<T>('?', ' ');
    }
    template <class T>
    void add_other(const T*) { // its codec is its own
        text_ += typeid(T).name();
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
