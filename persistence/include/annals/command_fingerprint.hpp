#pragma once

#include "annals/codec.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <typeinfo>

/// What tells two commands with one id apart, also after a restart: it is stored with their events.
namespace annals {

/// Hashes of a command's type and fields; 0 where they are not known. The same on every machine and
/// in every later version of annals. Not cryptographic.
struct command_fingerprint {
    std::uint32_t type = 0;
    std::uint32_t fields = 0;

    [[nodiscard]] constexpr bool known() const noexcept { return type != 0 || fields != 0; }
    /// They are of different commands for sure. What either does not know does not differ.
    [[nodiscard]] constexpr bool differs_from(const command_fingerprint& other) const noexcept {
        return differs(type, other.type) || differs(fields, other.fields);
    }
    [[nodiscard]] constexpr bool
    type_differs_from(const command_fingerprint& other) const noexcept {
        return differs(type, other.type);
    }
    friend bool operator==(const command_fingerprint&, const command_fingerprint&) = default;

private:
    static constexpr bool differs(std::uint32_t a, std::uint32_t b) noexcept {
        return a != 0 && b != 0 && a != b;
    }
};

/// A type that annals can write: it names its fields, or has a codec.
template <class T>
concept encodable = !requires {
    typename codec<T>::annals_does_not_know_it;
};

namespace fingerprinting {

/// XXH3, 64 bits.
[[nodiscard]] std::uint64_t hash_of(bytes_view value) noexcept;
[[nodiscard]] std::uint64_t hash_of(std::string_view text) noexcept;

[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
    a ^= b + 0x9e3779b97f4a7c15U + (a << 6) + (a >> 2);
    a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9U;
    a = (a ^ (a >> 27)) * 0x94d049bb133111ebU;
    return a ^ (a >> 31);
}

template <class T>
[[nodiscard]] std::uint64_t print_of(const T& value);

template <class Range>
[[nodiscard]] std::uint64_t print_of_list(const Range& values) {
    std::uint64_t all = values.size();
    for (const auto& each : values)
        all = mixed(all, print_of(each));
    return all;
}

/// Bytes that a thread keeps for the next value.
inline constexpr std::size_t most_kept = 4'096;

/// Anything else: by its bytes. What annals cannot write counts for nothing.
template <class T>
struct print {
    static std::uint64_t of(const T& value) {
        if constexpr (encodable<T>) {
            thread_local bytes written; // most values fit into what the one before took
            written.clear();
            encoder to(written);
            encode(to, value);
            const std::uint64_t all = hash_of(bytes_view(written));
            if (written.capacity() > most_kept)
                written = {};
            return all;
        } else
            return 0;
    }
};

/// A field that has its default does not count, and one that was renamed counts by its old name, so that
/// a command that was sent before the change is still the same command.
template <described T>
struct print<T> {
    static std::uint64_t of(const T& value) {
        [[maybe_unused]] static const fields defaults = defaults_of();
        [[maybe_unused]] static const fields names = names_of();
        std::uint64_t all = 0;
        [[maybe_unused]] std::size_t i = 0;
        T::annals_visit_fields(value, [&](std::string_view, const auto& field) {
            if (const std::uint64_t mine = print_of(field); mine != defaults[i])
                all += mixed(names[i], mine); // whatever their order
            ++i;
        });
        return mixed(all, 1);
    }

private:
    using fields = std::array<std::uint64_t, T::annals_field_count>;

    /// What a field that was renamed was called in the beginning; see ANNALS_RENAMED_FIELDS.
    static std::string_view first_name(std::string_view name) noexcept {
        if constexpr (requires { T::annals_renamed_fields; })
            for (const renamed_field& each : T::annals_renamed_fields)
                if (each.now == name)
                    return each.then;
        return name;
    }
    static fields defaults_of() {
        fields all{};
        if constexpr (std::is_default_constructible_v<T>) {
            [[maybe_unused]] std::size_t i = 0;
            const T value{};
            T::annals_visit_fields(
                value, [&](std::string_view, const auto& field) { all[i++] = print_of(field); });
        }
        return all;
    }
    static fields names_of() {
        fields all{};
        for (std::size_t i = 0; i != all.size(); ++i)
            all[i] = hash_of(first_name(T::annals_field_names[i]));
        return all;
    }
};

template <class T, class Allocator>
requires(std::is_class_v<T> || !encodable<T>) struct print<std::vector<T, Allocator>> {
    static std::uint64_t of(const std::vector<T, Allocator>& value) { return print_of_list(value); }
};

template <class T, std::size_t N>
struct print<std::array<T, N>> {
    static std::uint64_t of(const std::array<T, N>& value) { return print_of_list(value); }
};

template <class T, class Compare, class Allocator>
struct print<std::set<T, Compare, Allocator>> {
    static std::uint64_t of(const std::set<T, Compare, Allocator>& value) {
        return print_of_list(value);
    }
};

template <class Key, class T, class Compare, class Allocator>
struct print<std::map<Key, T, Compare, Allocator>> {
    static std::uint64_t of(const std::map<Key, T, Compare, Allocator>& value) {
        return print_of_list(value);
    }
};

/// Equal maps may be in different orders.
template <class Key, class T, class Hash, class Equal, class Allocator>
struct print<std::unordered_map<Key, T, Hash, Equal, Allocator>> {
    static std::uint64_t of(const std::unordered_map<Key, T, Hash, Equal, Allocator>& value) {
        std::uint64_t all = value.size();
        for (const auto& each : value)
            all += print_of(each);
        return mixed(all, 1);
    }
};

template <class T>
struct print<std::optional<T>> {
    static std::uint64_t of(const std::optional<T>& value) {
        return value ? mixed(2, print_of(*value)) : 1;
    }
};

template <class... Ts>
struct print<std::variant<Ts...>> {
    static std::uint64_t of(const std::variant<Ts...>& value) {
        return mixed(
            value.index(),
            std::visit([](const auto& alternative) { return print_of(alternative); }, value));
    }
};

template <class... Ts>
struct print<std::tuple<Ts...>> {
    static std::uint64_t of(const std::tuple<Ts...>& value) {
        std::uint64_t all = sizeof...(Ts);
        std::apply([&](const auto&... member) { ((all = mixed(all, print_of(member))), ...); },
                   value);
        return all;
    }
};

template <class First, class Second>
struct print<std::pair<First, Second>> {
    static std::uint64_t of(const std::pair<First, Second>& value) {
        return mixed(print_of(value.first), print_of(value.second));
    }
};

template <class T>
std::uint64_t print_of(const T& value) {
    return print<T>::of(value);
}

/// Never 0, which means "not known".
[[nodiscard]] constexpr std::uint32_t known(std::uint64_t hash) noexcept {
    const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
    return folded == 0 ? 1 : folded;
}

/// C has a static member `command_name`; one of each object is no name of the type.
template <class C>
concept named_command = requires {
    requires !std::is_member_pointer_v<decltype(&C::command_name)>;
    { C::command_name } -> std::convertible_to<std::string_view>;
};

} // namespace fingerprinting

/// The fingerprint of a command of type C. Its type counts by the name that it has in C++, or by
/// `static constexpr std::string_view command_name`, which a type that is renamed gives the old name.
/// Its fields count if they are described or C has a codec of its own, and can be written.
template <class C>
[[nodiscard]] command_fingerprint fingerprint_of(const C& command) noexcept {
    command_fingerprint made;
    if constexpr (fingerprinting::named_command<C>)
        made.type =
            fingerprinting::known(fingerprinting::hash_of(std::string_view(C::command_name)));
    else
        made.type =
            fingerprinting::known(fingerprinting::hash_of(std::string_view(typeid(C).name())));
    if constexpr (encodable<C>) {
        try {
            made.fields = fingerprinting::known(fingerprinting::print_of(command));
        } catch (...) { // the host's codec threw, or the value cannot be written
        }
    }
    return made;
}

} // namespace annals
