#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"
#include "lmdb/journal/record_format.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <random>
#include <vector>

using namespace annals;
using lmdb::parse_record;
using lmdb::record;

namespace {

bytes written(const record& event) {
    bytes to(lmdb::record_size(event));
    lmdb::write_record(event, to.data());
    return to;
}

bytes_view view(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

record sample() {
    record event;
    event.position = 1'000;
    event.version = 6;
    event.previous = 990;
    event.jump = 700;
    event.time = timestamp{std::chrono::microseconds{1'291'191'960'123'456}};
    for (std::size_t i = 0; i != 16; ++i)
        event.command_id.bytes[i] = static_cast<std::byte>(i + 1);
    event.command_named = true;
    event.ends_commit = true;
    event.stream = "cart-17";
    event.type = "cart.item_added";
    event.more_metadata = view("metadata");
    event.payload = view("payload");
    return event;
}

void require_equal(const record& a, const record& b) {
    REQUIRE(a.position == b.position);
    REQUIRE(a.version == b.version);
    REQUIRE(a.previous == b.previous);
    REQUIRE(a.jump == b.jump);
    REQUIRE(a.time == b.time);
    REQUIRE(a.command_id == b.command_id);
    REQUIRE(a.command_named == b.command_named);
    REQUIRE(a.ends_commit == b.ends_commit);
    REQUIRE(a.stream == b.stream);
    REQUIRE(a.type == b.type);
    REQUIRE(std::ranges::equal(a.more_metadata, b.more_metadata));
    REQUIRE(std::ranges::equal(a.payload, b.payload));
}

/// A number of any size, small ones as often as large ones.
std::uint64_t any_size(std::mt19937_64& random, unsigned max_bits = 64) {
    return random() >> (64 - 1 - random() % max_bits) >> 1;
}

std::string some_text(std::mt19937_64& random, std::size_t max) {
    std::string text(random() % (max + 1), ' ');
    for (auto& c : text)
        c = static_cast<char>(random());
    return text;
}

/// Puts the right checksum before bytes that are wrong in another way.
void correct_checksum(log_position position, bytes& stored) {
    std::byte number[8];
    lmdb::put_fixed(number, position);
    lmdb::put_fixed(stored.data(), lmdb::crc32c()
                                       .add(number, sizeof number)
                                       .add(stored.data() + 4, stored.size() - 4)
                                       .value());
}

} // namespace

TEST_CASE("the checksum is CRC-32C", "[lmdb]") {
    const auto text = view("123456789");
    REQUIRE(lmdb::crc32c().add(text.data(), text.size()).value() == 0xe3069283);
    REQUIRE(lmdb::crc32c().add(text.data(), 4).add(text.data() + 4, 5).value() == 0xe3069283);
}

TEST_CASE("a number has one encoding, and every other is refused", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i != 10'000; ++i) {
        const auto number = any_size(random);
        std::byte buffer[lmdb::max_varint_bytes];
        auto* const end = lmdb::put_varint(buffer, number);
        REQUIRE(static_cast<std::size_t>(end - buffer) == lmdb::varint_size(number));
        lmdb::varint_reader reader(buffer, end);
        REQUIRE(reader.next() == number);
        REQUIRE(reader.ok());
        lmdb::varint_reader cut_off(buffer, end - 1);
        cut_off.next();
        REQUIRE_FALSE(cut_off.ok());
    }
    const auto refused = [](std::vector<int> values) {
        std::vector<std::byte> encoded;
        for (const auto value : values)
            encoded.push_back(static_cast<std::byte>(value));
        lmdb::varint_reader reader(encoded.data(), encoded.data() + encoded.size());
        reader.next();
        return !reader.ok();
    };
    REQUIRE(refused({0x80, 0x00}));       // longer than needed
    REQUIRE(refused({0xff, 0x80, 0x00})); // likewise
    REQUIRE(refused({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02})); // 2^64 and more
    REQUIRE(refused({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
}

TEST_CASE("a record reads back as it was written", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i != 2'000; ++i) {
        const auto stream = some_text(random, 255);
        const auto type = some_text(random, 255);
        const auto more = some_text(random, 300);
        const auto payload = some_text(random, 5'000);
        record event;
        event.version = 1 + any_size(random, 40);
        event.position = event.version + 1 + any_size(random);
        event.previous = event.version == 1 ? 0 : 1 + random() % (event.position - 1);
        event.jump = random() % event.position;
        event.time = timestamp{std::chrono::microseconds{static_cast<std::int64_t>(random())}};
        std::memcpy(event.command_id.bytes.data(), payload.data(),
                    std::min<std::size_t>(payload.size(), 16));
        event.command_named = random() % 2 == 0;
        event.ends_commit = random() % 2 == 0;
        event.stream = stream;
        event.type = type;
        event.more_metadata = view(more);
        event.payload = view(payload);
        const auto stored = written(event);
        const auto read = parse_record(event.position, stored);
        REQUIRE(read);
        require_equal(*read, event);
    }
}

TEST_CASE("every flipped bit of a record is noticed, and every missing byte", "[lmdb]") {
    const auto event = sample();
    const auto stored = written(event);
    REQUIRE(parse_record(event.position, stored));
    for (std::size_t bit = 0; bit != stored.size() * 8; ++bit) {
        auto damaged = stored;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto read = parse_record(event.position, damaged);
        REQUIRE_FALSE(read);
        REQUIRE(read.error().code == errc::corrupt);
        REQUIRE(read.error().actual == event.position);
    }
    for (std::size_t size = 0; size != stored.size(); ++size)
        REQUIRE_FALSE(parse_record(event.position, bytes_view(stored).first(size)));
}

TEST_CASE("a record at another position is not that event", "[lmdb]") {
    const auto stored = written(sample());
    REQUIRE_FALSE(parse_record(999, stored));
    REQUIRE_FALSE(parse_record(1'001, stored));
}

TEST_CASE("bytes with a right checksum but no sense are an error, never a crash", "[lmdb]") {
    const auto seed = test::random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto event = sample();
    const auto original = written(event);
    std::size_t refused = 0;
    for (int i = 0; i != 50'000; ++i) {
        auto stored = original;
        for (auto flips = 1 + random() % 4; flips != 0; --flips)
            stored[4 + random() % (stored.size() - 4)] = static_cast<std::byte>(random());
        stored.resize(stored.size() - random() % 3);
        correct_checksum(event.position, stored);
        const auto read = parse_record(event.position, stored);
        if (!read) {
            ++refused;
            continue;
        }
        // Whatever it is, it lies within the bytes given.
        const auto size = read->stream.size() + read->type.size() + read->more_metadata.size() +
                          read->payload.size();
        REQUIRE(size <= stored.size());
        REQUIRE(read->previous < event.position);
        REQUIRE(read->jump < event.position);
    }
    REQUIRE(refused > 1'000);
}

TEST_CASE("kinds and flags of a later format are refused, not misread", "[lmdb]") {
    for (const int kind : {0x00, 0x02, 0x0f, 0x41, 0x81}) {
        auto stored = written(sample());
        stored[4] = static_cast<std::byte>(kind);
        correct_checksum(1'000, stored);
        REQUIRE_FALSE(parse_record(1'000, stored));
    }
}
