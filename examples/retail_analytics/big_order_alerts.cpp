#include "big_order_alerts.hpp"

#include "dates.hpp"

#include "online_retail/numbers.hpp"

namespace retail::analytics {

std::string alert_text(std::string_view cart, std::string_view what, const invoice_line& line) {
    const auto day = std::chrono::floor<std::chrono::days>(line.invoiced);
    std::string text = date_text(day) + ' ' + std::string(cart) + ": ";
    text += std::string(what) + ' ' + grouped(line.quantity) + " x " + line.sku;
    return text + " for £" + pounds(line.quantity * line.price);
}

} // namespace retail::analytics
