#include "analysis.hpp"

#include "columns.hpp"
#include "dates.hpp"

#include "online_retail/numbers.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>

namespace retail::analytics {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t spenders_shown = 10;

json json_of(const turnover& total) {
    return {{"units_sold", total.units_sold},         {"units_returned", total.units_returned},
            {"sold_thousandths", total.sold},         {"refunded_thousandths", total.refunded},
            {"revenue_thousandths", total.revenue()}, {"lines", total.lines}};
}

json json_of(const std::vector<product>& products) {
    json all = json::array();
    for (const product& one : products) {
        json described = json_of(one.total);
        described["sku"] = one.sku;
        described["description"] = one.description;
        described["return_rate"] = one.total.return_rate();
        all.push_back(std::move(described));
    }
    return all;
}

json json_of(const std::vector<spender>& spenders) {
    json all = json::array();
    for (std::size_t i = 0; i != std::min(spenders.size(), spenders_shown); ++i) {
        json described = json_of(spenders[i].known.total);
        described["id"] = spenders[i].id;
        described["country"] = spenders[i].known.country;
        all.push_back(std::move(described));
    }
    return all;
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", share * 100);
    return text;
}

void write_row(std::ostream& to, std::string_view what, const turnover& total) {
    to << "  " << left_aligned(what, 38) << right_aligned(grouped(total.units()), 12)
       << right_aligned(percent(total.return_rate()), 10)
       << right_aligned(pounds(total.revenue()), 18) << '\n';
}

void write_heading(std::ostream& to, std::string_view what) {
    to << '\n'
       << left_aligned(what, 40) << right_aligned("units", 12) << right_aligned("returned", 10)
       << right_aligned("pounds", 18) << '\n';
}

void write_products(std::ostream& to, std::string_view heading,
                    const std::vector<product>& products) {
    write_heading(to, heading);
    for (const product& one : products)
        write_row(to, shortened(one.sku, 10) + ' ' + one.description, one.total);
}

void write_countries(std::ostream& to, const std::map<std::string, turnover>& countries) {
    std::vector<std::pair<std::string, turnover>> sorted(countries.begin(), countries.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second.revenue() > b.second.revenue();
    });
    write_heading(to, "Countries");
    for (const auto& [country, total] : sorted)
        write_row(to, country, total);
}

void write_hours(std::ostream& to, const hours_turnover& hours) {
    write_heading(to, "Hours of the day");
    for (std::size_t hour = 0; hour != hours.size(); ++hour)
        if (hours[hour].lines != 0)
            write_row(to, right_aligned(std::to_string(hour), 2) + ":00", hours[hour]);
}

void write_best_day(std::ostream& to, const days_turnover& days) {
    const auto best = std::max_element(days.begin(), days.end(), [](const auto& a, const auto& b) {
        return a.second.revenue() < b.second.revenue();
    });
    if (best != days.end())
        to << "best of " << grouped(days.size()) << " days: " << date_text(best->first) << " with "
           << pounds(best->second.revenue()) << " pounds\n";
}

} // namespace

turnover analysis::total() const {
    turnover all;
    for (const auto& [day, one] : days)
        all += one;
    return all;
}

analysis ask_analysis(annals::runtime& rt) {
    analysis made;
    made.shop = retail::ask_figures(rt);
    // A view may have to fold the log from the beginning first.
    const annals::ask_options all{made.shop.head, std::chrono::minutes(10)};
    const auto days = rt.ask(daily_sales{}, all);
    const auto hours = rt.ask(hourly_sales{}, all);
    const auto countries = rt.ask(sales_of_countries{}, all);
    const auto best = rt.ask(top_sellers{}, all);
    const auto returned = rt.ask(most_returned{}, all);
    const auto spenders = rt.ask(biggest_spenders{std::numeric_limits<std::size_t>::max()}, all);
    made.days = days.get().value();
    made.hours = hours.get().value();
    made.countries = countries.get().value();
    made.best = best.get().value();
    made.returned = returned.get().value();
    made.spenders = spenders.get().value();
    return made;
}

void write_json(std::ostream& to, const analysis& made) {
    const import_counts& counts = made.shop.counts;
    json days = json::object();
    for (const auto& [day, total] : made.days)
        days[date_text(day)] = json_of(total);
    json hours = json::array();
    for (const turnover& total : made.hours)
        hours.push_back(json_of(total));
    json countries = json::object();
    for (const auto& [country, total] : made.countries)
        countries[country] = json_of(total);
    const json figures{{"rows", counts.rows},
                       {"accepted", counts.accepted},
                       {"already_stored", counts.already_stored},
                       {"malformed", counts.malformed},
                       {"total", json_of(made.total())},
                       {"days", std::move(days)},
                       {"hours", std::move(hours)},
                       {"countries", std::move(countries)},
                       {"top_sellers", json_of(made.best)},
                       {"most_returned", json_of(made.returned)},
                       {"customers", made.spenders.size()},
                       {"biggest_spenders", json_of(made.spenders)},
                       {"alerts", made.alerts},
                       {"alerts_are_all", made.alerts_are_all},
                       {"head", made.shop.head},
                       {"seconds", made.shop.seconds}};
    to << figures.dump() << '\n';
}

void write_summary(std::ostream& to, const analysis& made) {
    const import_counts& counts = made.shop.counts;
    const double seconds = made.shop.seconds;
    const double rate = seconds > 0 ? static_cast<double>(counts.rows) / seconds : 0;
    char duration[32];
    std::snprintf(duration, sizeof duration, "%.2f", seconds);
    to << grouped(counts.rows) << " rows in " << duration << " s, "
       << grouped(static_cast<std::int64_t>(rate)) << " rows/s; " << grouped(counts.accepted)
       << " stored now, " << grouped(counts.malformed) << " malformed\n";
    write_best_day(to, made.days);
    to << grouped(made.alerts) << " alerts for big orders"
       << (made.alerts_are_all ? "\n" : " so far; the next run tells the rest\n");

    write_heading(to, "All");
    write_row(to, "sales", made.total());
    write_products(to, "Top sellers", made.best);
    write_products(to, "Most returned", made.returned);
    write_heading(to, "Biggest of " + grouped(made.spenders.size()) + " customers");
    for (std::size_t i = 0; i != std::min(made.spenders.size(), spenders_shown); ++i)
        write_row(to, shortened(made.spenders[i].id, 20) + ' ' + made.spenders[i].known.country,
                  made.spenders[i].known.total);
    write_countries(to, made.countries);
    write_hours(to, made.hours);
}

} // namespace retail::analytics
