#include "retail_analytics/customers.hpp"

#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

/// The stored view of the retail_analytics example. Here its rows are in memory; in a runtime they are
/// on disk.

using namespace annals::testing;
using namespace retail::analytics;
using namespace std::chrono_literals;
using retail::item_added;
using retail::item_removed;

namespace {

constexpr std::chrono::sys_seconds morning = std::chrono::sys_days(2010y / 12 / 1) + 8h;

retail::invoice_line line(std::int64_t quantity, retail::thousandths price,
                          std::chrono::sys_seconds invoiced = morning,
                          std::string country = "EIRE") {
    return {"tea", "TEA", quantity, price, std::move(country), invoiced, 1};
}

auto has_ids(std::vector<std::string> expected) {
    return [expected = std::move(expected)](const std::vector<spender>& answered) {
        std::vector<std::string> ids;
        for (const spender& one : answered)
            ids.push_back(one.id);
        return ids == expected;
    };
}

auto three_customers() {
    return given_view<customers>()
        .from("cart-17850")
        .and_given(item_added{line(2, 500)}, item_added{line(1, 9'000)})
        .from("cart-12346")
        .and_given(item_added{line(74'215, 1'040)})
        .from("cart-guest-536365")
        .and_given(item_added{line(1, 2'550)});
}

} // namespace

TEST_CASE("a customer is known by what was bought, sent back, and when") {
    const auto seen =
        given_view<customers>()
            .from("cart-17850")
            .and_given(item_added{line(5, 250, morning + 24h)}, item_removed{line(2, 300, morning)},
                       item_added{line(1, 100, morning + 1h, "Norway")})
            .from("cart-12346")
            .and_given(item_added{line(1, 1)});
    ANNALS_CHECK(seen.ask(one_customer{"17850"}).answers([](const std::optional<customer>& known) {
        return known && known->country == "Norway" && known->first_seen == morning &&
               known->last_seen == morning + 24h && known->total == turnover{6, 2, 1'350, 600, 3};
    }));
    ANNALS_CHECK(seen.ask(one_customer{"1"}).answers([](const std::optional<customer>& nobody) {
        return !nobody.has_value();
    }));
}

TEST_CASE("spenders come by what they spent, as many as asked for, from a sum on") {
    const auto seen = three_customers();
    ANNALS_CHECK(seen.ask(biggest_spenders{}).answers(has_ids({"12346", "17850", "guest-536365"})));
    ANNALS_CHECK(seen.ask(biggest_spenders{2}).answers(has_ids({"12346", "17850"})));
    ANNALS_CHECK(seen.ask(biggest_spenders{10, 10'000}).answers(has_ids({"12346", "17850"})));
    ANNALS_CHECK(seen.ask(biggest_spenders{10, 10'001}).answers(has_ids({"12346"})));
    ANNALS_CHECK(seen.ask(biggest_spenders{0}).answers(has_ids({})));
}

TEST_CASE("who sends it all back moves down, below nothing if it was dearer by then") {
    const auto seen =
        three_customers().from("cart-12346").and_given(item_removed{line(74'215, 1'040)});
    ANNALS_CHECK(seen.ask(biggest_spenders{}).answers(has_ids({"17850", "guest-536365", "12346"})));
    const auto dearer = seen.from("cart-17850").and_given(item_removed{line(1, 10'001)});
    ANNALS_CHECK(
        dearer.ask(biggest_spenders{}).answers(has_ids({"guest-536365", "12346", "17850"})));
    ANNALS_CHECK(dearer.ask(one_customer{"17850"}).answers([](const auto& known) {
        return known && known->total.revenue() == -1;
    }));
}

TEST_CASE("a customer of gifts is a customer too") {
    const auto seen = given_view<customers>().from("cart-1").and_given(item_added{line(1, 0)});
    ANNALS_CHECK(seen.ask(biggest_spenders{}).answers(has_ids({"1"})));
    ANNALS_CHECK(
        seen.and_given(item_added{line(1, 0)}).ask(biggest_spenders{}).answers(has_ids({"1"})));
}
