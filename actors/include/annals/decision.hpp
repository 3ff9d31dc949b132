#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace annals {

/// The domain says no. A value, not an exception: refusing is part of deciding.
struct rejection {
    std::string code;    ///< for programs: stable, short ("not in cart")
    std::string message; ///< for people

    friend bool operator==(const rejection&, const rejection&) = default;
};

[[nodiscard]] inline rejection reject(std::string code, std::string message) {
    return {std::move(code), std::move(message)};
}

/// A rejection whose code says it all.
[[nodiscard]] inline rejection reject(std::string code) {
    std::string message = code;
    return {std::move(code), std::move(message)};
}

/// The command is fine and there is nothing to store.
struct nothing_t {
    friend bool operator==(const nothing_t&, const nothing_t&) = default;
};
inline constexpr nothing_t nothing{};

template <class T, class Variant>
inline constexpr bool is_alternative_of = false;
template <class T, class... Ts>
inline constexpr bool is_alternative_of<T, std::variant<Ts...>> = (std::same_as<T, Ts> || ...);

/// What `decide` returns: events to store, all or none; nothing; or a rejection.
///
///     if (units == 0) return annals::reject("empty cart");
///     return item_added{...};                  // one event
///     return {item_removed{...}, emptied{}};   // several, in order
template <class Event>
class decision {
public:
    using event = Event;

    decision(nothing_t) {}
    decision(annals::rejection why) : made_(std::move(why)) {}
    decision(Event one) : made_(std::move(one)) {}
    decision(std::vector<Event> several) : made_(std::move(several)) {}
    template <class E>
    requires is_alternative_of<std::remove_cvref_t<E>, Event> decision(E&& one)
        : made_(std::in_place_type<Event>, std::forward<E>(one)) {}
    template <class First, class Second, class... Rest>
    requires(std::constructible_from<Event, First>&& std::constructible_from<Event, Second> &&
             (std::constructible_from<Event, Rest> && ...))
        decision(First&& first, Second&& second, Rest&&... rest)
        : made_(std::in_place_type<std::vector<Event>>) {
        auto& events = std::get<std::vector<Event>>(made_);
        events.reserve(2 + sizeof...(Rest));
        events.emplace_back(std::forward<First>(first));
        events.emplace_back(std::forward<Second>(second));
        (events.emplace_back(std::forward<Rest>(rest)), ...);
    }

    [[nodiscard]] bool is_rejected() const noexcept {
        return std::holds_alternative<annals::rejection>(made_);
    }
    /// Precondition: is_rejected().
    [[nodiscard]] const annals::rejection& rejection() const noexcept {
        return *std::get_if<annals::rejection>(&made_);
    }

    /// Number of events.
    [[nodiscard]] std::size_t size() const noexcept {
        if (const auto* several = std::get_if<std::vector<Event>>(&made_))
            return several->size();
        return std::holds_alternative<Event>(made_) ? 1 : 0;
    }
    [[nodiscard]] const Event* begin() const noexcept {
        if (const auto* several = std::get_if<std::vector<Event>>(&made_))
            return several->data();
        return std::get_if<Event>(&made_);
    }
    [[nodiscard]] const Event* end() const noexcept {
        const Event* first = begin();
        return first == nullptr ? first : first + size();
    }

private:
    std::variant<nothing_t, Event, std::vector<Event>, annals::rejection> made_;
};

} // namespace annals
