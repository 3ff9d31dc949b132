#pragma once

#include "joint_seat.hpp"
#include "projection_book.hpp"
#include "projection_gauge.hpp"
#include "reaction_activity.hpp"
#include "row_progress.hpp"

#include "annals/published.hpp"

#include <memory>
#include <vector>

namespace annals {

/// One hosted projection, as its actors share it.
struct hosted_projection {
    hosted what;
    std::shared_ptr<projection_gauge> gauge;
    std::shared_ptr<joint_seat> seat; ///< of a view in memory
    std::shared_ptr<projection_book> book;
    std::shared_ptr<view_publisher> publisher; ///< null unless versions are published
    /// Threads of its own; none for a view in memory.
    std::vector<std::shared_ptr<blocking_executor>> threads;
    std::shared_ptr<reaction_activity> activity; ///< of a reaction; null otherwise
    /// Stored views: the space whose rows answer queries.
    std::atomic<row_space> serving_space{0};
    std::shared_ptr<row_progress> rows = std::make_shared<row_progress>(); ///< of a stored view
};

} // namespace annals
