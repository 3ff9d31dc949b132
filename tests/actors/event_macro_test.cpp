#include "annals/event.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <type_traits>
#include <vector>

/// ANNALS_EVENT and ANNALS_FIELDS: what they add to a struct, and what they leave as it was.

namespace described_types {

struct none {
    ANNALS_EVENT(none, "macro.none")
};
struct one {
    int only = 1;
    ANNALS_EVENT(one, "macro.one", only)
};
struct mixed {
    std::string sku;
    int quantity = 1;
    std::vector<one> parts;
    ANNALS_EVENT(mixed, "macro.mixed", sku, quantity, parts)
};
struct part {
    double weight = 0;
    ANNALS_FIELDS(part, weight)
};
struct no_fields_part {
    ANNALS_FIELDS(no_fields_part)
};
struct partly_listed {
    int listed = 0;
    int left_out = 0;
    ANNALS_EVENT(partly_listed, "macro.partly_listed", listed)
};
struct plain {
    int number = 0;
};

// clang-format off
struct many {
    int a0{}, a1{}, a2{}, a3{}, a4{}, a5{}, a6{}, a7{}, b0{}, b1{}, b2{}, b3{}, b4{}, b5{}, b6{}, b7{};
    int c0{}, c1{}, c2{}, c3{}, c4{}, c5{}, c6{}, c7{}, d0{}, d1{}, d2{}, d3{}, d4{}, d5{}, d6{}, d7{};
    int e0{}, e1{}, e2{}, e3{}, e4{}, e5{}, e6{}, e7{}, f0{}, f1{}, f2{}, f3{}, f4{}, f5{}, f6{}, f7{};
    int g0{}, g1{}, g2{}, g3{}, g4{}, g5{}, g6{}, g7{}, h0{}, h1{}, h2{}, h3{}, h4{}, h5{}, h6{}, h7{};
    ANNALS_EVENT(many, "macro.many",
        a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7,
        c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7,
        e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7,
        g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7)
};
// clang-format on

template <class T>
std::vector<std::string> fields_of(T&& value) {
    std::vector<std::string> names;
    std::remove_cvref_t<T>::annals_visit_fields(
        value, [&](std::string_view name, auto&) { names.emplace_back(name); });
    return names;
}

} // namespace described_types

using namespace described_types;

TEST_CASE("an event has its name and its fields, in the order of the macro") {
    CHECK(annals::event_name<mixed>() == "macro.mixed");
    CHECK(mixed::annals_field_count == 3);
    CHECK(fields_of(mixed{}) == std::vector<std::string>{"sku", "quantity", "parts"});
}

TEST_CASE("an event may have no fields") {
    CHECK(annals::event_name<none>() == "macro.none");
    CHECK(none::annals_field_count == 0);
    CHECK(fields_of(none{}).empty());
    const auto decoded = annals::from_bytes<none>(annals::to_bytes(none{}));
    CHECK(decoded.has_value());
}

TEST_CASE("an event may have one field") {
    CHECK(one::annals_field_count == 1);
    CHECK(fields_of(one{}) == std::vector<std::string>{"only"});
}

TEST_CASE("an event may have 64 fields, and each of them comes back from its bytes") {
    CHECK(many::annals_field_count == 64);
    many filled;
    int next = 0;
    many::annals_visit_fields(filled, [&](std::string_view, int& field) { field = ++next; });
    CHECK(filled.a0 == 1);
    CHECK(filled.d7 == 32);
    CHECK(filled.h7 == 64);
    const auto names = fields_of(filled);
    REQUIRE(names.size() == 64);
    CHECK(names.front() == "a0");
    CHECK(names[8] == "b0");
    CHECK(names.back() == "h7");

    const auto decoded = annals::from_bytes<many>(annals::to_bytes(filled));
    REQUIRE(decoded);
    int expected = 0;
    int wrong = 0;
    many::annals_visit_fields(*decoded,
                              [&](std::string_view, int field) { wrong += field != ++expected; });
    CHECK(expected == 64);
    CHECK(wrong == 0);
}

TEST_CASE("fields are visited to be read or to be changed") {
    mixed value{"tea", 2, {}};
    mixed::annals_visit_fields(value, [](std::string_view, auto& field) {
        if constexpr (std::is_same_v<decltype(field), int&>)
            field = 9;
    });
    CHECK(value.quantity == 9);

    const mixed fixed{"tea", 2, {}};
    mixed::annals_visit_fields(fixed, [](std::string_view, auto& field) {
        STATIC_REQUIRE(std::is_const_v<std::remove_reference_t<decltype(field)>>);
    });
}

TEST_CASE("a described struct stays an aggregate and no larger than its fields") {
    STATIC_REQUIRE(std::is_aggregate_v<none>);
    STATIC_REQUIRE(std::is_aggregate_v<mixed>);
    STATIC_REQUIRE(std::is_aggregate_v<many>);
    STATIC_REQUIRE(std::is_aggregate_v<part>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<many>);
    STATIC_REQUIRE(sizeof(one) == sizeof(int));
    STATIC_REQUIRE(sizeof(many) == 64 * sizeof(int));

    const mixed positional{"tea", 2, {}};
    const mixed designated{.sku = "tea", .parts = {{.only = 7}}};
    CHECK(positional.quantity == 2);
    CHECK(designated.quantity == 1);
    CHECK(designated.parts.front().only == 7);
    const auto [sku, quantity, parts] = positional;
    CHECK(sku == "tea");
    CHECK(quantity == 2);
    CHECK(parts.empty());
}

TEST_CASE("events are told apart from parts of events and from plain structs") {
    STATIC_REQUIRE(annals::event<none>);
    STATIC_REQUIRE(annals::event<mixed>);
    STATIC_REQUIRE(annals::described<part>);
    STATIC_REQUIRE(annals::described<no_fields_part>);
    STATIC_REQUIRE_FALSE(annals::event<part>);
    STATIC_REQUIRE_FALSE(annals::described<plain>);
    STATIC_REQUIRE_FALSE(annals::event<plain>);
    STATIC_REQUIRE_FALSE(annals::event<int>);
    CHECK(fields_of(part{}) == std::vector<std::string>{"weight"});
    CHECK(fields_of(no_fields_part{}).empty());
}

TEST_CASE("a field that the macro does not list is not stored") {
    const auto decoded = annals::from_bytes<partly_listed>(annals::to_bytes(partly_listed{1, 2}));
    REQUIRE(decoded);
    CHECK(decoded->listed == 1);
    CHECK(decoded->left_out == 0);
}
