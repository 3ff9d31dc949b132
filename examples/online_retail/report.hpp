#pragma once

#include "importer.hpp"
#include "views.hpp"

#include <annals/runtime.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace retail {

/// What a run did, and what the whole store says after it.
struct report {
    import_counts counts;
    double seconds = 0;
    // Asked from the view, which has folded the whole log by then.
    annals::log_position head = 0;
    sales_total total;
    std::map<std::string, thousandths> by_country;
    std::vector<product_sales> top_products;
    std::optional<std::chrono::sys_days> busiest;
};

/// Asks the view of `rt` about everything up to the journal's head. Throws `annals::bad_result` if it
/// does not answer.
[[nodiscard]] report ask_figures(annals::runtime& rt);

/// One JSON object on one line.
void write_json(std::ostream& to, const report& made);

/// For people.
void write_summary(std::ostream& to, const report& made);

} // namespace retail
