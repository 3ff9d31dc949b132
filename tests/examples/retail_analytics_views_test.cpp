#include "retail_analytics/sales_by_country.hpp"
#include "retail_analytics/sales_by_product.hpp"
#include "retail_analytics/sales_by_time.hpp"

#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <string>

/// The views of the retail_analytics example, each on its own: events given, questions asked.

using namespace annals::testing;
using namespace retail::analytics;
using namespace std::chrono_literals;
using retail::invoice_line;
using retail::item_added;
using retail::item_removed;

namespace {

constexpr std::chrono::sys_days first_day = std::chrono::sys_days(2010y / 12 / 1);

struct line_terms {
    std::string country = "EIRE";
    std::chrono::sys_seconds invoiced = first_day + 8h;
    std::string description = "TEA";
};

invoice_line line(std::string sku, std::int64_t quantity, retail::thousandths price,
                  line_terms terms = {}) {
    return {std::move(sku),           terms.description, quantity, price,
            std::move(terms.country), terms.invoiced,    1};
}

auto has_skus(std::vector<std::string> expected) {
    return [expected = std::move(expected)](const std::vector<product>& answered) {
        std::vector<std::string> skus;
        for (const product& one : answered)
            skus.push_back(one.sku);
        return skus == expected;
    };
}

} // namespace

TEST_CASE("a day's and an hour's sales are those of the invoices' own time") {
    const auto seen = given_view<sales_by_time>(
        item_added{line("tea", 5, 250, {.invoiced = first_day + 8h + 59min + 59s})},
        item_removed{line("tea", 2, 300, {.invoiced = first_day + 9h})},
        item_added{line("mug", 1, 650, {.invoiced = first_day + 24h + 8h})});

    ANNALS_CHECK(seen.ask(daily_sales{}).answers([](const days_turnover& days) {
        return days.size() == 2 && days.at(first_day) == turnover{5, 2, 1'250, 600, 2} &&
               days.at(first_day + std::chrono::days(1)) == turnover{1, 0, 650, 0, 1};
    }));
    ANNALS_CHECK(seen.ask(hourly_sales{}).answers([](const hours_turnover& hours) {
        return hours[8] == turnover{6, 0, 1'900, 0, 2} && hours[9] == turnover{0, 2, 0, 600, 1} &&
               hours[10] == turnover{};
    }));
}

TEST_CASE("the hour of a sale before 1970 counts from its own midnight") {
    const auto long_ago = std::chrono::sys_days(1969y / 12 / 31) + 23h + 1s;
    ANNALS_CHECK(given_view<sales_by_time>(item_added{line("tea", 1, 1, {.invoiced = long_ago})})
                     .ask(hourly_sales{})
                     .answers([](const hours_turnover& hours) { return hours[23].lines == 1; }));
}

TEST_CASE("a country's sales are net of what it sent back") {
    ANNALS_CHECK(
        given_view<sales_by_country>(item_added{line("tea", 5, 250, {.country = "EIRE"})},
                                     item_added{line("tea", 1, 250, {.country = "Norway"})},
                                     item_removed{line("tea", 1, 250, {.country = "EIRE"})})
            .ask(sales_of_countries{})
            .answers([](const std::map<std::string, turnover>& countries) {
                return countries.size() == 2 && countries.at("EIRE").revenue() == 1'000 &&
                       countries.at("EIRE").units() == 4 && countries.at("Norway").revenue() == 250;
            }));
}

TEST_CASE("best sellers come by revenue, equals by sku, and no more than asked for") {
    const auto seen = given_view<sales_by_product>(
        item_added{line("tea", 4, 250)}, item_added{line("mug", 1, 1'000)},
        item_added{line("pot", 1, 9'000)}, item_removed{line("pot", 1, 9'000)});
    ANNALS_CHECK(seen.ask(top_sellers{}).answers(has_skus({"mug", "tea", "pot"})));
    ANNALS_CHECK(seen.ask(top_sellers{1}).answers(has_skus({"mug"})));
    ANNALS_CHECK(given_view<sales_by_product>().ask(top_sellers{}).answers(has_skus({})));
}

TEST_CASE("the return rate is what came back of what was sold") {
    const auto seen = given_view<sales_by_product>(
        item_added{line("tea", 200, 250)}, item_removed{line("tea", 50, 250)},
        item_added{line("mug", 100, 650)}, item_removed{line("mug", 50, 650)},
        item_added{line("pot", 99, 900)}, item_removed{line("pot", 99, 900)},
        item_added{line("jar", 500, 100)});
    ANNALS_CHECK(seen.ask(one_product{"tea"}).answers([](const std::optional<product>& tea) {
        return tea && tea->total.return_rate() == 0.25 && tea->total.units() == 150;
    }));
    // The pot is sold too rarely to judge, and no jar came back.
    ANNALS_CHECK(seen.ask(most_returned{}).answers(has_skus({"mug", "tea"})));
    ANNALS_CHECK(seen.ask(most_returned{10, 1}).answers(has_skus({"pot", "mug", "tea"})));
    ANNALS_CHECK(seen.ask(one_product{"cup"}).answers([](const std::optional<product>& none) {
        return !none.has_value();
    }));
    CHECK(turnover{}.return_rate() == 0);
}

TEST_CASE("an article is described as on its first invoice that says something") {
    ANNALS_CHECK(
        given_view<sales_by_product>(item_added{line("tea", 1, 250, {.description = ""})},
                                     item_added{line("tea", 1, 250, {.description = "EARL GREY"})},
                                     item_removed{line("tea", 1, 250, {.description = "damaged"})})
            .ask(one_product{"tea"})
            .answers([](const std::optional<product>& tea) {
                return tea && tea->description == "EARL GREY";
            }));
}
