#include "shop.hpp"

#include "customers.hpp"
#include "sales_by_country.hpp"
#include "sales_by_product.hpp"
#include "sales_by_time.hpp"

#include "online_retail/stop_signal.hpp"
#include "online_retail/views.hpp"

#include <chrono>
#include <utility>

namespace retail::analytics {

namespace {

using status = annals::projection_status;

bool goes_on(const annals::result<status>& of) {
    return of && of->now != status::state::failed && of->now != status::state::paused &&
           of->now != status::state::stopped;
}

bool has_reached(const annals::projection_control& projection, annals::log_position head) {
    const auto now = projection.status();
    return now && now->position >= head;
}

} // namespace

annals::result<annals::runtime> open_shop(annals::config with, alert_file& alerts,
                                          thousandths alert_from) {
    return annals::runtime::open(
        std::move(with),
        // What online_retail hosts.
        annals::host<cart>, annals::host<sales>,
        // Views in memory. A saved copy is read at opening, and only what followed it is folded.
        annals::host<sales_by_time>({.save_every = 100'000}),
        annals::host<sales_by_country>({.save_every = 100'000}),
        // Published: the live view reads it without a message.
        annals::host_published<sales_by_product>,
        // A stored view.
        annals::host<customers>,
        // A reaction.
        annals::host_reaction(big_order_alerts{&alerts, alert_from},
                              annals::reaction_start::beginning));
}

bool wait_for_projections(const annals::runtime& rt, import_display& shown) {
    constexpr std::chrono::milliseconds between_looks(500);
    const annals::log_position head = rt.journal().head();
    bool all_have_seen_it = true;
    for (const status& one : rt.status().projections) {
        const annals::projection_control projection = rt.projection(one.name);
        bool is_told = false;
        bool has_seen_it = has_reached(projection, head);
        while (!has_seen_it && stop_signal() == 0 && goes_on(projection.status())) {
            has_seen_it = projection.reaches(head, between_looks).get().has_value();
            if (!has_seen_it && !std::exchange(is_told, true))
                shown.print("waiting for " + one.name +
                            "; Ctrl-C leaves what is left to the next run");
        }
        all_have_seen_it = all_have_seen_it && has_seen_it;
    }
    return all_have_seen_it;
}

std::string failed_projections(const annals::runtime& rt) {
    std::string failed;
    for (const status& one : rt.status().projections)
        if (one.now == status::state::failed)
            failed += (failed.empty() ? "" : "; ") + one.name + " has failed: " + one.last_error;
    return failed;
}

} // namespace retail::analytics
