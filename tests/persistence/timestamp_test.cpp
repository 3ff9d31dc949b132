#include "annals/stored_event.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <random>

namespace annals::test {
namespace {

timestamp at(std::int64_t us) {
    return timestamp{std::chrono::microseconds{us}};
}

TEST_CASE("a time is written in UTC with microseconds") {
    REQUIRE(to_string(at(1'291'191'960'000'000)) == "2010-12-01T08:26:00.000000Z");
    REQUIRE(to_string(at(0)) == "1970-01-01T00:00:00.000000Z");
    REQUIRE(to_string(at(1)) == "1970-01-01T00:00:00.000001Z");
    REQUIRE(to_string(at(-1)) == "1969-12-31T23:59:59.999999Z");
    REQUIRE(to_string(at(951'825'599'123'456)) == "2000-02-29T11:59:59.123456Z");
}

TEST_CASE("a time that was written is read back, over the whole range") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto comes_back = [](std::int64_t us) {
        CAPTURE(us, to_string(at(us)));
        REQUIRE(parse_timestamp(to_string(at(us))) == at(us));
    };
    comes_back(std::numeric_limits<std::int64_t>::min());
    comes_back(std::numeric_limits<std::int64_t>::min() + 1);
    comes_back(std::numeric_limits<std::int64_t>::max());
    comes_back(0);
    comes_back(-1);
    for (int i = 0; i != 2'000; ++i) {
        comes_back(static_cast<std::int64_t>(random()) >> (random() % 40));
        const auto days = static_cast<std::int64_t>(random() % 8'000'000) - 4'000'000;
        comes_back(days * 86'400'000'000 - static_cast<std::int64_t>(random() % 2));
    }
}

TEST_CASE("dates agree with the standard library's calendar") {
    for (int day = -800'000; day < 3'000'000; day += 331) {
        const std::chrono::sys_days date{std::chrono::days{day}};
        const std::chrono::year_month_day calendar{date};
        const auto text = to_string(timestamp{date});
        CAPTURE(text);
        if (int{calendar.year()} < 0 || int{calendar.year()} > 9'999)
            continue;
        REQUIRE(std::stoi(text.substr(0, 4)) == int{calendar.year()});
        REQUIRE(std::stoul(text.substr(5, 2)) == unsigned{calendar.month()});
        REQUIRE(std::stoul(text.substr(8, 2)) == unsigned{calendar.day()});
    }
}

TEST_CASE("fraction, seconds and time of day may be missing") {
    const auto minute = at(1'291'191'960'000'000);
    REQUIRE(parse_timestamp("2010-12-01T08:26:00Z") == minute);
    REQUIRE(parse_timestamp("2010-12-01T08:26Z") == minute);
    REQUIRE(parse_timestamp("2010-12-01 08:26") == minute);
    REQUIRE(parse_timestamp("2010-12-01T08:26:00.25Z") == minute + std::chrono::milliseconds{250});
    REQUIRE(parse_timestamp("2010-12-01") == at(1'291'161'600'000'000));
    REQUIRE(parse_timestamp("2010-12-01Z") == at(1'291'161'600'000'000));
}

TEST_CASE("what is not a time is not read as one") {
    for (const char* text : {"",
                             "2010",
                             "2010-12",
                             "2010-13-01",
                             "2010-00-01",
                             "2010-02-29",
                             "2010-04-31",
                             "2010-12-00",
                             "2010-12-01T",
                             "2010-12-01T24:00",
                             "2010-12-01T08:60",
                             "2010-12-01T08:26:60",
                             "2010-12-01T08:26:00.",
                             "2010-12-01T08:26:00.1234567",
                             "2010-12-01T08:26:00+01:00",
                             "2010-12-01T08:26:00ZZ",
                             "10-12-01",
                             "20101-12-01",
                             "2010-1-01",
                             " 2010-12-01",
                             "now",
                             "+999999-01-01",
                             "-999999-01-01"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parse_timestamp(text));
    }
    REQUIRE(parse_timestamp("2000-02-29"));
    REQUIRE_FALSE(parse_timestamp("1900-02-29"));
}

} // namespace
} // namespace annals::test
