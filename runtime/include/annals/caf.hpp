#pragma once

#include "annals/runtime.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

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

/// An actor in `system` that passes requests to `rt`, in the order in which they arrive. It may
/// outlive `rt` and then answers `closed`. End it like any actor (caf::anon_send_exit).
[[nodiscard]] caf::actor spawn_gateway(caf::actor_system& system, runtime& rt);

} // namespace annals

namespace caf {
template <>
struct allowed_unsafe_message_type<annals::actor_request> : std::true_type {};
template <class T>
struct allowed_unsafe_message_type<annals::outcome<T>> : std::true_type {};
} // namespace caf
