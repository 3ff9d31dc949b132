#include "retail_analytics/columns.hpp"
#include "retail_analytics/frame.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

/// What the live view of the retail_analytics example shows, as text.

using namespace retail::analytics;
using annals::projection_kind;
using annals::projection_status;

namespace {

projection_status projection(std::string name, projection_kind kind, projection_status::state now,
                             std::uint64_t lag, double per_second) {
    projection_status one;
    one.name = std::move(name);
    one.kind = kind;
    one.now = now;
    one.lag = lag;
    one.per_second = per_second;
    return one;
}

live_figures figures() {
    live_figures now;
    now.rows = 210'000;
    now.seconds = 1.25;
    now.share = 0.4;
    now.projections = {
        projection("sales", projection_kind::view, projection_status::state::live, 0, 168'000.4),
        projection("customers", projection_kind::stored_view, projection_status::state::catching_up,
                   12'345, 90'000),
        projection("big_order_alerts", projection_kind::reaction,
                   projection_status::state::retrying, 1'234'567, 12)};
    now.projections.back().set_aside = 3;
    now.best = {
        {"22423", "REGENCY CAKESTAND 3 TIER", {12'000, 600, 150'000'000, 5'123'450, 1'500}},
        {"DOT", "", {700, 0, 1'234'567, 0, 7}},
        {"85123A", "WHITE HANGING HEART T-LIGHT HOLDER", {35'000, 1, 99'000, 100'000, 2'000}}};
    now.best_before = {"85123A", "22423"};
    return now;
}

} // namespace

TEST_CASE("a frame shows progress, each projection and the best sellers") {
    CHECK(frame(figures(), {80, 40}) ==
          R"(210,000 rows, 168,000/s, 40 % read, 2 s left

projection        kind         state               lag       events  set aside
sales             view         live                  0    168,000/s          0
customers         stored_view  catching up      12,345     90,000/s          0
big_order_alerts  reaction     retrying      1,234,567         12/s          3

best sellers                                sold  returned             pounds
 1 + 22423     REGENCY CAKESTAND 3 TIER     12,000     5.0 %        144,876.550
 2 * DOT                                       700     0.0 %          1,234.567
 3 - 85123A    WHITE HANGING HEART T-LIGH   35,000     0.0 %             -1.000
)");
}

TEST_CASE("a frame fits the terminal it is for") {
    const std::string small = frame(figures(), {20, 4});
    CHECK(small == "210,000 rows, 168,00\n\nprojection        ki\nsales             vi\n");
    CHECK(frame({}, {80, 24}).starts_with("0 rows, 0/s\n"));
}

TEST_CASE("the first frame marks no movement, an unchanged one neither") {
    live_figures now = figures();
    now.best_before.clear();
    CHECK(frame(now, {80, 40}).find("\n 1   22423") != std::string::npos);
    now.best_before = {"22423", "DOT", "85123A"};
    CHECK(frame(now, {80, 40}).find("\n 3   85123A") != std::string::npos);
}

TEST_CASE("where there is no terminal, one line says how far it is") {
    live_figures now = figures();
    CHECK(status_line(now) == "210,000 rows, 168,000/s, 40 % read, 2 s left; big_order_alerts is "
                              "1,234,567 events behind; best: 22423");
    now.share.reset();
    for (projection_status& one : now.projections)
        one.lag = 0;
    now.best.clear();
    CHECK(status_line(now) == "210,000 rows, 168,000/s; every projection is up to date");
}

TEST_CASE("a description cannot take over the terminal") {
    live_figures now = figures();
    now.best = {{"tea",
                 "\x1b[2J\r\n\x7f\xc2\x9b"
                 "2J£",
                 {}}};
    const std::string shown = frame(now, {80, 40});
    CHECK(shown.find("tea       ?[2J????2J£ ") != std::string::npos);
}

TEST_CASE("columns are counted in characters, not in bytes") {
    CHECK(left_aligned("café", 6) == "café  ");
    CHECK(left_aligned("café au lait", 4) == "café");
    CHECK(right_aligned("£5", 4) == "  £5");
    CHECK(right_aligned("12,345", 3) == "12,345");
    CHECK(cut("£££", 2) == "££");
    CHECK(shortened("café", 4) == "café");
    CHECK(shortened("cafés", 4) == "caf…");
    CHECK(shortened("tea", 5) == "tea  ");
    CHECK(cut("", 2).empty());
}
