#pragma once

#include "alert_file.hpp"

#include "online_retail/domain.hpp"

#include <annals/reaction.hpp>

#include <string>
#include <variant>

namespace retail::analytics {

/// For whoever watches the till: "2010-12-01 17850: sold 600 x 22423 for £1,200.000".
[[nodiscard]] std::string alert_text(std::string_view cart, std::string_view what,
                                     const invoice_line& line);

/// A reaction: tells of each invoice line that is worth `from` or more, sold or taken back. (Lines, not
/// invoices: the events of this shop do not say which lines are one invoice.)
///
/// It is delivered at least once, so the file is asked by the event's id whether it has the line
/// already. That way each alert is in the file exactly once, also after SIGKILL.
struct big_order_alerts {
    static constexpr std::string_view name = "big_order_alerts";
    using event = std::variant<item_added, item_removed>;

    alert_file* out = nullptr;    ///< outlives the runtime
    thousandths from = 1'000'000; ///< £1,000
};

inline annals::result<void> alert(big_order_alerts& to, std::string_view what,
                                  const invoice_line& line, const annals::delivery& about) {
    if (line.quantity * line.price < to.from)
        return {};
    return to.out->append(about.event_id, alert_text(about.id, what, line));
}

inline annals::result<void> react(big_order_alerts& to, const item_added& happened,
                                  const annals::delivery& about) {
    return alert(to, "sold", happened.line, about);
}
inline annals::result<void> react(big_order_alerts& to, const item_removed& happened,
                                  const annals::delivery& about) {
    return alert(to, "returned", happened.line, about);
}

} // namespace retail::analytics
