#include "annals/caf.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace annals {

namespace {

/// From the callback thread back to the gateway, because a promise belongs to its actor.
struct answer_message {
    caf::response_promise promise;
    caf::message answer;
};

} // namespace

} // namespace annals

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::answer_message)

namespace annals {

namespace {

caf::behavior gateway(caf::event_based_actor* self, const std::shared_ptr<runtime_door>& door) {
    return {
        [self, door](const actor_request& request) {
            auto promise = self->make_response_promise();
            request.submit(*door,
                           [promise, me = caf::actor_cast<caf::actor>(self)](caf::message answer) {
                               caf::anon_send(me, answer_message{promise, std::move(answer)});
                           });
            return promise;
        },
        [](const answer_message& m) {
            auto promise = m.promise;
            promise.deliver(m.answer);
        },
    };
}

} // namespace

caf::actor spawn_gateway(caf::actor_system& system, runtime& rt) {
    return system.spawn(gateway, rt.door());
}

} // namespace annals
