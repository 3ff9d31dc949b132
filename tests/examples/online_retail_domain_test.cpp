#include "online_retail/views.hpp"

#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The domain of the online_retail example in given/when/then.

using namespace annals::testing;
using retail::add_item;
using retail::cart;
using retail::item_added;
using retail::item_removed;
using retail::remove_item;

namespace {

retail::invoice_line line(std::uint64_t row, std::string sku, std::int64_t quantity,
                          retail::thousandths price = 1'000) {
    using namespace std::chrono_literals;
    return {std::move(sku),
            "TEA \"EARL GREY\"",
            quantity,
            price,
            "EIRE",
            std::chrono::sys_days(2010y / 12 / 1) + 8h,
            row};
}

} // namespace

TEST_CASE("a cart takes what its invoices add and remove") {
    ANNALS_CHECK(
        given<cart>().when(add_item{line(1, "tea", 2)}).then(item_added{line(1, "tea", 2)}));
    const auto two_teas = given<cart>(item_added{line(1, "tea", 2)});
    ANNALS_CHECK(
        two_teas.when(remove_item{line(2, "tea", 2)}).then(item_removed{line(2, "tea", 2)}));
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "tea", 1)}).then_state([](const cart& c) {
        return c.units.at("tea") == 1;
    }));
    ANNALS_CHECK(two_teas.when(add_item{line(2, "tea", 1, 0)}).then_state([](const cart& c) {
        return c.units.at("tea") == 3;
    }));
}

TEST_CASE("a cart gives back no more than it holds") {
    const auto two_teas = given<cart>(item_added{line(1, "tea", 2)});
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "tea", 3)}).then(rejected("more than in cart")));
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "mug", 1)}).then(rejected("not in cart")));
    ANNALS_CHECK(two_teas.and_given(item_removed{line(2, "tea", 2)})
                     .when(remove_item{line(3, "tea", 1)})
                     .then(rejected("not in cart")));
}

TEST_CASE("nothing is sold for less than nothing") {
    ANNALS_CHECK(
        given<cart>().when(add_item{line(1, "debt", 1, -1)}).then(rejected("negative price")));
    ANNALS_CHECK(given<cart>(item_added{line(1, "tea", 2)})
                     .when(remove_item{line(2, "tea", 1, -5)})
                     .then(item_removed{line(2, "tea", 1, -5)}));
}

TEST_CASE("a row that was decided before is not decided again") {
    // Row 3 was refused; row 4 then added what row 3 had wanted to remove.
    const auto later = given<cart>(item_added{line(2, "mug", 1)}, item_added{line(4, "tea", 2)});
    ANNALS_CHECK(later.when(remove_item{line(3, "tea", 1)}).then_nothing());
    ANNALS_CHECK(later.when(add_item{line(4, "tea", 2)}).then_nothing());
    ANNALS_CHECK(later.when(add_item{line(1, "debt", 1, -1)}).then_nothing());
    ANNALS_CHECK(later.when(remove_item{line(5, "tea", 1)}).then(item_removed{line(5, "tea", 1)}));
}

TEST_CASE("rows of another file were not decided before") {
    const auto of_input = [](std::uint32_t input, std::uint64_t row, std::int64_t quantity) {
        retail::invoice_line made = line(row, "tea", quantity);
        made.input = input;
        return made;
    };
    const auto one_file = given<cart>(item_added{of_input(1, 7, 2)});
    ANNALS_CHECK(one_file.when(add_item{of_input(1, 7, 2)}).then_nothing());
    ANNALS_CHECK(one_file.when(add_item{of_input(2, 3, 5)}).then(item_added{of_input(2, 3, 5)}));
    ANNALS_CHECK(one_file.and_given(item_added{of_input(2, 3, 5)})
                     .when(remove_item{of_input(1, 8, 6)})
                     .then(item_removed{of_input(1, 8, 6)}));
}

TEST_CASE("the sales view is net of what went back") {
    using retail::sales;
    const auto seen =
        given_view<sales>()
            .from("cart-1")
            .and_given(item_added{line(1, "tea", 5, 250)}, item_removed{line(2, "tea", 2, 300)})
            .from("cart-2")
            .and_given(item_added{line(3, "mug", 1, 650)});
    ANNALS_CHECK(seen.ask(retail::overall_sales{}).answers([](const retail::sales_total& t) {
        return t.carts == 2 && t.added == 2 && t.removed == 1 && t.units == 4 &&
               t.revenue == 5 * 250 - 2 * 300 + 650 && t.days == 1;
    }));
    // Equal revenue: by sku.
    ANNALS_CHECK(
        seen.ask(retail::best_products{}).answers([](const std::vector<retail::product_sales>& p) {
            return p.size() == 2 && p[0].sku == "mug" && p[1].sku == "tea" && p[1].units == 3 &&
                   p[0].revenue == 650 && p[1].revenue == 650;
        }));
    ANNALS_CHECK(
        seen.ask(retail::best_products{1}).answers([](const std::vector<retail::product_sales>& p) {
            return p.size() == 1;
        }));
    ANNALS_CHECK(given_view<sales>()
                     .ask(retail::busiest_day{})
                     .answers(std::optional<std::chrono::sys_days>()));
}
