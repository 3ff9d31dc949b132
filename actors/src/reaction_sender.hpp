#pragma once

#include "annals/reaction.hpp"

#include <functional>
#include <memory>
#include <string>

namespace annals {

class engine_core;

/// The thread of one partition of a reaction, for what continues a handler of it: whatever is posted
/// knows, like the handler, that it would wait for itself if it waited for the reaction.
class handler_thread final : public blocking_executor {
public:
    handler_thread(std::shared_ptr<blocking_executor> thread, std::string reaction);
    [[nodiscard]] const std::string& reaction() const noexcept { return *reaction_; }
    void post(std::function<void()> task) override;
    /// Whoever owns the thread stops it.
    void stop() override {}

private:
    const std::shared_ptr<blocking_executor> thread_;
    const std::shared_ptr<const std::string> reaction_;
};

/// The commands of one partition of a reaction on their way to the engine. It may outlive the engine.
class reaction_sender final : public command_sender {
public:
    /// The answers' continuations run on `thread`.
    reaction_sender(std::weak_ptr<engine_core> to, std::shared_ptr<blocking_executor> thread);
    void send(std::shared_ptr<command_request> request, send_options options) override;

private:
    const std::weak_ptr<engine_core> to_;
    const std::shared_ptr<blocking_executor> thread_;
};

} // namespace annals
