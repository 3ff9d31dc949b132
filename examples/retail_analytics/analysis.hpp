#pragma once

#include "customers.hpp"
#include "sales_by_country.hpp"
#include "sales_by_product.hpp"
#include "sales_by_time.hpp"

#include "online_retail/report.hpp"

#include <annals/runtime.hpp>

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace retail::analytics {

/// What the projections say after an import, all of them about the whole log.
struct analysis {
    /// What online_retail reports, from its own view. Its seconds are those until every projection has
    /// seen the whole log.
    retail::report shop;
    days_turnover days;
    hours_turnover hours;
    std::map<std::string, turnover> countries;
    std::vector<product> best;
    std::vector<product> returned;
    std::vector<spender> spenders; ///< all of them, the biggest first
    std::size_t alerts = 0;        ///< told so far
    bool alerts_are_all = false;   ///< false: the import ended before all events were looked at

    /// Of all days.
    [[nodiscard]] turnover total() const;
};

/// Asks the views of `rt` about everything up to the journal's head, which `shop.head` names. Throws
/// `annals::bad_result` if one does not answer.
[[nodiscard]] analysis ask_analysis(annals::runtime& rt);

/// One JSON object on one line.
void write_json(std::ostream& to, const analysis& made);

/// For people.
void write_summary(std::ostream& to, const analysis& made);

} // namespace retail::analytics
