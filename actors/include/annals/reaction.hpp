#pragma once

#include "annals/domain.hpp"
#include "annals/projection.hpp"
#include "annals/reaction_task.hpp"
#include "annals/send_options.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// A reaction: something that is done for each event of some types. It sends commands to other
/// aggregates, or it has effects outside, such as sending a mail.
///
///     struct reserve_stock {
///         static constexpr std::string_view name = "reserve_stock";
///         using event = std::variant<order_placed>;
///     };
///     annals::future<annals::receipt> react(reserve_stock&, const order_placed& e,
///                                           const annals::delivery& about) {
///         return about.send(e.sku, reserve{e.quantity});
///     }
///
///     auto rt = annals::runtime::open("shop.db", annals::host<order>, annals::host<stock>,
///         annals::host_reaction(reserve_stock{}, annals::reaction_start::now));
///
/// **At least once.** Its checkpoint moves after an event is dealt with. What was being handled when
/// the process died is delivered again, with `delivery::redelivered` set; give the outside world
/// `delivery::event_id` to recognise it by. Commands that it sends by `delivery::send` recognise
/// themselves. Events of one stream come in order, one at a time.
///
/// **What `react` returns** says when the event is dealt with:
/// - nothing, or a `result<void>`: when it returns. It may block. Events of all streams come one at a
///   time, unless `projection_options::partitions` spreads them over copies of the reaction;
/// - a `future<T>`, such as `delivery::send` gives, or a `reaction_task` (a coroutine): when that has
///   its answer. Meanwhile events of other streams are handled, up to
///   `projection_options::max_in_flight` at a time. Each event has a future of its own: annals hangs its
///   continuation on it, and a future has one.
///
/// **It fails** by throwing, by returning an error, or by a future whose outcome is an error; what
/// happens then is up to its `failure_policy`. A rejection is an answer of the domain and not a failure;
/// a reaction that cannot live with it says so: it awaits the answer and throws. What fails after the
/// runtime has begun to close is not the event's failure: it is delivered again at the next opening.
///
/// It runs on a thread of its own for each partition. `static constexpr ... categories`, a list of
/// names, narrows what it is given, and `using event = annals::any_event` widens it to everything.
namespace annals {

/// The way of a reaction's commands into the runtime. A test of a reaction may give its delivery one of
/// its own. Thread-safe.
class command_sender {
public:
    virtual ~command_sender() = default;
    /// Answers `request` once, whatever happens. Its metadata is in `options.about`.
    virtual void send(std::shared_ptr<command_request> request, send_options options) = 0;
};

/// What one delivery sends: counts it, so that each command has the same id each time. Thread-safe.
class delivery_commands {
public:
    /// `reaction`: its name, which lasts.
    delivery_commands(std::shared_ptr<command_sender> to, std::string_view reaction)
        : to_(std::move(to)),
          reaction_(reaction) {}

    /// The id of the next command to the aggregate `id`, for the event `event_id`.
    [[nodiscard]] uuid next_id(const uuid& event_id, std::string_view id);
    [[nodiscard]] command_sender& sender() const noexcept { return *to_; }

private:
    const std::shared_ptr<command_sender> to_;
    const std::string_view reaction_;
    std::mutex mutex_;
    std::vector<std::pair<std::string, std::uint64_t>> sent_; ///< how many to which aggregate
};

/// What a reaction may know about the event that it is given, and its way to send commands. Its texts
/// last until the event is dealt with.
struct delivery : logged_context {
    uuid event_id; ///< the same each time this event is delivered, by whichever reaction
    /// It may have been delivered before: the process died meanwhile, an attempt failed, or someone
    /// reset or replayed it. False: the first time, as far as the projection store knows (which was not
    /// deleted).
    bool redelivered = false;
    unsigned attempt = 1; ///< since opening
    /// Asks a handler that takes long to give up, because the runtime closes or the reaction is reset:
    /// throw, or return an error. After closing, the event is delivered again at the next opening;
    /// after a reset, if it comes behind the new beginning. What the handler sends and asks until then
    /// is still answered, for as long as `config::close_timeout` allows.
    std::stop_token stop;
    /// For `send`. Null: there is no runtime.
    std::shared_ptr<delivery_commands> commands = nullptr;

    /// Sends a command to the aggregate `to` of the runtime that the reaction runs in, as
    /// `runtime::send` does. The answer's continuations run on the reaction's thread.
    ///
    /// The command is idempotent: unless `options.about` names an id, it gets the one that belongs to
    /// this event, this reaction, that aggregate, and how many commands went there before it. So an
    /// event that is delivered again stores nothing twice (as long as the aggregate remembers:
    /// `engine_limits::remembered_commands`). A handler that sends something else the next time names
    /// its commands itself. Where `options.about` says nothing else, the correlation id is that of the
    /// event and the causation id is `event_id`.
    ///
    /// Return the future, or wait for it: otherwise the event counts as dealt with before its command
    /// is stored.
    ///
    /// `closed` once the runtime refuses commands; `invalid_argument` with `send_options::wait_for`.
    template <class C>
    [[nodiscard]] future<receipt> send(std::string to, C command, send_options options = {}) const {
        auto request = std::make_shared<typed_command<C>>(std::move(to), std::move(command));
        future<receipt> answer(request);
        submit(std::move(request), std::move(options));
        return answer;
    }
    /// A command chosen at run time.
    template <class... Cs>
    [[nodiscard]] future<receipt> send(std::string to, std::variant<Cs...> command,
                                       send_options options = {}) const {
        return std::visit(
            [&](auto&& chosen) {
                return send(std::move(to), std::forward<decltype(chosen)>(chosen),
                            std::move(options));
            },
            std::move(command));
    }

private:
    void submit(std::shared_ptr<command_request> request, send_options options) const;
};

template <class T>
struct is_future : std::false_type {};
template <class T>
struct is_future<future<T>> : std::true_type {};

/// What `react` may return and have ended with.
template <class T>
concept ended_reaction = std::same_as<T, void> || std::same_as<T, result<void>>;
/// What `react` may return and have ended later: a future of anything, or a coroutine's task.
template <class T>
concept pending_reaction = is_future<T>::value || std::same_as<T, reaction_task>;
template <class T>
concept reaction_outcome = ended_reaction<T> || pending_reaction<T>;

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
                  "annals::result<void>, annals::future<...> or annals::reaction_task");
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
