#include "row_overlay.hpp"

#include <catch2/catch.hpp>

/// What changes of rows take in memory on their way to the store.

using namespace annals;

namespace {

bytes of_size(std::size_t size, int filling) {
    return bytes(size, static_cast<std::byte>(filling));
}

const bytes the_key = of_size(8, 'k');
const std::uint32_t the_hash = row_overlay::hash_of(the_key);

} // namespace

TEST_CASE("a row that grows with each event takes a small multiple of its size, and can be taken "
          "back") {
    const std::size_t at_first = GENERATE(0U, 200U, 20'000U, 500'000U);
    CAPTURE(at_first);
    row_overlay rows;
    std::size_t size = at_first;
    for (int event = 0; event != 1'000; ++event) {
        rows.begin_event();
        size += 10;
        rows.put(the_key, the_hash, of_size(size, event));
        REQUIRE(rows.size_bytes() == the_key.size() + size);
    }
    REQUIRE(rows.held_bytes() <= 12 * size);
    if (at_first > 10'000)
        REQUIRE(rows.held_bytes() <= 3 * size);
    rows.begin_event();
    for (int again = 0; again != 3; ++again) {
        rows.put(the_key, the_hash, of_size(2 * size + static_cast<std::size_t>(again), 'n'));
        const auto now = rows.get(the_key, the_hash);
        REQUIRE(now.value.size() == 2 * size + static_cast<std::size_t>(again));
        REQUIRE(now.value[size] == std::byte{'n'});
    }
    rows.undo_event();
    const auto before = rows.get(the_key, the_hash).value;
    REQUIRE(bytes(before.begin(), before.end()) == of_size(size, 999));
    REQUIRE(rows.size_bytes() == the_key.size() + size);
    rows.clear();
    REQUIRE(rows.held_bytes() == 0);
}

TEST_CASE("rows that come and go within one change count with the memory that they took") {
    row_overlay rows;
    for (int i = 0; i != 1'000; ++i) {
        const bytes key = to_bytes(i);
        rows.begin_event();
        rows.put(key, row_overlay::hash_of(key), of_size(1'000, i));
        rows.begin_event();
        rows.erase(key, row_overlay::hash_of(key));
    }
    REQUIRE(rows.size_bytes() < 10'000);
    REQUIRE(rows.held_bytes() >= 1'000'000);
}
