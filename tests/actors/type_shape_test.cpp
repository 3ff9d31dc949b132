#include "annals/type_shape.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

/// What two openings compare, to notice that a stored value is made of something else.
namespace {

using annals::hosting::type_shape;

template <class T>
std::string shape_of() {
    type_shape made;
    made.add<T>();
    return made.take();
}

struct line {
    std::string sku;
    int units = 0;
    ANNALS_FIELDS(line, sku, units)
};
struct branch {
    std::vector<branch> children;
    std::optional<line> leaf;
    ANNALS_FIELDS(branch, children, leaf)
};
/// Its elements are of its own type, like those of a JSON value.
struct nested : std::vector<nested> {};

enum class colour : unsigned char { red };
enum class letter : char { a };
enum class step : signed char { back = -1 };

/// Two structs whose values hold one another, in two ways.
struct left_inner;
struct left {
    std::vector<left_inner> inside;
    ANNALS_FIELDS(left, inside)
};
struct left_inner {
    std::vector<left> inside;
    ANNALS_FIELDS(left_inner, inside)
};
struct right_inner {
    std::vector<right_inner> inside;
    ANNALS_FIELDS(right_inner, inside)
};
struct right {
    std::vector<right_inner> inside;
    ANNALS_FIELDS(right, inside)
};

template <class... Ts>
std::vector<std::string> shapes_of() {
    return {shape_of<Ts>()...};
}
/// Those that occur more than once.
std::vector<std::string> doubles_among(std::vector<std::string> shapes) {
    std::sort(shapes.begin(), shapes.end());
    std::vector<std::string> twice;
    for (std::size_t i = 1; i < shapes.size(); ++i)
        if (shapes[i] == shapes[i - 1])
            twice.push_back(shapes[i]);
    return twice;
}

} // namespace

TEST_CASE("the shape of a type says what it is made of") {
    CHECK(shape_of<bool>() == "bool");
    CHECK(shape_of<int>() == "i4");
    CHECK(shape_of<std::uint64_t>() == "u8");
    CHECK(shape_of<double>() == "f8");
    CHECK(shape_of<colour>() == "enum u1");
    CHECK(shape_of<std::string>() == "text");
    CHECK(shape_of<std::vector<int>>() == "[i4]");
    CHECK(shape_of<std::map<std::string, int>>() == "map[text,i4]");
    CHECK(shape_of<std::variant<int, bool>>() == "<i4,bool>");
    CHECK(shape_of<std::pair<int, bool>>() == "pair(i4,bool)");
    CHECK(shape_of<line>() == "{sku:text,units:i4}");
    CHECK(shape_of<annals::stored_map<std::string, line>>() == "{text,{sku:text,units:i4}}");
}

TEST_CASE("the shape of a type that holds values of itself ends") {
    CHECK(shape_of<branch>() == "{children:[^2],leaf:?{sku:text,units:i4} }");
    CHECK(shape_of<nested>() == typeid(nested).name() + std::string("[^1]"));
}

TEST_CASE("types that are stored differently, or are other containers, have shapes of their own") {
    using lines = std::vector<line>;
    using namespace std::chrono;
    CHECK(doubles_among(
              shapes_of<bool, char, signed char, unsigned char, wchar_t, char8_t, char16_t,
                        char32_t, std::byte, short, unsigned short, int, unsigned, std::int64_t,
                        std::uint64_t, float, double, colour, letter, step, std::string,
                        annals::bytes, annals::uuid, annals::timestamp, seconds, milliseconds,
                        duration<double>, sys_days, std::monostate>()) ==
          std::vector<std::string>());
    CHECK(doubles_among(
              shapes_of<std::vector<int>, std::deque<int>, std::set<int>,
                        std::set<int, std::greater<>>, std::multiset<int>, std::array<int, 2>,
                        std::array<int, 3>, std::pair<int, int>, std::tuple<int, int>,
                        std::variant<int, int>, std::map<int, int>,
                        std::map<int, int, std::greater<>>, std::multimap<int, int>,
                        std::unordered_map<int, int>, std::vector<std::pair<int, int>>,
                        std::optional<int>, std::tuple<int>, annals::stored_map<int, int>>()) ==
          std::vector<std::string>());
    CHECK(doubles_among(
              shapes_of<annals::bytes, std::vector<colour>, std::vector<unsigned char>,
                        std::array<std::byte, 4>, std::array<std::byte, 5>, std::array<colour, 4>,
                        std::set<std::byte>, std::string, std::vector<char>>()) ==
          std::vector<std::string>());
    CHECK(doubles_among(shapes_of<lines, std::deque<line>, std::optional<lines>>()) ==
          std::vector<std::string>());
    CHECK(shape_of<left>() != shape_of<right>());
}

TEST_CASE("types that are stored alike have one shape, whatever a library calls them") {
    CHECK(shape_of<long>() == shape_of<long long>());
    CHECK(shape_of<std::set<std::string>>() == shape_of<std::set<std::string, std::less<>>>());
    CHECK(shape_of<std::map<int, int>>() == shape_of<std::map<int, int, std::less<>>>());
}
