#include "examples/child_process.hpp"
#include "shopping_cart/cart.hpp"
#include "shopping_cart/price.hpp"
#include "support/temporary_directory.hpp"

#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

/// The shopping_cart example: its domain, and the program from call to call.

using namespace annals::testing;
using namespace annals::test;
using shop::add_item;
using shop::cart;
using shop::item_added;
using shop::item_removed;
using shop::remove_item;

namespace {

class cart_program {
public:
    ended_program run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {example_program("shopping_cart"), "--db",
                                             (directory_.path() / "shop").string()});
        return run_program(arguments);
    }
    /// What a call that succeeds prints.
    std::string print(std::vector<std::string> arguments) const {
        const ended_program ended = run(std::move(arguments));
        INFO(ended.err);
        REQUIRE(ended.exit_code == 0);
        return ended.out;
    }

private:
    temporary_directory directory_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream from(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(from, line);)
        lines.push_back(line);
    return lines;
}

} // namespace

TEST_CASE("a shopping cart holds what was added and not removed") {
    ANNALS_CHECK(given<cart>().when(add_item{"tea", 2, 199}).then(item_added{"tea", 2, 199}));
    const auto teas = given<cart>(item_added{"tea", 2, 199});
    ANNALS_CHECK(teas.when(remove_item{"tea", 1}).then(item_removed{"tea", 1}));
    ANNALS_CHECK(
        teas.when(remove_item{"tea", 2}).then_state([](const cart& c) { return c.lines.empty(); }));
    ANNALS_CHECK(teas.when(remove_item{"tea", 3}).then(rejected("not in cart")));
    ANNALS_CHECK(teas.when(remove_item{"mug", 1}).then(rejected("not in cart")));
}

TEST_CASE("a shopping cart has room for 1,000 of an item") {
    const auto full = given<cart>(item_added{"tea", 1'000, 199});
    ANNALS_CHECK(full.when(add_item{"tea", 1, 199}).then(rejected("quantity")));
    ANNALS_CHECK(full.when(add_item{"mug", 1'000, 1}).then(item_added{"mug", 1'000, 1}));
    const int most = std::numeric_limits<int>::max();
    ANNALS_CHECK(given<cart>().when(add_item{"tea", most, 1}).then(rejected("quantity")));
    ANNALS_CHECK(given<cart>().when(add_item{"tea", -most - 1, 1}).then(rejected("quantity")));
    ANNALS_CHECK(given<cart>().when(add_item{"tea", 0, 1}).then(rejected("quantity")));
    ANNALS_CHECK(full.when(remove_item{"tea", -1}).then(rejected("quantity")));
}

TEST_CASE("prices are read exactly or not at all") {
    CHECK(shop::read_price("1.99") == 199);
    CHECK(shop::read_price("1.9") == 190);
    CHECK(shop::read_price("2") == 200);
    CHECK(shop::read_price("0.07") == 7);
    CHECK(shop::read_price("99999.99") == 9'999'999);
    for (const char* bad : {"", ".", "1.", ".5", "1.999", "-1", "1e2", "1,99", "100000", " 1", "x"})
        CHECK_FALSE(shop::read_price(bad));
    CHECK(shop::price_text(199) == "1.99");
    CHECK(shop::price_text(7) == "0.07");
}

TEST_CASE("a shopping cart lasts from call to call") {
    cart_program shop;
    CHECK(shop.print({"17", "add", "tea", "2", "--price", "1.99"}) == "cart 17 is at version 1\n");
    CHECK(shop.print({"17", "add", "mug", "1", "--price", "7.50"}) == "cart 17 is at version 2\n");
    CHECK(shop.print({"17", "remove", "tea", "1"}) == "cart 17 is at version 3\n");
    CHECK(shop.print({"17", "show"}) ==
          "1 x mug at 7.50 = 7.50\n1 x tea at 1.99 = 1.99\ntotal 9.49\n");

    SECTION("and can be seen as it was at a version") {
        CHECK(shop.print({"17", "show", "--version", "1"}) ==
              "2 x tea at 1.99 = 3.98\ntotal 3.98\n");
        CHECK(shop.print({"17", "show", "--version", "3"}) == shop.print({"17", "show"}));
        CHECK(shop.run({"17", "show", "--version", "0"}).exit_code == 1);
    }

    SECTION("and tells its history") {
        const auto lines = lines_of(shop.print({"17", "history"}));
        REQUIRE(lines.size() == 3);
        CHECK(lines[0].starts_with("1  2"));
        CHECK(lines[0].ends_with(
            "Z  cart.item_added  {\"sku\":\"tea\",\"quantity\":2,\"price_pence\":199}"));
        CHECK(lines[2].ends_with("Z  cart.item_removed  {\"sku\":\"tea\",\"quantity\":1}"));
    }

    SECTION("and can be seen as it was at a time") {
        const auto lines = lines_of(shop.print({"17", "history"}));
        const std::string second = lines[1].substr(3, lines[1].find("  cart") - 3);
        CHECK(shop.print({"17", "show", "--at", second}) ==
              shop.print({"17", "show", "--version", "2"}));
        const ended_program before = shop.run({"17", "show", "--at", "2001-01-01"});
        CHECK(before.exit_code == 1);
        CHECK(before.err.find("there is no cart 17") != std::string::npos);
    }

    SECTION("and is listed") {
        (void)shop.print({"a cart", "add", "pot", "5", "--price", "12"});
        const auto lines = lines_of(shop.print({"list"}));
        REQUIRE(lines.size() == 2);
        CHECK(lines[0].starts_with("17  2 items, changed 2"));
        CHECK(lines[1].starts_with("a cart  5 items, changed 2"));
    }

    SECTION("and refuses what the domain refuses, storing nothing") {
        const ended_program refused = shop.run({"17", "remove", "tea", "2"});
        CHECK(refused.exit_code == 3);
        CHECK(refused.err == "refused: the cart holds 1 of it\n");
        CHECK(shop.run({"17", "add", "tea", "0", "--price", "1"}).exit_code == 3);
        CHECK(lines_of(shop.print({"17", "history"})).size() == 3);
    }
}

TEST_CASE("wrong usage of the shopping cart is told from failure") {
    cart_program shop;
    CHECK(shop.run({}).exit_code == 2);
    CHECK(shop.run({"17"}).exit_code == 2);
    CHECK(shop.run({"show"}).exit_code == 2);
    CHECK(shop.run({"17", "list"}).exit_code == 2);
    CHECK(shop.run({"17", "add", "tea", "two", "--price", "1"}).exit_code == 2);
    CHECK(shop.run({"17", "add", "tea", "1"}).exit_code == 2);
    CHECK(shop.run({"17", "add", "tea", "1", "--price", "1.999"}).exit_code == 2);
    CHECK(shop.run({"17", "show", "--at", "yesterday"}).exit_code == 2);
    CHECK(shop.run({"17", "show", "--version", "1", "--at", "2010-12-01"}).exit_code == 2);
    CHECK(shop.run({"--help"}).exit_code == 0);
    // Looking makes no store.
    for (const std::vector<std::string>& look :
         {std::vector<std::string>{"17", "show"}, {"17", "history"}, {"list"}})
        CHECK(shop.run(look).exit_code == 1);
}
