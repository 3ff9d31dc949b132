#include "retail_analytics/axes.hpp"
#include "retail_analytics/revenue_plot.hpp"
#include "retail_analytics/svg.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

/// The diagram of the retail_analytics example: well-formed whatever is drawn, and to scale.

using namespace retail::analytics;
using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;

namespace {

constexpr sys_days first_day = sys_days(2010y / 12 / 1);

turnover revenue_of(retail::thousandths amount) {
    turnover total;
    (amount < 0 ? total.refunded : total.sold) = amount < 0 ? -amount : amount;
    return total;
}

/// The name of the element that a tag opens or closes.
std::string name_in(std::string_view tag) {
    return std::string(tag.substr(0, tag.find_first_of(" \n/", 1)));
}

/// Empty if every element of `xml` is closed in order and no "<" or bare "&" is left in text;
/// otherwise where it is not.
std::string flaw_of(std::string_view xml) {
    std::vector<std::string> open;
    std::size_t at = xml.find("?>") + 2;
    while (at < xml.size()) {
        const std::size_t tag = xml.find('<', at);
        const std::string_view text = xml.substr(at, tag - at);
        for (std::size_t mark = text.find('&'); mark != text.npos;
             mark = text.find('&', mark + 1)) {
            const std::string_view rest = text.substr(mark);
            if (!rest.starts_with("&amp;") && !rest.starts_with("&lt;") &&
                !rest.starts_with("&gt;") && !rest.starts_with("&quot;"))
                return "a bare & in: " + std::string(text);
        }
        if (tag == xml.npos)
            break;
        const std::size_t end = xml.find('>', tag);
        if (end == xml.npos)
            return "a tag without end";
        const std::string_view inside = xml.substr(tag + 1, end - tag - 1);
        if (inside.find('<') != inside.npos)
            return "a < within a tag: " + std::string(inside);
        if (inside.starts_with('/')) {
            if (open.empty() || open.back() != inside.substr(1))
                return "closes what is not open: " + std::string(inside);
            open.pop_back();
        } else if (!inside.ends_with('/')) {
            open.push_back(name_in(inside));
        }
        at = end + 1;
    }
    return open.empty() ? "" : "left open: " + open.back();
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
    std::size_t count = 0;
    for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1))
        ++count;
    return count;
}

std::size_t bars_in(std::string_view plot) {
    return count_of(plot, "<rect class=\"day");
}

} // namespace

TEST_CASE("an SVG document cannot be broken by its text") {
    svg_writer to(100.5, 50, "text { fill: red }\n");
    to.open("g", {{"id", "\"><script>&"}});
    to.add("text", {}, "Tea & <Biscuits> \"to go\"\x01\x1b");
    to.add("line", {{"x1", svg_number(1.0 / 3)}});
    const std::string xml = to.finish();
    CHECK(flaw_of(xml).empty());
    CHECK(xml == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100.5 50\" "
                 "width=\"100.5\" height=\"50\" role=\"img\">\n"
                 "<style>\ntext { fill: red }\n</style>\n"
                 "<g id=\"&quot;&gt;&lt;script&gt;&amp;\">\n"
                 "<text>Tea &amp; &lt;Biscuits&gt; &quot;to go&quot;</text>\n"
                 "<line x1=\"0.33\"/>\n"
                 "</g>\n"
                 "</svg>\n");
}

TEST_CASE("coordinates have two decimals at most and no negative zero") {
    CHECK(svg_number(0) == "0");
    CHECK(svg_number(-0.001) == "0");
    CHECK(svg_number(12.345) == "12.35");
    CHECK(svg_number(-7.5) == "-7.5");
    CHECK(svg_number(960) == "960");
}

TEST_CASE("a plot has one bar for each day, a title, dates and pounds") {
    days_turnover sold;
    for (int i = 0; i != 374; ++i)
        if (i % 7 != 3) // closed once a week
            sold[first_day + days(i)] = revenue_of((i + 1) * 100'000);
    const std::string plot = revenue_plot(sold, "Revenue of \"A & B\" <Ltd>");
    CHECK(flaw_of(plot).empty());
    CHECK(bars_in(plot) == sold.size());
    CHECK(plot.find(">Revenue of &quot;A &amp; B&quot; &lt;Ltd&gt;</text>") != plot.npos);
    CHECK(plot.find(">2011-01-01</text>") != plot.npos);
    CHECK(plot.find(">£10,000</text>") != plot.npos);
    CHECK(plot.find("<title>2010-12-02: £200.000</title>") != plot.npos);
    CHECK(plot.find("prefers-color-scheme: dark") != plot.npos);
}

TEST_CASE("bars are to scale and hang below the line on days of loss") {
    const std::string plot = revenue_plot({{first_day, revenue_of(50'000)},
                                           {first_day + days(1), revenue_of(-50'000)},
                                           {first_day + days(2), revenue_of(100'000)},
                                           {first_day + days(3), revenue_of(0)}},
                                          "Three days");
    CHECK(flaw_of(plot).empty());
    CHECK(bars_in(plot) == 4);
    CHECK(count_of(plot, "class=\"day loss\"") == 1);
    CHECK(plot.find("<title>2010-12-02: -£50.000</title>") != plot.npos);
    CHECK(plot.find(">-£50</text>") != plot.npos);
    const auto height_of = [&](std::string_view date) {
        const std::size_t title = plot.find("<title>" + std::string(date));
        const std::size_t height = plot.rfind("height=\"", title) + 8;
        return std::stod(plot.substr(height));
    };
    CHECK(height_of("2010-12-03") == Approx(2 * height_of("2010-12-01")).epsilon(0.001));
    CHECK(height_of("2010-12-02") == Approx(height_of("2010-12-01")).epsilon(0.001));
    CHECK(height_of("2010-12-04") == 0);
}

TEST_CASE("a plot of nothing, of one day and of extremes is a plot") {
    const std::string nothing = revenue_plot({}, "Nothing");
    CHECK(flaw_of(nothing).empty());
    CHECK(bars_in(nothing) == 0);
    CHECK(nothing.find("no sales yet") != nothing.npos);

    const std::string one = revenue_plot({{first_day, revenue_of(1)}}, "One day");
    CHECK(flaw_of(one).empty());
    CHECK(bars_in(one) == 1);
    CHECK(count_of(one, ">2010-12-01</text>") == 1);

    const auto most = std::numeric_limits<std::int64_t>::max() / 4;
    const std::string extreme = revenue_plot({{sys_days(1y / 1 / 1), revenue_of(most)},
                                              {sys_days(9999y / 12 / 31), revenue_of(-most)},
                                              {first_day, revenue_of(0)}},
                                             "Ten thousand years");
    CHECK(flaw_of(extreme).empty());
    CHECK(bars_in(extreme) == 3);
    for (const std::string_view broken : {"nan", "inf", "e+"})
        CHECK(extreme.find(broken) == extreme.npos);
}

TEST_CASE("marks of values are round, and enclose what they are for") {
    CHECK(value_marks(0, 112'141, 6) ==
          std::vector<double>{0, 20'000, 40'000, 60'000, 80'000, 100'000, 120'000});
    CHECK(value_marks(-3, 8, 6) == std::vector<double>{-4, -2, 0, 2, 4, 6, 8});
    CHECK(value_marks(0, 0, 5).size() == 2);
}

TEST_CASE("marks of dates are few, and the firsts of months once there are many days") {
    const auto few = date_marks(first_day, first_day + days(3), 9);
    CHECK(few.size() == 4);
    const auto year = date_marks(first_day, sys_days(2011y / 12 / 9), 9);
    CHECK(year == std::vector<sys_days>{2011y / 1 / 1, 2011y / 3 / 1, 2011y / 5 / 1, 2011y / 7 / 1,
                                        2011y / 9 / 1, 2011y / 11 / 1});
    for (const int span : {0, 8, 9, 20, 60, 62, 63, 100, 400, 5'000, 60'000, 3'000'000}) {
        CAPTURE(span);
        const auto marks = date_marks(sys_days(1y / 1 / 1), sys_days(1y / 1 / 1) + days(span), 9);
        CHECK(marks.size() >= 1);
        CHECK(marks.size() <= 9);
    }
}

TEST_CASE("a day is seen among very many") {
    days_turnover far_apart;
    far_apart[first_day] = revenue_of(1'000'000);
    far_apart[first_day + std::chrono::days(100'000)] = revenue_of(2'000'000);
    const std::string plot = revenue_plot(far_apart, "Revenue");
    CHECK(bars_in(plot) == 2);
    CHECK(count_of(plot, "width=\"0.5\"") == 2);
}
