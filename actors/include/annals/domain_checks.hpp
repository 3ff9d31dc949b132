#pragma once

#include "annals/domain.hpp"

#include <array>
#include <cstddef>

namespace annals {

/// True if no two events of a variant carry the same name.
template <class Variant>
struct event_names;
template <class... Es>
struct event_names<std::variant<Es...>> {
    static constexpr std::array<std::string_view, sizeof...(Es)> all() {
        return {event_name<Es>()...};
    }
    static constexpr bool distinct() {
        constexpr auto names = all();
        for (std::size_t i = 0; i < names.size(); ++i)
            for (std::size_t j = i + 1; j < names.size(); ++j)
                if (names[i] == names[j])
                    return false;
        return true;
    }
};

constexpr bool usable_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name.find('-') == std::string_view::npos;
}

/// True also without a name, which is another error.
template <class T>
constexpr bool name_is_usable() {
    if constexpr (named<T>)
        return usable_name(T::name);
    else
        return true;
}

template <class State, class Events, class Context>
struct check_events;
template <class State, class... Es, class Context>
struct check_events<State, std::variant<Es...>, Context> {
    static constexpr bool distinct() {
        if constexpr ((event<Es> && ...))
            return event_names<std::variant<Es...>>::distinct();
        else
            return true;
    }
    static constexpr bool ok = (require_evolve<State, Es, Context>::ok && ...);
};

template <class State, class Context>
struct check_events<State, any_event, Context> {
    static constexpr bool distinct() { return true; }
    static constexpr bool ok = evolves<State, any_event, Context>;
    static_assert(ok, "annals: this view wants every event and has no evolve for it. Write, in its "
                      "namespace: void evolve(View&, const annals::any_event&, "
                      "const annals::logged_context&)");
};

template <class State, class Commands>
struct check_commands;
template <class State, class... Cs>
struct check_commands<State, std::variant<Cs...>> {
    static constexpr bool ok = ((require_command<Cs>::ok && require_decide<State, Cs>::ok) && ...);
};

template <class View, class Queries>
struct check_queries;
template <class View, class... Qs>
struct check_queries<View, std::variant<Qs...>> {
    static constexpr bool ok = (require_answer<View, Qs>::ok && ...);
};

template <aggregate A>
struct complete_domain<A> {
    using events = check_events<A, typename A::event, event_context>;
    static_assert(events::distinct(), "annals: two events of this aggregate have the same name");
    static_assert(name_is_usable<A>(),
                  "annals: an aggregate's name is 1 to 64 characters without '-', which ends the "
                  "category in a stream's name");
    static constexpr bool ok =
        require_name<A>::ok && check_commands<A, typename A::command>::ok && events::ok;
};

template <view V>
struct complete_domain<V> {
    using events = check_events<V, typename V::event, logged_context>;
    static_assert(events::distinct(), "annals: two events of this view have the same name");
    static_assert(name_is_usable<V>(), "annals: a view's name is 1 to 64 characters without '-'");
    static constexpr bool ok =
        require_name<V>::ok && events::ok && check_queries<V, typename V::query>::ok;
};

} // namespace annals
