#include "examples/child_process.hpp"
#include "shopping_cart/cart.hpp"
#include "shopping_cart/price.hpp"
#include "support/temporary_directory.hpp"

#include <annals/lmdb_journal.hpp>
#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <limits>
#include <memory>
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
    /// The same with its output in `file`.
    ended_program run_into(const std::string& file, std::vector<std::string> arguments) const {
        std::string quoted;
        for (const std::string& argument : arguments)
            quoted += " '" + argument + "'";
        return run_script("exec $PROGRAM" + quoted + " > " + file);
    }
    /// A shell script that knows the program and its store as $PROGRAM.
    ended_program run_script(const std::string& script) const {
        const std::string program =
            example_program("shopping_cart") + " --db " + (directory_.path() / "shop").string();
        return run_program({"/bin/sh", "-c", "PROGRAM='" + program + "'; " + script});
    }
    /// Its store, opened by this process.
    std::shared_ptr<annals::journal> hold() const {
        return annals::open_lmdb_journal(directory_.path() / "shop").value();
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
        const ended_program later = shop.run({"17", "show", "--version", "99"});
        CHECK(later.exit_code == 1);
        CHECK(later.out.empty());
        CHECK(later.err == "shopping_cart: cart 17 has no version 99 yet\n");
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
    for (const char* no_version : {"0", "-1", "1.5", "", "99999999999999999999", "two"}) {
        CAPTURE(no_version);
        const ended_program ended = shop.run({"17", "show", "--version", no_version});
        CHECK(ended.exit_code == 2);
        CHECK(ended.err.find("is not a number of 1 or more") != std::string::npos);
    }
    CHECK(shop.run({"17", "add", "tea", "99999999999", "--price", "1"}).exit_code == 2);
    CHECK(shop.run({"17", "add", "tea", "1", "--price", "1", "--wait", "-1"}).exit_code == 2);
    CHECK(shop.run({"--help"}).exit_code == 0);
    // Looking makes no store.
    for (const std::vector<std::string>& look :
         {std::vector<std::string>{"17", "show"}, {"17", "history"}, {"list"}})
        CHECK(shop.run(look).exit_code == 1);
    const ended_program none = shop.run({"list"});
    CHECK(none.err.find("holds no carts; \"add\" makes the first") != std::string::npos);
    CHECK(none.err.find("create") == std::string::npos);
}

TEST_CASE("names in the shopping cart are text that is printed on one line") {
    cart_program shop;
    const std::string too_long(65, 'x');
    for (const std::string& name :
         std::vector<std::string>{"", "te\na", "te\xff", "\x1b[2J", too_long}) {
        CAPTURE(name);
        CHECK(shop.run({"17", "add", name, "1", "--price", "1"}).exit_code == 2);
        CHECK(shop.run({"17", "remove", name, "1"}).exit_code == 2);
        CHECK(shop.run({name, "add", "tea", "1", "--price", "1"}).exit_code == 2);
    }
    CHECK(shop.run({"list"}).exit_code == 1); // nothing was made
    CHECK(shop.print({"caf\xc3\xa9", "add", "th\xc3\xa9", "1", "--price", "1"}) ==
          "cart caf\xc3\xa9 is at version 1\n");
}

TEST_CASE("help shows whole calls, with the store and the cart, and needs neither") {
    cart_program shop;
    for (const std::vector<std::string>& wish :
         {std::vector<std::string>{"--help"}, {"add", "--help"}, {"17", "add", "--help"}}) {
        const ended_program ended = run_program([&] {
            std::vector<std::string> call = wish;
            call.insert(call.begin(), example_program("shopping_cart"));
            return call;
        }());
        CHECK(ended.exit_code == 0);
        CHECK(ended.out.find("shopping_cart --db DIR CART add SKU QTY --price PRICE\n") !=
              std::string::npos);
    }
}

TEST_CASE("an answer of the shopping cart that cannot be written is an error") {
    cart_program shop;
    (void)shop.print({"17", "add", "tea", "2", "--price", "1.99"});
    for (const std::vector<std::string>& call : {std::vector<std::string>{"list"},
                                                 {"17", "show"},
                                                 {"17", "history"},
                                                 {"--help"},
                                                 {"17", "add", "tea", "1", "--price", "1"}}) {
        const ended_program ended = shop.run_into("/dev/full", call);
        CHECK(ended.exit_code == 1);
        CHECK(ended.err == "shopping_cart: cannot write the answer: No space left on device\n");
    }
}

TEST_CASE("shopping carts that are filled side by side wait for each other") {
    cart_program shop;
    const std::string one = "17 add tea 1 --price 1.99";
    const std::string two = "18 add mug 1 --price 7.50";
    const auto twenty = [](const std::string& call) {
        return "i=0; while [ $i -lt 20 ]; do $PROGRAM --wait 60 " + call +
               " || exit 1; i=$((i+1)); done";
    };
    const ended_program ended =
        shop.run_script("(" + twenty(one) + ") & first=$!; (" + twenty(two) + ") && wait $first");
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    CHECK(lines_of(shop.print({"17", "history"})).size() == 20);
    CHECK(lines_of(shop.print({"18", "history"})).size() == 20);
}

TEST_CASE("a shopping cart that is in use is told in plain words, and nothing half is printed") {
    cart_program shop;
    (void)shop.print({"17", "add", "tea", "2", "--price", "1.99"});
    const auto held = shop.hold();
    for (const std::vector<std::string>& call :
         {std::vector<std::string>{"17", "show"}, {"17", "add", "tea", "1", "--price", "1"}}) {
        std::vector<std::string> at_once = call;
        at_once.insert(at_once.end(), {"--wait", "0"});
        const ended_program ended = shop.run(at_once);
        CHECK(ended.exit_code == 1);
        CHECK(ended.out.empty());
        CHECK(ended.err.find("are in use by another program") != std::string::npos);
        CHECK(ended.err.find("in_use") == std::string::npos);
    }
}

TEST_CASE("a shopping cart refuses the store of another program") {
    cart_program shop;
    {
        const auto held = shop.hold();
        annals::bytes payload;
        annals::encoder to(payload);
        to.map(1);
        to.text("line");
        to.map(0);
        annals::owned_commit commit;
        commit.stream = "cart-17";
        commit.about.command_id = annals::uuid::of_name("row-1");
        commit.events.push_back({"cart.item_added", payload});
        std::vector<annals::owned_commit> commits;
        commits.push_back(std::move(commit));
        REQUIRE(annals::append_and_wait(*held, std::move(commits)).at(0));
    }
    for (const std::vector<std::string>& call : {std::vector<std::string>{"17", "show"},
                                                 {"17", "history"},
                                                 {"list"},
                                                 {"17", "add", "tea", "1", "--price", "1"},
                                                 {"new", "add", "tea", "1", "--price", "1"}}) {
        const ended_program ended = shop.run(call);
        CHECK(ended.exit_code == 1);
        CHECK(ended.out.empty());
        CHECK(ended.err.find("holds the events of another program") != std::string::npos);
    }
    CHECK(shop.hold()->head() == 1);
}
