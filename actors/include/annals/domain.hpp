#pragma once

#include "annals/decision.hpp"
#include "annals/event.hpp"
#include "annals/metadata.hpp"
#include "annals/outcome.hpp"

#include <concepts>
#include <string_view>
#include <type_traits>
#include <variant>

/// What a host writes: aggregates and views as value types with free functions, found by overload.
///
///     struct cart {
///         static constexpr std::string_view name = "cart";
///         using command = std::variant<add_item, remove_item>;
///         using event = std::variant<item_added, item_removed>;
///         using decision = annals::decision<event>;
///         std::map<std::string, int> items;
///     };
///     cart::decision decide(const cart&, const add_item&);
///     cart evolve(cart, const item_added&);
///
/// This header needs neither the actor framework nor the storage engine, and neither does a domain.
namespace annals {

/// What `decide` may know beside the state and the command. Take it as a third parameter for time
/// and ids: never ask the machine, or a test of the domain cannot repeat what happened.
struct command_context {
    std::string_view id;        ///< of the aggregate: "17"
    stream_version version = 0; ///< of the state decided on; 0 for a new aggregate
    const metadata& about;      ///< time, command id, correlation, actor
};

/// What `evolve` may know beside the state and the event, as an optional third parameter. It is the
/// same when the event is decided and whenever it is replayed.
struct event_context {
    std::string_view stream;    ///< "cart-17"
    std::string_view id;        ///< "17"
    stream_version version = 0; ///< of the event in its stream
    timestamp time{};           ///< of the decision
    uuid command_id;
};

/// A view's `evolve` may take this instead: a view folds only what is stored.
struct logged_context : event_context {
    log_position position = 0;
    bytes_view more_metadata; ///< as stored; see `metadata`

    /// Who asked for the event and what led to it: actor, correlation and causation id, and what else
    /// the command's metadata had. Read anew with each call, which costs nothing to those who do not
    /// call it. Throws `bad_result` if what is stored is not metadata.
    [[nodiscard]] annals::metadata metadata() const;
};

/// For views that want every event, whatever its type: `using event = annals::any_event`. Nothing is
/// decoded. Points into memory that lasts as long as `evolve` runs.
struct any_event {
    std::string_view type;     ///< "cart.item_added"
    std::string_view category; ///< "cart"
    bytes_view payload;        ///< msgpack
};

/// What may be a command: a struct of the host's own. Not a number, an enum, a pointer, a text or another
/// container, which would say nothing of what is wanted.
template <class C>
concept command_value = std::is_class_v<C> && !requires(const C& value) {
    value.begin();
    value.end();
};

template <class A, class C>
concept decides = requires(const A& state, const C& command) {
    { decide(state, command) } -> std::convertible_to<typename A::decision>;
}
|| requires(const A& state, const C& command, const command_context& context) {
    { decide(state, command, context) } -> std::convertible_to<typename A::decision>;
};

template <class S, class E, class Context>
concept evolves_in_place = requires(S& state, const E& happened) {
    { evolve(state, happened) } -> std::same_as<void>;
}
|| requires(S& state, const E& happened, const Context& context) {
    { evolve(state, happened, context) } -> std::same_as<void>;
};

template <class S, class E, class Context>
concept evolves_by_value = requires(S state, const E& happened) {
    { evolve(std::move(state), happened) } -> std::same_as<S>;
}
|| requires(S state, const E& happened, const Context& context) {
    { evolve(std::move(state), happened, context) } -> std::same_as<S>;
};

/// `S evolve(S, const E&)`, or `void evolve(S&, const E&)` for states too large to move about.
template <class S, class E, class Context = event_context>
concept evolves = evolves_in_place<S, E, Context> || evolves_by_value<S, E, Context>;

template <class V, class Q>
concept answers = requires(const V& view, const Q& query) {
    answer(view, query);
};

template <class T>
concept named = requires {
    { T::name } -> std::convertible_to<std::string_view>;
};

/// A consistency boundary: decides on commands, changes by events.
template <class A>
concept aggregate = std::default_initializable<A> && std::movable<A> && requires {
    typename A::command;
    typename A::event;
    typename A::decision;
};

/// State folded from many streams that answers queries. How it is run: annals/projection.hpp.
///
/// Optional members:
/// - `static constexpr std::uint32_t version = 2;`: raise it whenever `evolve` does something else, or
///   the fields or the rows come to mean something else; without that a saved copy, or stored rows,
///   that the old code made are taken for the new. Other events in `event`, other `categories`, and
///   other fields, tables or types of them are noticed and count as a new version by themselves; what
///   `evolve` or a codec of the host's own does is not.
/// - `static constexpr std::array categories{std::string_view("cart")};`: only events of these streams.
template <class V>
concept view = std::default_initializable<V> && std::movable<V> && requires {
    typename V::query;
    typename V::event;
} && !requires {
    typename V::command;
};

/// What a view of type V answers to Q. An `answer` that may refuse returns `outcome<T>`; the caller
/// then sees `outcome<T>`, not `outcome<outcome<T>>`.
template <class T>
struct plain_answer {
    using type = T;
};
template <class T>
struct plain_answer<outcome<T>> {
    using type = T;
};
template <class V, class Q>
requires answers<V, Q>
using answer_of = typename plain_answer<std::remove_cvref_t<decltype(answer(
    std::declval<const V&>(), std::declval<const Q&>()))>>::type;

/// Folds one event into a state, by whichever `evolve` the host wrote.
template <class S, class E, class Context>
requires evolves<S, E, Context>
void fold(S& state, const E& happened, const Context& context) {
    if constexpr (requires {
                      { evolve(state, happened, context) } -> std::same_as<void>;
                  })
        evolve(state, happened, context);
    else if constexpr (requires {
                           { evolve(state, happened) } -> std::same_as<void>;
                       })
        evolve(state, happened);
    else if constexpr (requires {
                           { evolve(std::move(state), happened, context) } -> std::same_as<S>;
                       })
        state = evolve(std::move(state), happened, context);
    else
        state = evolve(std::move(state), happened);
}

/// Decides by whichever `decide` the host wrote.
template <class A, class C>
requires decides<A, C>
typename A::decision decide_on(const A& state, const C& command, const command_context& context) {
    if constexpr (requires { decide(state, command, context); })
        return decide(state, command, context);
    else
        return decide(state, command);
}

// --- what the compiler says when something is missing ------------------------------------------
//
// Each is instantiated with the host's types, whose names thereby appear in the compiler's message.

template <class Command>
struct require_command {
    static constexpr bool ok = command_value<Command>;
    static_assert(ok,
                  "annals: this is no command. A command is a struct, listed in the `command` of "
                  "the aggregate that decides on it: rt.send(\"17\", add_item{\"tea\", 2})");
};

template <class Aggregate, class Command>
struct require_decide {
    static constexpr bool ok = decides<Aggregate, Command>;
    static constexpr bool there = requires(const Aggregate& state, const Command& command) {
        decide(state, command);
    }
    || requires(const Aggregate& state, const Command& command, const command_context& context) {
        decide(state, command, context);
    };
    static_assert(ok || there,
                  "annals: this command has no decide. Write, in the namespace of the aggregate: "
                  "Aggregate::decision decide(const Aggregate&, const Command&)");
    static_assert(
        ok || !there,
        "annals: the decide of this command returns something else than a decision. It "
        "returns Aggregate::decision, made of events of the aggregate, annals::nothing, or "
        "annals::reject(...)");
};

template <class State, class Event, class Context>
struct require_evolve {
    static constexpr bool ok = event<Event> && evolves<State, Event, Context>;
    static constexpr bool there = requires(State state, const Event& happened) {
        evolve(std::move(state), happened);
    }
    || requires(State& state, const Event& happened) { evolve(state, happened); }
    || requires(State state, const Event& happened, const Context& context) {
        evolve(std::move(state), happened, context);
    }
    || requires(State& state, const Event& happened, const Context& context) {
        evolve(state, happened, context);
    };
    static_assert(event<Event>,
                  "annals: this event has no name. Put ANNALS_EVENT(Type, \"name\", fields...) "
                  "last inside the struct");
    static_assert(evolves<State, Event, Context> || there,
                  "annals: this event has no evolve. Write, in the namespace of the state: "
                  "State evolve(State, const Event&)  or  void evolve(State&, const Event&)");
    static_assert(evolves<State, Event, Context> || !there,
                  "annals: the evolve of this event does not return the new state. Write "
                  "State evolve(State, const Event&)  or  void evolve(State&, const Event&)");
};

template <class View, class Query>
struct require_answer {
    static constexpr bool ok = answers<View, Query>;
    static_assert(ok, "annals: this query has no answer. Write, in the namespace of the view: "
                      "Result answer(const View&, const Query&)");
};

template <class T>
struct require_name {
    static constexpr bool ok = named<T>;
    static_assert(ok,
                  "annals: this aggregate, view or reaction has no name. Add inside the struct: "
                  "static constexpr std::string_view name = \"...\";");
};

/// The whole check of one aggregate or view, for a host's own static_assert: every overload is
/// there, or the compiler names the one to write.
///
///     static_assert(annals::complete_domain<cart>::ok);
template <class T>
struct complete_domain {
    static constexpr bool ok = aggregate<T> || view<T>; // each of them is specialised below
    static_assert(ok, "annals: this type is neither an aggregate (it needs the member types "
                      "command, event and decision) nor a view (query and event, without command); "
                      "either must be default-constructible and movable");
};

} // namespace annals

#include "annals/domain_checks.hpp"
