#pragma once

#include "annals/testing.hpp"

#include <catch2/catch.hpp>

/// The given/when/then kit under Catch2 2.x: a check that fails prints its explanation.
///
///     ANNALS_REQUIRE(given<cart>().when(add_item{"tea", 1}).then(item_added{"tea", 1}));
///
/// ANNALS_CHECK goes on with the test case after a failure, ANNALS_REQUIRE ends it. Catch2's own
/// CHECK and REQUIRE print the same once this header is included.
#define ANNALS_CHECK(...) CHECK(__VA_ARGS__)
#define ANNALS_REQUIRE(...) REQUIRE(__VA_ARGS__)

template <>
struct Catch::StringMaker<annals::testing::check> {
    static std::string convert(const annals::testing::check& made) { return made.explanation(); }
};
