#include "annals/event.hpp"
#include "annals/stored_event.hpp"

#include "support/seed.hpp"
#include "support/wire.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <random>

// Payloads are input: whatever the bytes, the answer is a value or an error. Run with sanitizers,
// these tests also show that nothing else happens.

namespace annals::test {
namespace {

struct line {
    std::string sku;
    int quantity = 1;
    std::vector<double> weights;
    ANNALS_FIELDS(line, sku, quantity, weights)
};

struct everything {
    bool flag = true;
    std::int64_t number = -70'000;
    double real = 2.5;
    std::string text = "Grüße \xff";
    bytes binary = wire({1, 2, 3});
    std::optional<uuid> id = uuid::of_name("x");
    std::vector<line> lines{{"tea", 2, {1.5, 2.5}}, {"cup", 1, {}}};
    std::map<int, std::string> by_number{{-1, "a"}, {300, "b"}};
    std::variant<int, std::string> either = "either";
    std::array<std::uint16_t, 3> fixed{1, 2, 65'535};
    ANNALS_FIELDS(everything, flag, number, real, text, binary, id, lines, by_number, either, fixed)
};

struct tree {
    std::vector<tree> children;
    ANNALS_FIELDS(tree, children)
};

bytes nested_lists(std::size_t depth) {
    bytes out(depth, std::byte{0x91});
    out.push_back(std::byte{0xc0});
    return out;
}

/// Reads the payload in every way there is; what must hold of the answers is checked here.
void read_in_every_way(const bytes& payload) {
    const auto json = payload_as_json(payload);
    if (json && !nlohmann::json::accept(*json))
        FAIL("not JSON: " << *json);
    payload_parser parser;
    const bool parsed = parser.parse(payload).has_value();
    const auto decoded = from_bytes<everything>(payload);
    const auto as_tree = from_bytes<tree>(payload);
    const auto as_list = from_bytes<std::vector<std::map<std::string, line>>>(payload);
    if (parsed != json.has_value() || (decoded && !parsed) || (as_tree && !parsed))
        FAIL("read in one way but not in another");
    if (decoded) {
        // What was accepted is written and accepted again.
        if (!from_bytes<everything>(to_bytes(*decoded)))
            FAIL("accepted, but not once more");
    }
    stored_event event;
    event.payload = payload;
    event.more_metadata = payload;
    (void)event_as_json(event);
    (void)as_list;
}

std::vector<bytes> corpus() {
    std::vector<bytes> all{to_bytes(everything{}),
                           to_bytes(std::vector<std::map<std::string, line>>{{{"a", line{}}}}),
                           to_bytes(tree{{tree{}, tree{{tree{}}}}}),
                           nested_lists(40),
                           wire({0xc7, 3, 5, 1, 2, 3}),
                           wire({0xd8, 0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}),
                           wire({0xdd, 0,    0,    0, 2, 0xdf, 0,    0,    0, 1, 0xda, 0, 1, 'k',
                                 0xca, 0x7f, 0x80, 0, 0, 0xcb, 0x7f, 0xf8, 0, 0, 0,    0, 0, 0})};
    all.push_back(to_bytes(std::map<std::string, bytes>{
        {"correlation", bytes(16)}, {"causation", bytes(16)}, {"actor", bytes(3)}}));
    return all;
}

TEST_CASE("a payload that is cut off anywhere is refused") {
    for (const auto& whole : corpus()) {
        read_in_every_way(whole);
        for (std::size_t size = 0; size != whole.size(); ++size) {
            // A copy of its own, so that a sanitizer sees a read behind its end.
            const bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            payload_parser parser;
            const auto parsed = parser.parse(cut);
            REQUIRE_FALSE(parsed);
            REQUIRE(parsed.error().code == errc::undecodable);
            read_in_every_way(cut);
        }
    }
}

TEST_CASE("flipped bits are read as another value or refused") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto all = corpus();
    for (int round = 0; round != 50'000; ++round) {
        auto payload = all[random() % all.size()];
        for (auto flips = 1 + random() % 4; flips != 0; --flips)
            payload[random() % payload.size()] ^= std::byte{1} << (random() % 8);
        if (random() % 4 == 0)
            payload.resize(1 + random() % payload.size());
        read_in_every_way(payload);
    }
}

TEST_CASE("random bytes are read as a value or refused") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round != 50'000; ++round) {
        bytes payload(random() % 64);
        for (auto& byte : payload) // half of them begin something longer
            byte = static_cast<std::byte>(random() % 2 ? 0x80 + random() % 96 : random() % 256);
        read_in_every_way(payload);
    }
}

TEST_CASE("a refusal says what is wrong and where") {
    REQUIRE(refusal_of<int>({}) == "the payload is empty");
    REQUIRE(refusal_of<int>(wire({7, 8})) == "bytes after the value at byte 1 of 2");
    REQUIRE(refusal_of<std::string>(wire({0xa5, 'a', 'b'})) ==
            "the payload is cut off at byte 1 of 3");
    REQUIRE_THAT(refusal_of<std::vector<int>>(wire({0x92, 1, 0xc1})),
                 Catch::Contains("not msgpack at byte 2 of 3"));
}

TEST_CASE("nesting is limited, and what is deeper cannot exhaust the stack") {
    payload_parser parser;
    REQUIRE(parser.parse(nested_lists(64)));
    REQUIRE_THAT(parser.parse(nested_lists(65)).error().message,
                 Catch::Contains("nested too deeply"));
    REQUIRE_FALSE(parser.parse(nested_lists(1'000'000)));
    REQUIRE_FALSE(payload_as_json(nested_lists(1'000'000)));
    REQUIRE_FALSE(parser.parse(bytes(1'000'000, std::byte{0x81}))); // maps as keys of maps
    REQUIRE(parser.parse(nested_lists(3), {.max_depth = 3}));
    REQUIRE_FALSE(parser.parse(nested_lists(4), {.max_depth = 3}));
    REQUIRE(parser.parse(wire({7}), {.max_depth = 0}));
    REQUIRE_FALSE(parser.parse(wire({0x90}), {.max_depth = 0}));
}

TEST_CASE("more elements than bytes are refused before memory is taken for them") {
    payload_parser parser;
    const auto claims = [&](std::initializer_list<int> head) {
        auto payload = wire(head);
        payload.resize(payload.size() + 20); // room for 20 elements of one byte
        return parser.parse(payload, {.max_elements = std::size_t{1} << 40}).error().message;
    };
    REQUIRE_THAT(claims({0xdd, 0xff, 0xff, 0xff, 0xff}),
                 Catch::Contains("more elements than bytes"));
    REQUIRE_THAT(claims({0xdf, 0xff, 0xff, 0xff, 0xff}),
                 Catch::Contains("more elements than bytes"));
    REQUIRE_THAT(claims({0xdf, 0x80, 0, 0, 0}), Catch::Contains("more elements than bytes"));
    REQUIRE_THAT(claims({0xdc, 0, 26}), Catch::Contains("more elements than bytes"));
    // Each of these nested lists claims what is left, but they cannot all have it.
    bytes greedy;
    for (int i = 0; i != 60; ++i)
        for (const auto byte : wire({0xdc, 0x03, 0x00}))
            greedy.push_back(byte);
    greedy.resize(greedy.size() + 1'000);
    REQUIRE_THAT(parser.parse(greedy).error().message, Catch::Contains("more elements than bytes"));
}

TEST_CASE("the limits on bytes and elements are kept, and are no less") {
    const std::vector<int> hundred(100, 1);
    const auto payload = to_bytes(hundred);
    payload_parser parser;
    REQUIRE(parser.parse(payload, {.max_bytes = payload.size(), .max_elements = 100}));
    REQUIRE_THAT(parser.parse(payload, {.max_bytes = payload.size() - 1}).error().message,
                 Catch::Contains("more than"));
    REQUIRE_THAT(parser.parse(payload, {.max_elements = 99}).error().message,
                 Catch::Contains("too many elements"));
    REQUIRE(from_bytes<std::vector<int>>(to_bytes(std::vector<int>(1'000'000))));
    auto one_more = to_bytes(std::vector<int>(1'000'000));
    REQUIRE(one_more[4] == std::byte{0x40}); // the last byte of the count
    one_more[4] = std::byte{0x41};
    one_more.push_back(std::byte{0});
    REQUIRE(refusal_of<std::vector<int>>(one_more) != "");
}

TEST_CASE("what no parser would read again is not written") {
    REQUIRE_THROWS_AS(to_bytes(std::vector<int>(1'000'001)), unreadable_value);
    bytes out;
    encoder to(out);
    for (std::size_t depth = 0; depth != parse_limits{}.max_depth; ++depth)
        to.list(1);
    REQUIRE_THROWS_AS(to.list(0), unreadable_value);
    to.nil();
    REQUIRE(payload_parser().parse(out));
    // Beside each other is not inside each other.
    REQUIRE(from_bytes<std::vector<std::vector<int>>>(
        to_bytes(std::vector<std::vector<int>>(1'000, {1, 2}))));
}

TEST_CASE("a parser that refused one payload reads the next") {
    payload_parser parser;
    REQUIRE_FALSE(parser.parse(wire({0x93, 1, 0x92, 2})));
    REQUIRE_FALSE(parser.parse(nested_lists(100)));
    REQUIRE(parser.parse(wire({0x92, 5, 6})).value().size() == 2);
    payload_parser moved = std::move(parser);
    REQUIRE(moved.parse(wire({0x92, 5, 6})));
    parser = payload_parser();
    REQUIRE(parser.parse(wire({0x92, 5, 6})));
}

TEST_CASE("a small payload does not make much of large elements") {
    // Each nil takes a byte, and would take 4 KiB as an element.
    using large = std::optional<std::array<double, 512>>;
    auto payload = wire({0xdd, 0, 0x0f, 0x42, 0x3f}); // 999,999 elements
    payload.resize(payload.size() + 999'999, std::byte{0x01});
    REQUIRE(refusal_of<std::vector<large>>(payload) == "[0]: expected list, found integer");
}

} // namespace
} // namespace annals::test
