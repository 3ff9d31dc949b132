#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace annals {

/// Whether a reaction is handling events just now, by whichever of its sinks, and whether it is to stop
/// because the runtime closes. Its sinks and who closes the runtime share it. Thread-safe.
class reaction_activity : public std::enable_shared_from_this<reaction_activity> {
public:
    /// Some events are with the handlers, for as long as the token lives.
    [[nodiscard]] std::shared_ptr<void> begin();
    /// Runs `then` when no events are with the handlers: at once, or on the thread that ends them.
    void when_idle(std::function<void()> then);
    [[nodiscard]] bool idle() const;
    /// False if it was not idle by then.
    [[nodiscard]] bool wait_idle_until(std::chrono::steady_clock::time_point deadline) const;

    /// The runtime closes. When this returns, no event is given to a handler any more, unless it is one
    /// of those that are handled already; `closing()` has told so.
    void close() { closing_.request_stop(); }
    [[nodiscard]] std::stop_token closing() const noexcept { return closing_.get_token(); }

private:
    void end();

    std::stop_source closing_;
    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    std::size_t running_ = 0;
    std::vector<std::function<void()>> waiting_;
};

} // namespace annals
