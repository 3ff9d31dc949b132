#include "annals/event.hpp"
#include "annals/seams.hpp"

#include "support/wire.hpp"

#include <catch2/catch.hpp>

#include <cmath>

// How values look on the wire, and that they come back.

namespace annals::test {
namespace {

enum class colour : std::uint8_t { red = 1, green = 2 };
enum class depth : std::int16_t { sea = -10'994 };

struct sealed {
    bytes content;
    ANNALS_FIELDS(sealed, content)
};

template <class T>
void comes_back(const T& value) {
    REQUIRE(through_the_wire(value) == value);
}

template <class T>
void its_limits_come_back() {
    comes_back(std::numeric_limits<T>::min());
    comes_back(std::numeric_limits<T>::max());
    comes_back(T{});
}

TEST_CASE("numbers come back, up to the limits of their type") {
    its_limits_come_back<std::int8_t>();
    its_limits_come_back<std::uint8_t>();
    its_limits_come_back<std::int16_t>();
    its_limits_come_back<std::uint16_t>();
    its_limits_come_back<std::int32_t>();
    its_limits_come_back<std::uint32_t>();
    its_limits_come_back<std::int64_t>();
    its_limits_come_back<std::uint64_t>();
    its_limits_come_back<long long>();
    its_limits_come_back<unsigned long>();
    its_limits_come_back<char>();
    its_limits_come_back<char8_t>();
    its_limits_come_back<char32_t>();
    its_limits_come_back<float>();
    its_limits_come_back<double>();
    comes_back(true);
    comes_back(false);
    comes_back(std::byte{0xff});
    comes_back(0.1);
    comes_back(0.1F);
    comes_back(std::numeric_limits<double>::infinity());
    REQUIRE(std::isnan(through_the_wire(std::numeric_limits<double>::quiet_NaN())));
    REQUIRE(std::signbit(through_the_wire(-0.0)));
}

TEST_CASE("numbers take the smallest form, reals always their own") {
    REQUIRE(to_bytes(5) == wire({0x05}));
    REQUIRE(to_bytes(-1) == wire({0xff}));
    REQUIRE(to_bytes(std::int64_t{200}) == wire({0xcc, 200}));
    REQUIRE(to_bytes(std::uint64_t{200}) == wire({0xcc, 200}));
    REQUIRE(to_bytes(70'000) == wire({0xce, 0, 1, 0x11, 0x70}));
    REQUIRE(to_bytes(-200) == wire({0xd1, 0xff, 0x38}));
    REQUIRE(to_bytes(1.0F) == wire({0xca, 0x3f, 0x80, 0, 0}));
    REQUIRE(to_bytes(1.0) == wire({0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0}));
    REQUIRE(to_bytes(static_cast<char>(0xe4)) == wire({0xcc, 0xe4}));
}

TEST_CASE("an integer out of its type's range is refused, not cut off") {
    REQUIRE(refusal_to_read<std::int8_t>(128) == "integer out of range -128 to 127");
    REQUIRE(refusal_to_read<std::int8_t>(-129) == "integer out of range -128 to 127");
    REQUIRE(refusal_to_read<std::uint8_t>(256) == "integer out of range 0 to 255");
    REQUIRE(refusal_to_read<std::uint8_t>(-1) == "integer out of range 0 to 255");
    REQUIRE(refusal_to_read<char>(256) == "integer out of range 0 to 255");
    REQUIRE(refusal_to_read<std::int64_t>(std::numeric_limits<std::uint64_t>::max()) ==
            "integer out of range -9223372036854775808 to 9223372036854775807");
    REQUIRE(refusal_to_read<float>(1e300) == "number out of range of float");
    REQUIRE(refusal_to_read<colour>(256) == "integer out of range 0 to 255");
}

TEST_CASE("an integer may be read into a wider type, and as a real") {
    REQUIRE(from_bytes<std::int64_t>(to_bytes(std::uint8_t{200})).value() == 200);
    REQUIRE(from_bytes<std::uint64_t>(to_bytes(std::int8_t{100})).value() == 100);
    REQUIRE(from_bytes<double>(to_bytes(-3)).value() == -3.0);
    REQUIRE(from_bytes<float>(to_bytes(0.5)).value() == 0.5F);
    // Some writers use a signed form for what is not negative.
    REQUIRE(from_bytes<std::uint32_t>(wire({0xd0, 0x05})).value() == 5);
}

TEST_CASE("a value of another kind is refused, and the refusal says both kinds") {
    REQUIRE(refusal_to_read<int>(std::string("7")) == "expected integer, found text");
    REQUIRE(refusal_to_read<int>(7.0) == "expected integer, found real");
    REQUIRE(refusal_to_read<bool>(1) == "expected boolean, found integer");
    REQUIRE(refusal_to_read<std::string>(7) == "expected text, found integer");
    REQUIRE(refusal_to_read<std::string>(bytes{}) == "expected text, found binary");
    REQUIRE(refusal_to_read<bytes>(std::string()) == "expected binary, found text");
    REQUIRE(refusal_to_read<double>(true) == "expected number, found boolean");
    REQUIRE(refusal_to_read<std::vector<int>>(std::map<int, int>{}) == "expected list, found map");
    REQUIRE(refusal_to_read<std::map<int, int>>(std::optional<int>{}) == "expected map, found nil");
    REQUIRE(refusal_of<int>(wire({0xd4, 0x01, 0x00})) == "expected integer, found extension");
}

TEST_CASE("text and bytes come back whatever they hold") {
    comes_back(std::string());
    comes_back(std::string("\0\xff tea", 6));
    comes_back(std::string(70'000, 'x'));
    comes_back(bytes{});
    comes_back(wire({0, 255, 128}));
    comes_back(std::array<std::byte, 3>{std::byte{1}, std::byte{2}, std::byte{3}});
    comes_back(uuid::of_name("order 17"));
    REQUIRE(to_bytes(wire({7, 8})) == wire({0xc4, 2, 7, 8}));
    REQUIRE(to_bytes(uuid{}).size() == 18);
    REQUIRE(refusal_to_read<uuid>(wire({1, 2, 3})) == "expected 16 bytes, found 3");
}

TEST_CASE("enums are their numbers, and unknown numbers are kept") {
    REQUIRE(to_bytes(colour::green) == wire({2}));
    comes_back(depth::sea);
    comes_back(static_cast<colour>(77));
}

TEST_CASE("durations and times are bare counts") {
    REQUIRE(to_bytes(std::chrono::minutes{3}) == wire({3}));
    comes_back(std::chrono::duration<double>{0.25});
    comes_back(timestamp{std::chrono::microseconds{-5}});
    comes_back(std::chrono::sys_days{std::chrono::days{18'000}});
    REQUIRE(to_bytes(timestamp{std::chrono::seconds{1}}) == to_bytes(1'000'000));
}

TEST_CASE("containers come back, nested too") {
    comes_back(std::vector<int>{});
    comes_back(std::vector<std::string>{"a", "", "b"});
    comes_back(std::vector<bool>{true, false, true});
    comes_back(std::vector<std::vector<double>>{{1.5}, {}, {2.5, 3.5}});
    comes_back(std::array<int, 3>{1, 2, 3});
    comes_back(std::array<std::string, 0>{});
    comes_back(std::set<std::string>{"b", "a"});
    comes_back(std::map<std::string, int>{{"b", 2}, {"a", 1}});
    comes_back(std::map<int, std::vector<int>>{{-1, {1, 2}}, {7, {}}});
    comes_back(std::map<std::pair<int, int>, std::string>{{{1, 2}, "x"}});
    comes_back(std::unordered_map<std::string, int>{{"b", 2}, {"a", 1}});
    comes_back(std::unordered_map<uuid, bool>{{uuid::of_name("x"), true}});
    comes_back(std::pair<int, std::string>{1, "x"});
    comes_back(std::tuple<int, std::string, bool>{1, "x", true});
    comes_back(std::tuple<>{});
    comes_back(std::vector<int>(100'000, 7));
}

TEST_CASE("a list of the wrong length is refused where the length is fixed") {
    const std::vector<int> two{1, 2};
    REQUIRE(refusal_to_read<std::array<int, 3>>(two) == "expected 3 elements, found 2");
    REQUIRE(refusal_to_read<std::tuple<int>>(two) == "expected 1 elements, found 2");
    REQUIRE(refusal_to_read<std::pair<int, int>>(std::vector<int>{1}) ==
            "expected 2 elements, found 1");
}

TEST_CASE("a key that occurs twice is refused, an element of a set is not") {
    REQUIRE(refusal_of<std::map<int, int>>(wire({0x82, 1, 10, 1, 20})) ==
            "[1]: the key occurs twice");
    REQUIRE(refusal_of<std::unordered_map<int, int>>(wire({0x82, 1, 10, 1, 20})) ==
            "[1]: the key occurs twice");
    REQUIRE(from_bytes<std::set<int>>(wire({0x93, 2, 1, 2})).value() == std::set<int>{1, 2});
}

TEST_CASE("an optional is nil or its value") {
    comes_back(std::optional<int>{});
    comes_back(std::optional<int>{7});
    comes_back(std::vector<std::optional<std::string>>{"a", std::nullopt});
    REQUIRE(to_bytes(std::optional<int>{}) == wire({0xc0}));
    REQUIRE(to_bytes(std::optional<int>{7}) == wire({7}));
}

TEST_CASE("a variant is its alternative's number and value") {
    using variant = std::variant<std::monostate, int, std::string, std::vector<int>>;
    comes_back(variant{});
    comes_back(variant{7});
    comes_back(variant{"x"});
    comes_back(variant{std::vector<int>{1}});
    REQUIRE(to_bytes(variant{7}) == wire({0x92, 1, 7}));
    REQUIRE(refusal_of<variant>(wire({0x92, 4, 7})) == "alternative 4 of a variant of 4");
    REQUIRE(refusal_of<variant>(wire({0x92, 2, 7})) == "[1]: expected text, found integer");
    REQUIRE(refusal_of<variant>(wire({0x92, 0, 7})) == "[1]: expected nil, found integer");
    REQUIRE(refusal_of<variant>(wire({0x91, 0})) == "expected 2 elements, found 1");
}

TEST_CASE("a decoder may itself decode other bytes") {
    // While the outer payload's nodes are in use, the inner one must not overwrite them.
    const borrowed_parser outer;
    const auto payload = to_bytes(std::vector<int>{1, 2, 3});
    const auto list = outer->parse(payload).value();
    REQUIRE(from_bytes<sealed>(to_bytes(sealed{to_bytes(7)})).value().content == to_bytes(7));
    REQUIRE(from_bytes<std::vector<int>>(to_bytes(std::vector<int>{9, 9, 9})).value().size() == 3);
    int second = 0;
    decode_error why;
    REQUIRE(decode(list.at(1), second, why));
    REQUIRE(second == 2);
}

} // namespace
} // namespace annals::test
