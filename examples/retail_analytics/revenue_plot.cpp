#include "revenue_plot.hpp"

#include "axes.hpp"
#include "dates.hpp"
#include "svg.hpp"

#include "online_retail/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace retail::analytics {

namespace {

using std::chrono::sys_days;

constexpr double width = 960;
constexpr double height = 440;
constexpr double left = 84;
constexpr double right = width - 24;
constexpr double top = 64;
constexpr double bottom = height - 48;
constexpr double widest_bar = 40;
constexpr double narrowest_bar = 0.5; // a day among thousands is seen, though it covers others

constexpr std::string_view style = R"(  .page { fill: #ffffff }
  text { fill: #24292f; font: 13px sans-serif }
  .title { font-size: 18px; font-weight: 600 }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .zero { stroke: #57606a; stroke-width: 1.5 }
  .day { fill: #1f6feb }
  .loss { fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .zero { stroke: #8b949e }
    .day { fill: #58a6ff }
    .loss { fill: #ff7b72 }
  }
)";

double in_pounds(thousandths amount) {
    return static_cast<double>(amount) / 1'000;
}

std::string pounds_mark(double value) {
    const auto whole = static_cast<std::int64_t>(std::llround(value));
    if (std::abs(value - static_cast<double>(whole)) > 1e-9)
        return (value < 0 ? "-£" : "£") + svg_number(std::abs(value)); // a scale of pence
    return (whole < 0 ? "-£" : "£") + grouped(std::abs(whole));
}

std::string exactly(thousandths amount) {
    return (amount < 0 ? "-£" : "£") + pounds(std::abs(amount));
}

/// From days and pounds to places on the page.
struct scales {
    sys_days first;
    double day_width;
    double lowest;
    double highest;

    [[nodiscard]] double x(sys_days day) const {
        return left + (static_cast<double>((day - first).count()) + 0.5) * day_width;
    }
    [[nodiscard]] double y(double value) const {
        return bottom - (value - lowest) / (highest - lowest) * (bottom - top);
    }
};

void draw_values(svg_writer& to, const scales& at, const std::vector<double>& marks) {
    for (const double value : marks) {
        const std::string y = svg_number(at.y(value));
        to.add("line", {{"class", value == 0 ? "zero" : "grid"},
                        {"x1", svg_number(left)},
                        {"y1", y},
                        {"x2", svg_number(right)},
                        {"y2", y}});
        to.add("text",
               {{"x", svg_number(left - 8)},
                {"y", svg_number(at.y(value) + 4)},
                {"text-anchor", "end"}},
               pounds_mark(value));
    }
}

void draw_dates(svg_writer& to, const scales& at, sys_days last) {
    constexpr std::size_t most_dates = 9; // at 100 units each
    for (const sys_days day : date_marks(at.first, last, most_dates)) {
        const std::string x = svg_number(at.x(day));
        to.add("line", {{"class", "grid"},
                        {"x1", x},
                        {"y1", svg_number(top)},
                        {"x2", x},
                        {"y2", svg_number(bottom + 6)}});
        to.add("text", {{"x", x}, {"y", svg_number(bottom + 22)}, {"text-anchor", "middle"}},
               date_text(day));
    }
}

void draw_days(svg_writer& to, const scales& at, const days_turnover& days) {
    const double bar = std::clamp(at.day_width * 0.8, narrowest_bar, widest_bar);
    for (const auto& [day, total] : days) {
        const double zero = at.y(0);
        const double end = at.y(in_pounds(total.revenue()));
        to.open("rect", {{"class", total.revenue() < 0 ? "day loss" : "day"},
                         {"x", svg_number(at.x(day) - bar / 2)},
                         {"y", svg_number(std::min(zero, end))},
                         {"width", svg_number(bar)},
                         {"height", svg_number(std::abs(end - zero))}});
        to.add("title", {}, date_text(day) + ": " + exactly(total.revenue()));
        to.close();
    }
}

void draw_diagram(svg_writer& to, const days_turnover& days) {
    thousandths lowest = 0;
    thousandths highest = 0;
    for (const auto& [day, total] : days) {
        lowest = std::min(lowest, total.revenue());
        highest = std::max(highest, total.revenue());
    }
    const std::vector<double> marks = value_marks(in_pounds(lowest), in_pounds(highest), 6);
    const sys_days first = days.begin()->first;
    const sys_days last = days.rbegin()->first;
    const double count = static_cast<double>((last - first).count()) + 1;
    const scales at{first, (right - left) / count, marks.front(), marks.back()};
    draw_dates(to, at, last);
    draw_values(to, at, marks);
    draw_days(to, at, days);
}

} // namespace

std::string revenue_plot(const days_turnover& days, std::string_view title) {
    svg_writer to(width, height, style);
    to.add("title", {}, title);
    to.add("rect", {{"class", "page"}, {"width", "100%"}, {"height", "100%"}});
    to.add("text", {{"class", "title"}, {"x", svg_number(left)}, {"y", "34"}}, title);
    if (days.empty())
        to.add("text",
               {{"x", svg_number(width / 2)},
                {"y", svg_number(height / 2)},
                {"text-anchor", "middle"}},
               "no sales yet");
    else
        draw_diagram(to, days);
    return to.finish();
}

} // namespace retail::analytics
