#pragma once

#include "online_retail/domain.hpp"

#include <cstdint>

namespace retail::analytics {

/// What came and went: of one day, one country, one article, one customer. Money is exact, in
/// thousandths of a pound, since unit prices have up to three decimals; what went back is counted at
/// the price of its own line, as online_retail does.
struct turnover {
    std::int64_t units_sold = 0;
    std::int64_t units_returned = 0;
    thousandths sold = 0;
    thousandths refunded = 0;
    std::uint64_t lines = 0; ///< of invoices, either way

    void sell(const invoice_line& line) {
        units_sold += line.quantity;
        sold += line.quantity * line.price;
        ++lines;
    }
    void take_back(const invoice_line& line) {
        units_returned += line.quantity;
        refunded += line.quantity * line.price;
        ++lines;
    }

    [[nodiscard]] std::int64_t units() const { return units_sold - units_returned; }
    [[nodiscard]] thousandths revenue() const { return sold - refunded; }
    /// Units that came back for each that was sold, 0 to 1: no cart gives back more than it holds.
    [[nodiscard]] double return_rate() const {
        return units_sold == 0
                   ? 0.0
                   : static_cast<double>(units_returned) / static_cast<double>(units_sold);
    }

    turnover& operator+=(const turnover& other) {
        units_sold += other.units_sold;
        units_returned += other.units_returned;
        sold += other.sold;
        refunded += other.refunded;
        lines += other.lines;
        return *this;
    }
    friend bool operator==(const turnover&, const turnover&) = default;
    ANNALS_FIELDS(turnover, units_sold, units_returned, sold, refunded, lines)
};

} // namespace retail::analytics
