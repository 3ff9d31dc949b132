#include "annals/type_shape.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <optional>
#include <string>
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

} // namespace

TEST_CASE("the shape of a type says what it is made of") {
    CHECK(shape_of<bool>() == "bool");
    CHECK(shape_of<int>() == "i4");
    CHECK(shape_of<std::uint64_t>() == "u8");
    CHECK(shape_of<double>() == "f8");
    CHECK(shape_of<colour>() == "enum u1");
    CHECK(shape_of<std::string>() == "text");
    CHECK(shape_of<std::vector<int>>() == "[i4]");
    CHECK(shape_of<std::map<std::string, int>>() == "[text,i4]");
    CHECK(shape_of<std::variant<int, bool>>() == "<i4,bool>");
    CHECK(shape_of<std::pair<int, bool>>() == "(i4,bool)");
    CHECK(shape_of<line>() == "{sku:text,units:i4}");
    CHECK(shape_of<annals::stored_map<std::string, line>>() == "{text,{sku:text,units:i4}}");
}

TEST_CASE("the shape of a type that holds values of itself ends") {
    CHECK(shape_of<branch>() == "{children:[^],leaf:?{sku:text,units:i4} }");
    CHECK(shape_of<nested>() == "[^]");
}
