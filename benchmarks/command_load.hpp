#pragma once

#include "timing.hpp"

#include <annals/runtime.hpp>

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// Sends commands and harvests their answers in the order sent, with up to `window` of them on
/// their way: what a host does that has a stream of requests. One thread.
class command_load {
public:
    command_load(annals::runtime& to, std::size_t window) : to_(to), window_(window) {}

    template <class Command>
    void send(const std::string& id, Command command) {
        if (waiting_.size() == window_)
            harvest_one();
        const auto sent = steady::now();
        waiting_.push_back({to_.send(id, std::move(command)), sent});
    }

    void harvest_all() {
        while (!waiting_.empty())
            harvest_one();
    }

    /// From `send` until the answer was in the sender's hands.
    [[nodiscard]] const latencies& times() const noexcept { return times_; }

private:
    struct sent_command {
        annals::future<annals::receipt> answer;
        steady::time_point sent;
    };

    void harvest_one() {
        const auto came = waiting_.front().answer.get();
        times_.add(steady::now() - waiting_.front().sent);
        waiting_.pop_front();
        if (!came)
            throw std::runtime_error(came.explanation());
    }

    annals::runtime& to_;
    const std::size_t window_;
    std::deque<sent_command> waiting_;
    latencies times_;
};

/// "0", "1", ...
[[nodiscard]] inline std::vector<std::string> account_ids(std::size_t count) {
    std::vector<std::string> made;
    made.reserve(count);
    for (std::size_t i = 0; i != count; ++i)
        made.push_back(std::to_string(i));
    return made;
}

} // namespace bench
