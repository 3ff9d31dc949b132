#pragma once

#include "annals/request.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace annals {

/// What may accompany a command.
struct send_options {
    /// Command id (makes the command idempotent), correlation, causation, actor, time, extra.
    metadata about = {};
    /// Answered `deadline_exceeded` if it has not been started by then, `outcome_unknown` if it has
    /// been but is not stored. Without it a command waits as long as it takes.
    std::optional<std::chrono::milliseconds> timeout = {};
    /// Commands that build on each other; see `command_chain`.
    std::shared_ptr<command_chain> chain = {};
    /// The receipt comes when these projections, by name, have taken the command's events. If they do
    /// not in `timeout` (`engine_limits::query_timeout` without one), the answer is
    /// `version_out_of_reach` although the command is stored: do not send it again; `error::actual` is
    /// its last position. A projection that has failed or is paused is waited for all the same. Only
    /// for `runtime::send`: through a door, a gateway or a delivery it is `invalid_argument`.
    std::vector<std::string> wait_for = {};
};

} // namespace annals
