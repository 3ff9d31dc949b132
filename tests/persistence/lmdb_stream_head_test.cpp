#include "lmdb/journal/head_block.hpp"
#include "lmdb/journal/stream_head.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <bit>
#include <random>
#include <vector>

using namespace annals;
using lmdb::jump_version;
using lmdb::stream_head;

namespace {

/// A stream as its records would link it: entry v - 1 is version v.
struct link {
    log_position position;
    log_position previous;
    log_position jump;
};

std::vector<link> grow(stream_head& head, std::size_t events, std::mt19937_64& random) {
    std::vector<link> links;
    log_position position = 0;
    for (std::size_t i = 0; i != events; ++i) {
        position += 1 + random() % 1'000;
        links.push_back({position, head.last(), head.next_jump()});
        head.push(position);
    }
    return links;
}

} // namespace

TEST_CASE("the first jump pointers are those of a skew-binary list", "[lmdb]") {
    const std::vector<stream_version> expected = {0, 1, 0, 3, 4, 3, 0, 7, 8, 7, 10, 11, 10, 7, 0};
    for (stream_version v = 1; v <= expected.size(); ++v)
        REQUIRE(jump_version(v) == expected[v - 1]);
}

TEST_CASE("a head knows where the next event's jump pointer leads", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    stream_head head;
    const auto links = grow(head, 5'000, random);
    for (stream_version v = 1; v <= links.size(); ++v) {
        const auto target = jump_version(v);
        REQUIRE(links[v - 1].jump == (target == 0 ? 0 : links[target - 1].position));
        REQUIRE(links[v - 1].previous == (v == 1 ? 0 : links[v - 2].position));
    }
    REQUIRE(head.version() == links.size());
    REQUIRE(head.last() == links.back().position);
}

TEST_CASE("any version is reached from the head in a logarithmic number of steps", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round != 50; ++round) {
        stream_head head;
        const auto links = grow(head, 1 + random() % 20'000, random);
        const auto limit = 3 * static_cast<std::size_t>(std::bit_width(links.size())) + 2;
        for (int i = 0; i != 200; ++i) {
            const auto wanted = 1 + random() % links.size();
            auto at = head.nearest(wanted);
            std::size_t steps = 0;
            for (; at.version != wanted; ++steps) {
                REQUIRE(at.position == links[at.version - 1].position);
                const auto jump = jump_version(at.version);
                at = jump >= wanted
                         ? stream_head::place{jump, links[at.version - 1].jump}
                         : stream_head::place{at.version - 1, links[at.version - 1].previous};
            }
            REQUIRE(at.position == links[wanted - 1].position);
            REQUIRE(steps <= limit);
        }
    }
}

TEST_CASE("a head reads back from its table as it was written", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    stream_head head;
    bytes stored;
    log_position position = 0;
    for (int i = 0; i != 3'000; ++i) {
        position += 1 + (random() >> (random() % 40 + 24));
        head.push(position);
        stored.resize(lmdb::max_head_bytes);
        stored.resize(lmdb::encode_head(head, stored.data()));
        const auto read = lmdb::decode_head(stored);
        REQUIRE(read);
        REQUIRE(*read == head);
        REQUIRE(read->next_jump() == head.next_jump());
        REQUIRE(head.positions().size() == lmdb::tree_count(head.version()));
    }
}

TEST_CASE("heads are values: copies and moves do not share", "[lmdb]") {
    for (const std::size_t events : {1U, 4U, 11U, 12U, 1'000U}) {
        stream_head head;
        for (std::size_t i = 1; i <= events; ++i)
            head.push(i);
        auto copy = head;
        REQUIRE(copy == head);
        copy.push(5'000);
        REQUIRE(head.version() == events);
        auto moved = std::move(copy);
        REQUIRE(moved.version() == events + 1);
        copy = moved;
        moved = stream_head();
        REQUIRE(copy.last() == 5'000);
        REQUIRE(moved.version() == 0);
        copy = head;
        REQUIRE(copy == head);
    }
}

TEST_CASE("every damaged bit of a block of heads is noticed, and a block in another's place",
          "[lmdb]") {
    stream_head head;
    for (log_position p = 1; p <= 30; ++p)
        head.push(p * 1'000);
    std::array<std::byte, lmdb::max_head_bytes> bytes_of_head;
    const auto size = lmdb::encode_head(head, bytes_of_head.data());
    bytes entries;
    lmdb::append_entry("cart-1", bytes_view(bytes_of_head).first(size), entries);
    lmdb::append_entry("cart-2", bytes_view(bytes_of_head).first(size), entries);
    bytes stored;
    lmdb::encode_block("cart-1", "dart", entries, stored);
    const auto block = lmdb::parse_block("cart-1", stored);
    REQUIRE(block);
    REQUIRE(block->covers("cart-2"));
    REQUIRE_FALSE(block->covers("cart-"));
    REQUIRE_FALSE(block->covers("dart"));
    lmdb::block_entries both(block->entries);
    REQUIRE(both.next()->name == "cart-1");
    REQUIRE(*lmdb::decode_head(both.next()->head) == head);
    REQUIRE_FALSE(both.next());
    REQUIRE(both.ok());

    REQUIRE_FALSE(lmdb::parse_block("cart-2", stored));
    for (std::size_t bit = 0; bit != stored.size() * 8; ++bit) {
        auto damaged = stored;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        REQUIRE_FALSE(lmdb::parse_block("cart-1", damaged));
    }
    for (std::size_t shorter = 0; shorter != stored.size(); ++shorter)
        REQUIRE_FALSE(lmdb::parse_block("cart-1", bytes_view(stored).first(shorter)));
}
