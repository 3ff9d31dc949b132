#pragma once

#include "sales_by_time.hpp"

#include <string>
#include <string_view>

namespace retail::analytics {

/// An SVG document that shows the revenue of each day as a bar with a tooltip, in pounds over dates;
/// days on which more went back than was sold hang below the line. It follows the reader's choice of a
/// light or dark display.
[[nodiscard]] std::string revenue_plot(const days_turnover& days, std::string_view title);

} // namespace retail::analytics
