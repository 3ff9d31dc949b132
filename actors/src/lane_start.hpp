#pragma once

#include "annals/hosted.hpp"

#include <memory>

namespace annals {

/// Where a lane begins, and with what.
struct lane_start {
    checkpoint_record checkpoint;        ///< `done` is where the feed begins
    std::unique_ptr<view_instance> view; ///< of a view in memory
    log_position since = 0;              ///< it reflects only what came after
    std::uint32_t version = 1;           ///< of a view in memory
    bool of_this_version = true;         ///< false: made by an earlier version, to be replaced
};

} // namespace annals
