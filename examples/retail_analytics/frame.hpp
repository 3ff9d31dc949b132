#pragma once

#include "sales_by_product.hpp"

#include <annals/projection.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the live view shows, as text: functions of figures, without a terminal.
namespace retail::analytics {

/// What is known at one moment of an import.
struct live_figures {
    std::uint64_t rows = 0; ///< done for good
    double seconds = 0;     ///< that they took
    std::optional<double>
        share; ///< of the input that is read, 0 to 1; empty if its size is unknown
    std::vector<annals::projection_status> projections;
    std::vector<product> best;
    std::vector<std::string>
        best_before; ///< skus of the last frame, best first; empty: no frame yet
};

struct screen_size {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

/// Lines that fit `screen`, each ended by a line feed: progress, a line for each projection, the best
/// products. Marked are products that rose (+) or fell (-) since the last frame, or are new (*).
[[nodiscard]] std::string frame(const live_figures& now, screen_size screen);

/// The same in one line without its end, for a file or a pipe: progress, and who is furthest behind.
[[nodiscard]] std::string status_line(const live_figures& now);

} // namespace retail::analytics
