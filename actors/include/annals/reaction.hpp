#pragma once

#include "annals/domain.hpp"
#include "annals/projection.hpp"

#include <concepts>
#include <stop_token>
#include <variant>

/// A reaction: a handler with effects outside, such as sending a mail, for each event of some types.
///
///     struct confirm_orders {
///         static constexpr std::string_view name = "confirm_orders";
///         using event = std::variant<order_placed>;
///         mailer* out;
///     };
///     void react(confirm_orders&, const order_placed&, const annals::delivery&);
///
///     auto rt = annals::runtime::open("shop.db", annals::host<order>,
///         annals::host_reaction(confirm_orders{&mail}, annals::reaction_start::now));
///
/// At least once: its checkpoint moves after the handler has returned. What was being handled when
/// the process died is delivered again, with `delivery::redelivered` set; give the outside world
/// `delivery::event_id` to recognise it by. Events of one stream come in order, one at a time; of
/// several streams too, unless `projection_options::partitions` spreads them over copies of it.
///
/// It runs on a thread of its own, where it may block, send commands and ask queries. It fails by
/// throwing, or by returning a `result<void>` with an error; what happens then is up to its
/// `failure_policy`. `static constexpr ... categories`, a list of names, narrows what it is given, and
/// `using event = annals::any_event` widens it to everything.
namespace annals {

/// Where a reaction begins when the store has never seen its name. Later openings go on from its
/// checkpoint.
enum class reaction_start : std::uint8_t {
    now,       ///< with the first event stored after this opening
    beginning, ///< with the first event of the log
};

/// What a reaction may know about the event that it is given.
struct delivery : logged_context {
    uuid event_id; ///< the same each time this event is delivered, by whichever reaction
    /// It may have been delivered before: the process died meanwhile, an attempt failed, or someone
    /// reset or replayed it. False: the first time, as far as the projection store knows (which was not
    /// deleted).
    bool redelivered = false;
    unsigned attempt = 1; ///< since opening
    /// Asks a handler that takes long to give up, because the runtime closes: throw, or return an
    /// error; the event is delivered again after the next opening.
    std::stop_token stop;
};

/// What `react` may return: nothing, or an error where the event could not be dealt with.
template <class T>
concept reaction_outcome = std::same_as<T, void> || std::same_as<T, result<void>>;

template <class R, class E>
concept reacts = requires(R& reaction, const E& happened) {
    { react(reaction, happened) } -> reaction_outcome;
}
|| requires(R& reaction, const E& happened, const delivery& about) {
    { react(reaction, happened, about) } -> reaction_outcome;
};

/// Something that is done for events. One that cannot be copied can have one partition only.
template <class R>
concept reaction = std::movable<R> && requires {
    typename R::event;
} && !requires {
    typename R::command;
}
&&!requires {
    typename R::query;
};

template <class Reaction, class Event>
struct require_react {
    static constexpr bool ok = event<Event> && reacts<Reaction, Event>;
    static constexpr bool there = requires(Reaction & reaction, const Event& happened) {
        react(reaction, happened);
    }
    || requires(Reaction& reaction, const Event& happened, const delivery& about) {
        react(reaction, happened, about);
    };
    static_assert(event<Event>,
                  "annals: this event has no name. Put ANNALS_EVENT(Type, \"name\", fields...) "
                  "last inside the struct");
    static_assert(reacts<Reaction, Event> || there,
                  "annals: this event has no react. Write, in the namespace of the reaction: "
                  "void react(Reaction&, const Event&)  or  "
                  "void react(Reaction&, const Event&, const annals::delivery&)");
    static_assert(reacts<Reaction, Event> || !there,
                  "annals: the react of this event returns something else than void or "
                  "annals::result<void>");
};

template <class Reaction, class Events>
struct check_reaction_events;
template <class Reaction, class... Es>
struct check_reaction_events<Reaction, std::variant<Es...>> {
    static constexpr bool distinct() {
        if constexpr ((event<Es> && ...))
            return event_names<std::variant<Es...>>::distinct();
        else
            return true;
    }
    static constexpr bool ok = (require_react<Reaction, Es>::ok && ...);
};
template <class Reaction>
struct check_reaction_events<Reaction, any_event> {
    static constexpr bool distinct() { return true; }
    static constexpr bool ok = reacts<Reaction, any_event>;
    static_assert(ok, "annals: this reaction wants every event and has no react for it. Write, in "
                      "its namespace: void react(Reaction&, const annals::any_event&, "
                      "const annals::delivery&)");
};

template <reaction R>
struct complete_domain<R> {
    using events = check_reaction_events<R, typename R::event>;
    static_assert(events::distinct(), "annals: two events of this reaction have the same name");
    static_assert(name_is_usable<R>(),
                  "annals: a reaction's name is 1 to 64 characters without '-'");
    static constexpr bool ok = require_name<R>::ok && events::ok;
};

} // namespace annals
