#include "annals/event.hpp"

#include "support/wire.hpp"

#include <catch2/catch.hpp>

// Structs that name their fields, and what happens to them as they change over the years.

namespace annals::test {
namespace {

struct money {
    std::int64_t cents = 0;
};

struct line {
    std::string sku;
    int quantity = 1;
    friend bool operator==(const line&, const line&) = default;
    ANNALS_FIELDS(line, sku, quantity)
};

struct order_placed {
    std::string customer;
    std::vector<line> lines;
    std::optional<std::string> note;
    std::map<std::string, line> gifts;
    friend bool operator==(const order_placed&, const order_placed&) = default;
    ANNALS_EVENT(order_placed, "shop.order_placed", customer, lines, note, gifts)
};

struct cart_opened {
    friend bool operator==(const cart_opened&, const cart_opened&) = default;
    ANNALS_EVENT(cart_opened, "cart.opened")
};

struct tree {
    int value = 0;
    std::vector<tree> children;
    ANNALS_FIELDS(tree, value, children)
};

struct paid {
    money amount;
    ANNALS_EVENT(paid, "shop.paid", amount)
};

using field_values = std::map<std::string, int>;

struct three {
    int a = 10;
    int b = 20;
    int c = 30;
    friend bool operator==(const three&, const three&) = default;
    ANNALS_FIELDS(three, a, b, c)
};

/// `three`, years later: `a` was called `x`, then `y`; nobody reads `old` and `older` any more.
struct three_now {
    int a = 10;
    int b = 20;
    int d = 40;
    friend bool operator==(const three_now&, const three_now&) = default;
    ANNALS_RENAMED_FIELDS((x, a), (y, a), (c, d))
    ANNALS_DROPPED_FIELDS(old, older)
    ANNALS_FIELDS(three_now, a, b, d)
};

struct nested {
    std::vector<three> all;
    ANNALS_FIELDS(nested, all)
};

/// A map in which the pairs stand in the given order, whatever their keys.
bytes pairs(std::initializer_list<std::pair<std::string_view, int>> all) {
    bytes out;
    encoder to(out);
    to.map(all.size());
    for (const auto& [key, value] : all) {
        to.text(key);
        to.integer(value);
    }
    return out;
}

} // namespace
} // namespace annals::test

template <>
struct annals::codec<annals::test::money> {
    static void encode(encoder& to, const test::money& value) { to.integer(value.cents); }
    static bool decode(const node& from, test::money& value, decode_error& why) {
        return from.get(value.cents) || why.expected("cents", from);
    }
};

namespace annals::test {
namespace {

TEST_CASE("a struct is a map by field name, in the order of its fields") {
    REQUIRE(to_bytes(line{"ab", 2}) == wire({0x82, 0xa3, 's', 'k', 'u', 0xa2, 'a', 'b', 0xa8, 'q',
                                             'u', 'a', 'n', 't', 'i', 't', 'y', 2}));
    REQUIRE(to_bytes(cart_opened{}) == wire({0x80}));
}

TEST_CASE("a struct comes back, with everything inside") {
    const order_placed order{"grace", {{"tea", 2}, {"cup", 1}}, "wrap it", {{"ada", {"book", 1}}}};
    REQUIRE(through_the_wire(order) == order);
    REQUIRE(through_the_wire(cart_opened{}) == cart_opened{});
    REQUIRE(event_name<order_placed>() == "shop.order_placed");
}

TEST_CASE("a struct may contain itself") {
    const tree deep{1, {{2, {{3, {}}}}, {4, {}}}};
    const auto back = through_the_wire(deep);
    REQUIRE(back.children.at(0).children.at(0).value == 3);
    REQUIRE(back.children.at(1).value == 4);
}

TEST_CASE("a type may bring its own codec") {
    REQUIRE(through_the_wire(paid{{1'299}}).amount.cents == 1'299);
    REQUIRE(refusal_of<paid>(to_bytes(std::map<std::string, bool>{{"amount", true}})) ==
            "amount: expected cents, found boolean");
}

TEST_CASE("fields are found in any order") {
    REQUIRE(from_bytes<three>(pairs({{"a", 1}, {"b", 2}, {"c", 3}})).value() == three{1, 2, 3});
    REQUIRE(from_bytes<three>(pairs({{"c", 3}, {"b", 2}, {"a", 1}})).value() == three{1, 2, 3});
    REQUIRE(from_bytes<three>(pairs({{"b", 2}, {"c", 3}, {"a", 1}})).value() == three{1, 2, 3});
}

TEST_CASE("a field that is not stored keeps its default") {
    REQUIRE(from_bytes<three>(pairs({})).value() == three{10, 20, 30});
    REQUIRE(from_bytes<three>(pairs({{"b", 2}})).value() == three{10, 2, 30});
    REQUIRE(from_bytes<three>(pairs({{"a", 1}, {"c", 3}})).value() == three{1, 20, 3});
}

TEST_CASE("a stored field that is no longer listed is ignored") {
    REQUIRE(from_bytes<three>(
                pairs({{"old", 7}, {"a", 1}, {"older", 8}, {"b", 2}, {"c", 3}, {"oldest", 9}}))
                .value() == three{1, 2, 3});
    REQUIRE(from_bytes<three>(wire({0x82, 0xc0, 5, 0xa1, 'a', 1})).value() == three{1, 20, 30});
    REQUIRE(from_bytes<cart_opened>(pairs({{"old", 7}})).value() == cart_opened{});
}

TEST_CASE("a field that was renamed is not read as its default") {
    const std::string told =
        "stored but not listed: \"x\"; listed but not stored: \"a\". Probably a "
        "field was renamed: write ANNALS_RENAMED_FIELDS((x, a)) in the struct, "
        "or ANNALS_DROPPED_FIELDS(x) if it was removed";
    CHECK(refusal_of<three>(pairs({{"x", 1}, {"b", 2}, {"c", 3}})) == told);
    CHECK(refusal_of<three>(pairs({{"b", 2}, {"c", 3}, {"x", 1}})) == told);
    CHECK(refusal_of<three>(pairs({{"x", 1}, {"b", 2}, {"y", 3}, {"z", 3}}))
              .find("\"x\", \"y\", \"z\"; listed but not stored: \"a\", \"c\"") !=
          std::string::npos);
    const std::map<std::string, std::vector<field_values>> stored{
        {"all", {{{"a", 1}, {"b", 2}, {"c", 3}}, {{"x", 1}, {"b", 2}, {"c", 3}}}}};
    CHECK(refusal_of<nested>(to_bytes(stored)) == "all[1]: " + told);
}

TEST_CASE("a message about renamed fields stays short, whatever is stored") {
    field_values many;
    for (int i = 0; i != 1'000; ++i)
        many.emplace(std::string(1'000, 'x') + std::to_string(i), i);
    const std::string told = refusal_of<three>(to_bytes(many));
    CHECK(told.find("and 995 more") != std::string::npos);
    CHECK(told.size() < 1'000);
}

TEST_CASE("a field is found under the names it had before") {
    REQUIRE(from_bytes<three_now>(pairs({{"x", 1}, {"b", 2}, {"c", 3}})).value() ==
            three_now{1, 2, 3});
    REQUIRE(from_bytes<three_now>(pairs({{"c", 3}, {"b", 2}, {"y", 1}})).value() ==
            three_now{1, 2, 3});
    REQUIRE(from_bytes<three_now>(pairs({{"a", 1}, {"b", 2}, {"d", 3}})).value() ==
            three_now{1, 2, 3});
    REQUIRE(through_the_wire(three_now{1, 2, 3}) == three_now{1, 2, 3});
    REQUIRE(refusal_of<three_now>(to_bytes(std::map<std::string, bool>{{"x", true}})) ==
            "a: expected integer, found boolean");
}

TEST_CASE("a field that is stored under two of its names is refused") {
    REQUIRE(refusal_of<three_now>(pairs({{"x", 1}, {"a", 2}, {"b", 3}, {"d", 4}})) ==
            "a: the field is stored twice");
    REQUIRE(refusal_of<three_now>(pairs({{"x", 1}, {"y", 2}})) == "a: the field is stored twice");
}

TEST_CASE("a field may be added where others were dropped") {
    REQUIRE(from_bytes<three_now>(pairs({{"old", 7}, {"b", 2}, {"older", 8}})).value() ==
            three_now{10, 2, 40});
    REQUIRE(
        refusal_of<three_now>(pairs({{"old", 7}, {"oldest", 2}})).find("not listed: \"oldest\";") !=
        std::string::npos);
    // A newer writer's field, where none of ours is missing.
    REQUIRE(from_bytes<three_now>(pairs({{"a", 1}, {"b", 2}, {"d", 3}, {"new", 4}})).value() ==
            three_now{1, 2, 3});
}

TEST_CASE("a listed field that is stored twice is refused, wherever the two stand") {
    REQUIRE(refusal_of<three>(pairs({{"a", 1}, {"a", 2}})) == "a: the field is stored twice");
    REQUIRE(refusal_of<three>(pairs({{"a", 1}, {"b", 2}, {"c", 3}, {"b", 4}})) ==
            "b: the field is stored twice");
    REQUIRE(refusal_of<three>(pairs({{"c", 1}, {"a", 1}, {"b", 2}, {"c", 3}})) ==
            "c: the field is stored twice");
    REQUIRE(refusal_of<three>(pairs({{"a", 1}, {"b", 2}, {"c", 3}, {"old", 1}, {"old", 1}})) == "");
}

TEST_CASE("a refusal gives the path to the value") {
    using loose_line = std::map<std::string, std::string>;
    const std::map<std::string, std::vector<loose_line>> stored{
        {"lines", {{{"sku", "tea"}}, {{"sku", "cup"}, {"quantity", "two"}}}}};
    REQUIRE(refusal_of<order_placed>(to_bytes(stored)) ==
            "lines[1].quantity: expected integer, found text");
    const std::vector<std::vector<std::variant<int, bool>>> lists{{7}, {7, true}};
    REQUIRE(refusal_of<std::vector<std::vector<int>>>(to_bytes(lists)) ==
            "[0][0]: expected integer, found list");
    REQUIRE(refusal_of<order_placed>(to_bytes(7)) == "expected map, found integer");
}

TEST_CASE("decoding into a value replaces what it held") {
    order_placed order{"old", {{"old", 9}}, "old", {{"old", {}}}};
    const order_placed newer{"new", {{"tea", 1}}, std::nullopt, {}};
    const borrowed_parser parser;
    const auto payload = to_bytes(newer);
    decode_error why;
    REQUIRE(decode(parser->parse(payload).value(), order, why));
    REQUIRE(order == newer);
}

} // namespace
} // namespace annals::test
