#include "annals/outcome.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <type_traits>
#include <variant>
#include <vector>

/// What decide returns, and what a caller gets back: the two small values around a command.

using annals::errc;
using annals::nothing;
using annals::outcome;
using annals::rejection;

namespace {

struct item_added {
    std::string sku;
    int quantity = 1;
};
struct emptied {};
struct closed {
    std::string by;
};

using event = std::variant<item_added, emptied, closed>;
using decision = annals::decision<event>;

std::vector<std::size_t> kinds(const decision& made) {
    std::vector<std::size_t> found;
    for (const event& one : made)
        found.push_back(one.index());
    return found;
}

decision one() {
    return item_added{"tea", 2};
}
decision several() {
    return {item_added{"tea", 2}, emptied{}, closed{"me"}};
}
decision a_vector(std::vector<event> events) {
    return events;
}
decision none() {
    return nothing;
}
decision refusal() {
    return annals::reject("closed", "this cart is checked out");
}

} // namespace

// --- decision -------------------------------------------------------------------------------------

TEST_CASE("a decision is made of one event") {
    const decision made = one();
    CHECK_FALSE(made.is_rejected());
    REQUIRE(made.size() == 1);
    CHECK(std::get<item_added>(*made.begin()).sku == "tea");
    CHECK(std::get<item_added>(*made.begin()).quantity == 2);
    CHECK(made.end() - made.begin() == 1);
}

TEST_CASE("a decision is made of an event that is a named object, and leaves it alone") {
    const item_added fixed{"milk", 3};
    item_added changing{"rum", 4};
    const decision from_fixed = fixed;
    const decision from_changing = changing;
    CHECK(std::get<item_added>(*from_fixed.begin()).sku == "milk");
    CHECK(std::get<item_added>(*from_changing.begin()).sku == "rum");
    CHECK(changing.sku == "rum");
}

TEST_CASE("a decision is made of an event chosen at run time") {
    const event chosen = closed{"me"};
    const decision made = chosen;
    CHECK(kinds(made) == std::vector<std::size_t>{2});
}

TEST_CASE("a decision is made of several events in braces, in that order") {
    const decision made = several();
    CHECK(kinds(made) == std::vector<std::size_t>{0, 1, 2});
    CHECK(std::get<closed>(*(made.end() - 1)).by == "me");
}

TEST_CASE("a decision is made of a vector of events, which may have one or none") {
    CHECK(kinds(a_vector({emptied{}, closed{"me"}})) == std::vector<std::size_t>{1, 2});
    CHECK(kinds(a_vector({emptied{}})) == std::vector<std::size_t>{1});
    CHECK(kinds(a_vector({})).empty());
    CHECK(a_vector({}).size() == 0);
    CHECK_FALSE(a_vector({}).is_rejected());
}

TEST_CASE("a decision may be to store nothing") {
    const decision made = none();
    CHECK_FALSE(made.is_rejected());
    CHECK(made.size() == 0);
    CHECK(made.begin() == made.end());
    CHECK(kinds(made).empty());
}

TEST_CASE("a decision may be a rejection, which has no events") {
    const decision made = refusal();
    REQUIRE(made.is_rejected());
    CHECK(made.rejection() == rejection{"closed", "this cart is checked out"});
    CHECK(made.size() == 0);
    CHECK(kinds(made).empty());
}

TEST_CASE("a rejection without a message says its code") {
    CHECK(annals::reject("empty cart") == rejection{"empty cart", "empty cart"});
    CHECK_FALSE(annals::reject("a", "x") == annals::reject("a", "y"));
    CHECK_FALSE(annals::reject("a", "x") == annals::reject("b", "x"));
}

TEST_CASE("a decision is made of nothing else") {
    CHECK_FALSE(std::is_constructible_v<decision, int>);
    CHECK_FALSE(std::is_constructible_v<decision, std::string>);
    CHECK_FALSE(std::is_constructible_v<decision, bool>);
    CHECK_FALSE(std::is_constructible_v<decision, item_added, int>);
    CHECK_FALSE(std::is_default_constructible_v<decision>);
}

// --- outcome --------------------------------------------------------------------------------------

TEST_CASE("an outcome with a value has nothing else") {
    const outcome<int> made = 7;
    CHECK(made);
    CHECK(made.has_value());
    CHECK_FALSE(made.is_rejected());
    CHECK_FALSE(made.is_error());
    CHECK(*made == 7);
    CHECK(made.value() == 7);
    CHECK(made.explanation() == "ok");
}

TEST_CASE("an outcome may be a rejection, whose value throws") {
    const outcome<int> made = annals::reject("closed", "this cart is checked out");
    CHECK_FALSE(made);
    REQUIRE(made.is_rejected());
    CHECK_FALSE(made.is_error());
    CHECK(made.rejection().code == "closed");
    CHECK(made.explanation() == "rejected (closed): this cart is checked out");
    try {
        static_cast<void>(made.value());
        FAIL("a rejection has no value");
    } catch (const annals::bad_result& e) {
        CHECK(e.error().code == errc::invalid_argument);
        CHECK(e.error().message == "rejected (closed): this cart is checked out");
    }
}

TEST_CASE("an outcome may be an error, whose value throws") {
    const outcome<int> made = annals::error{errc::version_conflict, "the stream moved", 12};
    CHECK_FALSE(made);
    CHECK_FALSE(made.is_rejected());
    REQUIRE(made.is_error());
    CHECK(made.error().actual == 12);
    CHECK(made.explanation() == "version_conflict: the stream moved");
    try {
        static_cast<void>(made.value());
        FAIL("an error has no value");
    } catch (const annals::bad_result& e) {
        CHECK(e.error() == made.error());
    }
}

TEST_CASE("the value of an outcome can be moved out and reached by arrow") {
    outcome<std::string> made = std::string("a text too long to be kept in place");
    CHECK(made->size() == 35);
    const std::string taken = std::move(made).value();
    CHECK(taken == "a text too long to be kept in place");
    outcome<std::vector<int>> list = std::vector{1, 2};
    (*list).push_back(3);
    CHECK(list->size() == 3);
}

TEST_CASE("receipts are equal if all of them is") {
    const annals::receipt stored{annals::receipt::kind::stored, 9, 2, {}};
    annals::receipt other = stored;
    CHECK(stored == other);
    other.what = annals::receipt::kind::already_stored;
    CHECK_FALSE(stored == other);
}
