#include "annals/projection_store.hpp"
#include "support/row_verbs.hpp"
#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace annals;
using namespace annals::test;

namespace {

/// Space, key and value of each change in order; "-" as the value of an erased row.
using listing = std::vector<std::tuple<row_space, std::string, std::string>>;

listing list(row_changes& changes) {
    listing all;
    for (const auto& one : changes.sorted()) {
        const bool erased = one.value_bytes == row_changes::change::erased;
        all.emplace_back(one.space, text_of(changes.key(one)),
                         erased ? "-" : text_of(changes.value(one)));
    }
    return all;
}

} // namespace

TEST_CASE("changes are listed by space and key, each key once with its last change") {
    row_changes changes;
    changes.put(2, raw("b"), raw("1"));
    changes.put(1, raw("z"), raw("2"));
    changes.put(2, raw("a"), raw("3"));
    changes.put(2, raw("b"), raw("4"));
    changes.erase(1, raw("z"));
    changes.put(2, raw("ab"), raw(""));
    const listing expected = {{1, "z", "-"}, {2, "a", "3"}, {2, "ab", ""}, {2, "b", "4"}};
    REQUIRE(list(changes) == expected);
    REQUIRE(list(changes) == expected);
    changes.erase(2, raw("a"));
    changes.put(1, raw("z"), raw("5"));
    REQUIRE(list(changes) == listing{{1, "z", "5"}, {2, "a", "-"}, {2, "ab", ""}, {2, "b", "4"}});
}

TEST_CASE("bytes of keys are compared as numbers from 0 to 255") {
    row_changes changes;
    const std::string zero("a\0", 2);
    for (const std::string& key :
         {std::string("\xff"), std::string("\x80"), zero, std::string("a"), std::string("\x7f")})
        changes.put(1, raw(key), {});
    REQUIRE(
        list(changes) ==
        listing{{1, "a", ""}, {1, zero, ""}, {1, "\x7f", ""}, {1, "\x80", ""}, {1, "\xff", ""}});
}

TEST_CASE("changes copy what they are given") {
    row_changes changes;
    std::string key = "key";
    std::string value = "value";
    changes.put(1, raw(key), raw(value));
    key = "yek";
    value = "eulav";
    REQUIRE(list(changes) == listing{{1, "key", "value"}});
}

TEST_CASE("changes know their size, and whether there are any") {
    row_changes changes;
    REQUIRE(changes.empty());
    REQUIRE(changes.size_bytes() == 0);
    changes.put(1, raw("key"), raw("value"));
    REQUIRE_FALSE(changes.empty());
    REQUIRE(changes.size_bytes() == 8);
    changes.clear();
    REQUIRE(changes.empty());
    REQUIRE(list(changes).empty());
    changes.drop(7);
    REQUIRE_FALSE(changes.empty());
    REQUIRE(changes.dropped().size() == 1);
    REQUIRE(changes.dropped()[0] == 7);
    changes.clear();
    REQUIRE(changes.dropped().empty());
}

TEST_CASE("what is too long is cut where that can still be seen") {
    row_changes changes;
    changes.put(1, raw(std::string(100'000, 'k')), raw(std::string(2 * max_row_value_bytes, 'v')));
    const auto& only = changes.sorted()[0];
    REQUIRE(only.key_bytes == max_row_key_bytes + 1);
    REQUIRE(only.value_bytes == max_row_value_bytes + 1);
}

TEST_CASE("random changes come to what a map comes to") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round != 200; ++round) {
        row_changes changes;
        std::map<std::pair<row_space, std::string>, std::string> model;
        for (auto count = random() % 60; count != 0; --count) {
            const auto space = static_cast<row_space>(random() % 3);
            const auto key = std::to_string(random() % 20);
            const auto value = std::to_string(random());
            const bool erases = random() % 3 == 0;
            if (erases)
                changes.erase(space, raw(key));
            else
                changes.put(space, raw(key), raw(value));
            model[{space, key}] = erases ? "-" : value;
            if (random() % 10 == 0)
                static_cast<void>(changes.sorted());
        }
        listing expected;
        for (const auto& [place, value] : model)
            expected.emplace_back(place.first, place.second, value);
        REQUIRE(list(changes) == expected);
    }
}
