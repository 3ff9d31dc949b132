#pragma once

#include "big_order_alerts.hpp"

#include "online_retail/import_display.hpp"

#include <annals/runtime.hpp>

#include <string>

namespace retail::analytics {

/// Opens the shop's store: what online_retail hosts, and projections of all three kinds beside it.
/// `alerts` must outlive the runtime; lines of `alert_from` or more go there.
[[nodiscard]] annals::result<annals::runtime> open_shop(annals::config with, alert_file& alerts,
                                                        thousandths alert_from);

/// Waits until every projection has seen the whole log, unless it cannot go on or a signal asks to
/// stop. True if they all have. A query waits for a position by itself; a reaction has no queries, and takes its time: it says
/// on disk what it begins and what it has done.
[[nodiscard]] bool wait_for_projections(const annals::runtime& rt, import_display& shown);

/// "big_order_alerts has failed: ..." for each projection that has; empty if all are well.
[[nodiscard]] std::string failed_projections(const annals::runtime& rt);

} // namespace retail::analytics
