#include "report.hpp"

#include "numbers.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iomanip>

namespace retail {

namespace {

/// "2010-12-01".
std::string text_of(std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t, std::less<>>& counts) {
    std::uint64_t all = 0;
    for (const auto& [code, count] : counts)
        all += count;
    return all;
}

void write_row(std::ostream& to, std::string_view what, const std::string& figure) {
    to << "  " << std::left << std::setw(22) << what << ' ' << std::right << std::setw(15) << figure
       << '\n';
}

} // namespace

report ask_figures(annals::runtime& rt) {
    report made;
    made.head = rt.journal().head();
    // The view may have to fold the log from the beginning first.
    const annals::ask_options all{made.head, std::chrono::minutes(10)};
    const auto total = rt.ask(overall_sales{}, all);
    const auto by_country = rt.ask(revenue_by_country{}, all);
    const auto best = rt.ask(best_products{10}, all);
    const auto busiest = rt.ask(busiest_day{}, all);
    made.total = total.get().value();
    made.by_country = by_country.get().value();
    made.top_products = best.get().value();
    made.busiest = busiest.get().value();
    return made;
}

void write_json(std::ostream& to, const report& made) {
    using json = nlohmann::ordered_json;
    json rejected = json::object();
    for (const auto& [code, count] : made.counts.rejected)
        rejected[code] = count;
    json countries = json::object();
    for (const auto& [country, revenue] : made.by_country)
        countries[country] = revenue;
    json products = json::array();
    for (const product_sales& product : made.top_products)
        products.push_back({{"sku", product.sku},
                            {"units", product.units},
                            {"revenue_thousandths", product.revenue}});
    const json figures{{"rows", made.counts.rows},
                       {"accepted", made.counts.accepted},
                       {"rejected", std::move(rejected)},
                       {"already_stored", made.counts.already_stored},
                       {"malformed", made.counts.malformed},
                       {"carts", made.total.carts},
                       {"events",
                        {{annals::event_name<item_added>(), made.total.added},
                         {annals::event_name<item_removed>(), made.total.removed}}},
                       {"units", made.total.units},
                       {"revenue_thousandths", made.total.revenue},
                       {"revenue_by_country", std::move(countries)},
                       {"top_products", std::move(products)},
                       {"busiest_day", made.busiest ? json(text_of(*made.busiest)) : json(nullptr)},
                       {"days", made.total.days},
                       {"head", made.head},
                       {"seconds", made.seconds}};
    to << figures.dump() << '\n';
}

void write_summary(std::ostream& to, const report& made) {
    const import_counts& counts = made.counts;
    const double rate = made.seconds > 0 ? static_cast<double>(counts.rows) / made.seconds : 0;
    to << grouped(counts.rows) << " rows in " << std::fixed << std::setprecision(2) << made.seconds
       << " s, " << grouped(static_cast<std::int64_t>(rate)) << " rows/s\n";
    write_row(to, "stored now", grouped(counts.accepted));
    write_row(to, "decided in earlier runs", grouped(counts.already_stored));
    write_row(to, "rejected", grouped(sum(counts.rejected)));
    for (const auto& [code, count] : counts.rejected)
        write_row(to, "  " + code, grouped(count));
    write_row(to, "malformed", grouped(counts.malformed));
    if (counts.rows != 0 && counts.accepted == 0)
        to << "This run changed nothing.\n";

    to << "\nThe store after it\n";
    write_row(to, "carts", grouped(made.total.carts));
    write_row(to, "items added, events", grouped(made.total.added));
    write_row(to, "items removed, events", grouped(made.total.removed));
    write_row(to, "units", grouped(made.total.units));
    write_row(to, "revenue, pounds", pounds(made.total.revenue));
    write_row(to, "days", grouped(made.total.days));
    if (made.busiest)
        write_row(to, "busiest day", text_of(*made.busiest));

    to << "\nBest products            units          pounds\n";
    for (const product_sales& product : made.top_products)
        to << "  " << std::left << std::setw(14) << product.sku << ' ' << std::right
           << std::setw(13) << grouped(product.units) << std::setw(16) << pounds(product.revenue)
           << '\n';

    to << "\nRevenue by country, pounds\n";
    std::vector<std::pair<std::string, thousandths>> countries(made.by_country.begin(),
                                                               made.by_country.end());
    std::stable_sort(countries.begin(), countries.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [country, revenue] : countries)
        write_row(to, country, pounds(revenue));
}

} // namespace retail
