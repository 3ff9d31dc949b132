#include "reaction_sender.hpp"

#include "engine_core.hpp"

#include <algorithm>
#include <utility>

namespace annals {

handler_thread::handler_thread(std::shared_ptr<blocking_executor> thread, std::string reaction)
    : thread_(std::move(thread)),
      reaction_(std::make_shared<const std::string>(std::move(reaction))) {}

void handler_thread::post(std::function<void()> task) {
    thread_->post([task = std::move(task), reaction = reaction_] {
        const handling_scope scope(*reaction);
        task();
    });
}

reaction_sender::reaction_sender(std::weak_ptr<engine_core> to,
                                 std::shared_ptr<blocking_executor> thread)
    : to_(std::move(to)),
      thread_(std::move(thread)) {}

void reaction_sender::send(std::shared_ptr<command_request> request, send_options options) {
    request->continue_on(thread_);
    request->answers_inline = true; // the engine leaves it at that
    const auto core = to_.lock();
    if (!core) {
        request->fail(closed_error());
        return;
    }
    if (!options.wait_for.empty()) {
        request->fail({errc::invalid_argument,
                       "send_options::wait_for is for runtime::send; here, wait for the receipt. "
                       "Nothing was sent"});
        return;
    }
    request->about = std::move(options.about);
    request->chain = std::move(options.chain);
    if (options.timeout) {
        constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
        request->deadline =
            core->parts.clock->steady() + std::clamp(*options.timeout, -century, century);
    }
    core->send(std::move(request));
}

} // namespace annals
