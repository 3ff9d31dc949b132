#pragma once

#include "annals/runtime.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

#include <cstdint>
#include <functional>
#include <memory>

/// For hosts that are actor systems themselves: commands and queries as messages. This is the only
/// public header that needs the actor framework; link `annals::caf_bridge` for it.
///
///     caf::actor annals_ = annals::spawn_gateway(system, rt);
///     self->request(annals_, caf::infinite, annals::command_for("17", add_item{"tea", 2}))
///         .then([](const annals::outcome<annals::receipt>& answer) { ... });
///     self->request(annals_, caf::infinite, annals::query_for<demand>(demand_for{"tea"}))
///         .then([](const annals::outcome<int>& answer) { ... });
///
/// The answer is always an `outcome`, never a caf::error of annals' own. Messages stay inside the
/// process.
///
/// A live query is sent once and then says how things are, one message for each change:
///
///     auto tea = annals::live_query_for<demand>(demand_for{"tea"});
///     self->send(annals_, tea);
///     ...  [](const annals::live_update<int>& now) { ... }  // in the behavior
///     self->send(annals_, annals::cancel_live(tea));
namespace annals {

/// A command or query as a message to a gateway. Copyable, but to be sent once.
class actor_request {
public:
    using reply = std::function<void(caf::message)>;
    /// Hands the request to the runtime; `reply` gets the outcome, later, on another thread.
    std::function<void(runtime_door& to, reply answer)> submit;
};

/// The message that sends `command` to the aggregate `id`.
template <class C>
[[nodiscard]] actor_request command_for(std::string id, C command, send_options options = {}) {
    auto request = std::make_shared<typed_command<C>>(std::move(id), std::move(command));
    return {[request, options = std::move(options)](runtime_door& to, actor_request::reply answer) {
        future<receipt> pending(request);
        to.send(request, options);
        pending.then([answer = std::move(answer)](outcome<receipt> came) {
            answer(caf::make_message(std::move(came)));
        });
    }};
}

/// The message that asks view V.
template <class V, class Q>
requires answers<V, Q>
[[nodiscard]] actor_request query_for(Q query, ask_options options = {}) {
    auto request = std::make_shared<typed_query<V, Q>>(std::move(query));
    return {[request, options](runtime_door& to, actor_request::reply answer) {
        request->continue_on(to.callbacks());
        future<answer_of<V, Q>> pending(request);
        to.ask(request, options);
        pending.then([answer = std::move(answer)](outcome<answer_of<V, Q>> came) {
            answer(caf::make_message(std::move(came)));
        });
    }};
}

/// A live query as a message to a gateway. Copyable. Its sender receives a `live_update<T>` for what
/// the answer is, and then for each change, until the one that is `last`, or until it cancels or ends.
/// An actor that watches several things of one type T cannot tell their updates apart: let it have
/// one actor for each.
///
/// The gateway sends an update as a request, and the next one when it has been answered: when the
/// handler has returned or, if it returns a promise, when that is fulfilled. So at most one is in the
/// receiver's mailbox, whatever happens to it there, and `live_options` say what happens meanwhile.
/// A receiver that answers with an error, as one without a handler does, has cancelled.
class actor_live_query {
public:
    using receiver = std::function<void(caf::message update, bool last)>;
    /// Begins it; `to` is called by tasks on `on`, once by each.
    std::function<live_query(runtime_door& door, receiver to,
                             std::shared_ptr<blocking_executor> on)>
        begin;
    std::uint64_t id = 0; ///< which `cancel_live` means
};

[[nodiscard]] std::uint64_t new_live_id() noexcept;

/// The message that begins a live query of view V. Sent again by the same actor, it begins anew.
template <class V, class Q>
requires answers<V, Q>
[[nodiscard]] actor_live_query live_query_for(Q query, live_options options = {}) {
    using update = live_update<answer_of<V, Q>>;
    return {
        [query = std::move(query), options](runtime_door& door, actor_live_query::receiver to,
                                            std::shared_ptr<blocking_executor> on) {
            auto request = std::make_shared<typed_live<V, Q>>(
                query, options,
                [to = std::move(to)](const update& now) { to(caf::make_message(now), now.last); },
                std::move(on), 1);
            door.watch(request);
            return live_query([request] { request->cancel(); });
        },
        new_live_id()};
}

/// The message that ends a live query of its sender's. One update may be on its way already; sent as
/// a request, it is answered behind that one, and nothing follows.
struct cancel_live {
    explicit cancel_live(const actor_live_query& which) : id(which.id) {}
    std::uint64_t id;
};

/// An actor in `system` that passes requests to `rt`, in the order in which they arrive. It may
/// outlive `rt` and then answers `closed`. End it like any actor (caf::anon_send_exit); its live
/// queries end with it, without a word.
[[nodiscard]] caf::actor spawn_gateway(caf::actor_system& system, runtime& rt);

} // namespace annals

namespace caf {
template <>
struct allowed_unsafe_message_type<annals::actor_request> : std::true_type {};
template <class T>
struct allowed_unsafe_message_type<annals::outcome<T>> : std::true_type {};
template <>
struct allowed_unsafe_message_type<annals::actor_live_query> : std::true_type {};
template <>
struct allowed_unsafe_message_type<annals::cancel_live> : std::true_type {};
template <class T>
struct allowed_unsafe_message_type<annals::live_update<T>> : std::true_type {};
} // namespace caf
