#include "frame.hpp"

#include "columns.hpp"

#include "online_retail/numbers.hpp"

#include <algorithm>
#include <cstdio>

namespace retail::analytics {

namespace {

std::string rate_text(double per_second) {
    return grouped(static_cast<std::int64_t>(per_second)) + "/s";
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", share * 100);
    return text;
}

std::string progress_text(const live_figures& now) {
    const double rate = now.seconds > 0 ? static_cast<double>(now.rows) / now.seconds : 0;
    std::string text = grouped(now.rows) + " rows, " + rate_text(rate);
    if (now.share) {
        text += ", " + std::to_string(static_cast<int>(*now.share * 100)) + " % read";
        if (*now.share > 0 && *now.share < 1) {
            const double left = now.seconds * (1 - *now.share) / *now.share;
            text += ", " + grouped(static_cast<std::int64_t>(left + 0.5)) + " s left";
        }
    }
    return text;
}

std::string projection_line(const annals::projection_status& of) {
    std::string line = left_aligned(of.name, 18);
    line += left_aligned(to_string(of.kind), 13);
    line += left_aligned(to_string(of.now), 13);
    line += right_aligned(grouped(of.lag), 10);
    line += right_aligned(rate_text(of.per_second), 13);
    line += right_aligned(grouped(of.set_aside), 11);
    return line;
}

char movement(const std::vector<std::string>& before, const std::string& sku, std::size_t place) {
    if (before.empty())
        return ' ';
    const auto found = std::find(before.begin(), before.end(), sku);
    if (found == before.end())
        return '*';
    const auto was = static_cast<std::size_t>(found - before.begin());
    return place < was ? '+' : place > was ? '-' : ' ';
}

std::string product_line(const product& one, std::size_t place, char moved) {
    std::string line = right_aligned(std::to_string(place + 1), 2) + ' ' + moved + ' ';
    line += shortened(one.sku, 9) + ' ';
    line += left_aligned(one.description, 26);
    line += right_aligned(grouped(one.total.units_sold), 9);
    line += right_aligned(percent(one.total.return_rate()), 10);
    line += right_aligned(pounds(one.total.revenue()), 19);
    return line;
}

} // namespace

std::string frame(const live_figures& now, screen_size screen) {
    std::vector<std::string> lines{progress_text(now), ""};
    lines.push_back(
        "projection        kind         state               lag       events  set aside");
    for (const annals::projection_status& one : now.projections)
        lines.push_back(projection_line(one));
    lines.emplace_back();
    lines.push_back(
        "best sellers                                sold  returned             pounds");
    for (std::size_t place = 0; place != now.best.size(); ++place)
        lines.push_back(product_line(now.best[place], place,
                                     movement(now.best_before, now.best[place].sku, place)));
    std::string text;
    for (std::size_t i = 0; i != std::min(lines.size(), screen.rows); ++i)
        text += cut(lines[i], screen.columns) + '\n';
    return text;
}

std::string status_line(const live_figures& now) {
    std::string line = progress_text(now);
    const auto last = std::max_element(now.projections.begin(), now.projections.end(),
                                       [](const auto& a, const auto& b) { return a.lag < b.lag; });
    if (last != now.projections.end())
        line += last->lag == 0 ? "; every projection is up to date"
                               : "; " + last->name + " is " + grouped(last->lag) + " events behind";
    if (!now.best.empty())
        line += "; best: " + left_aligned(now.best.front().sku, now.best.front().sku.size());
    return line;
}

} // namespace retail::analytics
