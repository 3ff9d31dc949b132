#include "annals/event.hpp"
#include "annals/stored_event.hpp"

#include "support/wire.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace annals::test {
namespace {

struct line {
    std::string sku;
    int quantity = 1;
    ANNALS_FIELDS(line, sku, quantity)
};

template <class T>
std::string json_of(const T& value) {
    return payload_as_json(to_bytes(value)).value();
}

std::string json_of_wire(std::initializer_list<int> bytes) {
    return payload_as_json(wire(bytes)).value();
}

TEST_CASE("a payload is shown as JSON, its fields in their order") {
    REQUIRE(json_of(line{"tea", 2}) == R"({"sku":"tea","quantity":2})");
    REQUIRE(json_of(std::vector<line>{}) == "[]");
    REQUIRE(json_of(std::map<std::string, int>{}) == "{}");
    REQUIRE(json_of(std::tuple<int, double, bool, std::optional<int>>{-5, 2.0, true, {}}) ==
            "[-5,2.0,true,null]");
    REQUIRE(json_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    REQUIRE(json_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("a one-element list or map is shown as what it is") {
    REQUIRE(json_of(std::vector<std::string>{"a"}) == R"(["a"])");
    REQUIRE(json_of(std::vector<std::vector<std::string>>{{"a", "b"}}) == R"([["a","b"]])");
    REQUIRE(json_of(std::map<std::string, std::vector<int>>{{"a", {1}}}) == R"({"a":[1]})");
}

TEST_CASE("binary and extensions are shown as base64") {
    REQUIRE(json_of(bytes{}) == R"({"$binary":""})");
    REQUIRE(json_of(wire({0xff})) == R"({"$binary":"/w=="})");
    REQUIRE(json_of(wire({'a', 'b'})) == R"({"$binary":"YWI="})");
    REQUIRE(json_of(wire({'a', 'b', 'c'})) == R"({"$binary":"YWJj"})");
    REQUIRE(json_of(wire({'a', 'b', 'c', 0xfb})) == R"({"$binary":"YWJj+w=="})");
    REQUIRE(json_of_wire({0xd5, 5, 'a', 'b'}) == R"({"$extension":5,"data":"YWI="})");
    REQUIRE(json_of_wire({0xc7, 0, 0xff}) == R"({"$extension":-1,"data":""})");
}

TEST_CASE("keys that are not text become text") {
    REQUIRE(json_of(std::map<int, int>{{-1, 1}, {2, 2}}) == R"({"-1":1,"2":2})");
    REQUIRE(json_of(std::map<std::pair<int, bool>, int>{{{1, true}, 1}}) == R"({"[1,true]":1})");
    REQUIRE(json_of(std::map<bytes, int>{{wire({0xff}), 1}}) == R"({"{\"$binary\":\"/w==\"}":1})");
}

TEST_CASE("every key of a payload is shown, a second one of the same name too") {
    REQUIRE(json_of_wire({0x82, 0xa1, 'a', 1, 0xa1, 'a', 2}) == R"({"a":1,"a":2})");
}

TEST_CASE("text that is not UTF-8 still gives valid JSON") {
    REQUIRE(json_of(std::string("Grüße \"\n")) == R"("Grüße \"\n")");
    REQUIRE(json_of(std::string("a\xff") + "b") == "\"a\xef\xbf\xbd"
                                                   "b\"");
    const auto key = json_of(std::map<std::string, int>{{"\xc3", 1}});
    REQUIRE(nlohmann::json::accept(key));
    REQUIRE(json_of(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("a payload that is not msgpack has no JSON") {
    REQUIRE(payload_as_json(wire({0xc1})).error().code == errc::undecodable);
    REQUIRE(payload_as_json({}).error().code == errc::undecodable);
}

TEST_CASE("an event is shown whole") {
    const auto payload = to_bytes(line{"tea", 2});
    const auto more = to_bytes(std::map<std::string, std::string>{{"actor", "grace"}});
    stored_event event;
    event.position = 7;
    event.version = 2;
    event.stream = "cart-17";
    event.type = "cart.item_added";
    event.payload = payload;
    event.time = timestamp{std::chrono::seconds{1'291'191'960}};
    event.command_id = uuid::of_name("command");
    event.command_named = true;
    event.more_metadata = more;
    const auto json = nlohmann::json::parse(event_as_json(event).value());
    REQUIRE(json ==
            nlohmann::json{{"position", 7},
                           {"stream", "cart-17"},
                           {"version", 2},
                           {"type", "cart.item_added"},
                           {"time", "2010-12-01T08:26:00.000000Z"},
                           {"event_id", event.event_id().to_string()},
                           {"command_id", event.command_id.to_string()},
                           {"command_named", true},
                           {"metadata",
                            {{"correlation_id", event.command_id.to_string()}, {"actor", "grace"}}},
                           {"payload", {{"sku", "tea"}, {"quantity", 2}}}});

    event.payload = {};
    REQUIRE(event_as_json(event).error().code == errc::undecodable);
    REQUIRE(event_as_json(event).error().actual == 7);
}

} // namespace
} // namespace annals::test
