#include "annals/seams.hpp"
#include "annals/uuid.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

namespace annals::test {
namespace {

unsigned version_of(const uuid& id) {
    return std::to_integer<unsigned>(id.bytes[6]) >> 4;
}
unsigned variant_of(const uuid& id) {
    return std::to_integer<unsigned>(id.bytes[8]) >> 6;
}

TEST_CASE("a name always has the same id, on every machine") {
    REQUIRE(uuid::of_name("order 17") == uuid::of_name("order 17"));
    REQUIRE(uuid::of_name("order 17") != uuid::of_name("order 18"));
    // Pinned: ids of commands that were stored years ago are made from names too.
    REQUIRE(uuid::of_name("order 17").to_string() == "87c4c04b-43ea-828b-bb25-5245cac3bb0f");
    REQUIRE(uuid::of_name("").to_string() == "99aa06d3-0147-88d8-a001-c324468d497f");
}

TEST_CASE("an id made from a name says so in its version") {
    for (int i = 0; i != 100; ++i) {
        const auto id = uuid::of_name(std::to_string(i));
        REQUIRE(version_of(id) == 8);
        REQUIRE(variant_of(id) == 2);
    }
}

TEST_CASE("an id's text is read back, in upper case too") {
    const auto id = uuid::of_name("order 17");
    REQUIRE(uuid::parse(id.to_string()) == id);
    REQUIRE(uuid{}.to_string() == "00000000-0000-0000-0000-000000000000");
    const auto lower = uuid::parse("01234567-89ab-cdef-8123-456789abcdef");
    REQUIRE(lower);
    REQUIRE(uuid::parse("01234567-89AB-CDEF-8123-456789ABCDEF") == lower);
    REQUIRE(std::to_integer<int>(lower->bytes[0]) == 0x01);
    REQUIRE(std::to_integer<int>(lower->bytes[15]) == 0xef);
}

TEST_CASE("nothing but the usual form is an id") {
    for (const char* text :
         {"", "01234567-89ab-cdef-8123-456789abcde", "01234567-89ab-cdef-8123-456789abcdef0",
          "0123456789abcdef8123456789abcdef", "{01234567-89ab-cdef-8123-456789abcd}",
          "01234567-89ab-cdef-8123-456789abcdeg", "01234567889ab-cdef-8123-456789abcdef",
          "0123456-789ab-cdef-8123-456789abcdef"}) {
        CAPTURE(text);
        REQUIRE_FALSE(uuid::parse(text));
    }
}

TEST_CASE("random ids differ, also between threads") {
    const auto ids = random_ids();
    constexpr std::size_t each = 20'000;
    std::vector<std::vector<uuid>> made(3, std::vector<uuid>(each));
    std::vector<std::thread> threads;
    for (auto& list : made)
        threads.emplace_back([&] {
            for (auto& id : list)
                id = ids->next();
        });
    for (auto& thread : threads)
        thread.join();
    std::unordered_set<uuid> all;
    for (const auto& list : made)
        all.insert(list.begin(), list.end());
    REQUIRE(all.size() == made.size() * each);
}

TEST_CASE("random ids grow with time and are of version 7") {
    const auto ids = random_ids();
    const auto ms_of = [](const uuid& id) {
        std::uint64_t ms = 0;
        for (std::size_t i = 0; i != 6; ++i)
            ms = (ms << 8) | std::to_integer<std::uint64_t>(id.bytes[i]);
        return ms;
    };
    const auto before = system_clock()->wall_time().time_since_epoch();
    std::uint64_t last = 0;
    for (int i = 0; i != 1'000; ++i) {
        const auto id = ids->next();
        REQUIRE(version_of(id) == 7);
        REQUIRE(variant_of(id) == 2);
        REQUIRE(ms_of(id) >= last);
        last = ms_of(id);
    }
    const auto started_ms = std::chrono::duration_cast<std::chrono::milliseconds>(before).count();
    REQUIRE(last >= static_cast<std::uint64_t>(started_ms));
    REQUIRE(last < static_cast<std::uint64_t>(started_ms) + 60'000);
}

} // namespace
} // namespace annals::test
