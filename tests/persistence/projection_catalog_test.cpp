#include "annals/projection_catalog.hpp"
#include "support/row_verbs.hpp"

#include <catch2/catch.hpp>

using namespace annals;
using namespace annals::test;

namespace {

projection_record demand() {
    projection_record record;
    record.kind = static_cast<std::uint8_t>(projection_kind::stored_view);
    record.paused = true;
    record.serving.space = 7;
    record.serving.version = 2;
    record.serving.since = 41;
    record.building.space = 9;
    record.building.version = 3;
    return record;
}

set_aside_event set_aside(log_position position) {
    return {.position = position,
            .stream = "cart-17",
            .type = "cart.item_added",
            .code = "handler_failed",
            .message = "no such item",
            .attempts = 3,
            .time_us = -1};
}

std::vector<log_position> positions_of(const std::vector<set_aside_event>& events) {
    std::vector<log_position> all;
    for (const auto& each : events)
        all.push_back(each.position);
    return all;
}

struct store_with_catalog {
    std::shared_ptr<projection_store> store = make_memory_projection_store();

    template <class Fill>
    void apply(Fill fill) const {
        row_changes changes;
        fill(changes);
        REQUIRE(apply_and_wait(*store, std::move(changes)));
    }
    [[nodiscard]] std::unique_ptr<row_snapshot> now() const { return store->snapshot().value(); }
};

} // namespace

TEST_CASE("every kind of projection has a name") {
    REQUIRE(to_string(projection_kind::view) == "view");
    REQUIRE(to_string(projection_kind::stored_view) == "stored_view");
    REQUIRE(to_string(projection_kind::reaction) == "reaction");
    REQUIRE(to_string(static_cast<projection_kind>(99)) == "unknown");
}

TEST_CASE("a projection's record is found under its own name only") {
    const store_with_catalog held;
    held.apply([](auto& into) { catalog::put(into, "demand", demand()); });
    const auto now = held.now();
    REQUIRE(catalog::find(*now, "demand").value() == demand());
    REQUIRE(catalog::find(*now, "deman").value() == std::nullopt);
    REQUIRE(catalog::find(*now, "demands").value() == std::nullopt);
    REQUIRE(catalog::find(*now, "").value() == std::nullopt);
}

TEST_CASE("the list of projections is by name, and holds nothing else") {
    const store_with_catalog held;
    held.apply([](auto& into) {
        catalog::put(into, "mail", {});
        catalog::put(into, "demand", demand());
        catalog::put_checkpoint(into, 7, {.done = 1});
        catalog::put_set_aside(into, "mail", set_aside(5));
    });
    const auto all = catalog::list(*held.now()).value();
    REQUIRE(all.size() == 2);
    REQUIRE(all[0] == std::pair(std::string("demand"), demand()));
    REQUIRE(all[1] == std::pair(std::string("mail"), projection_record{}));
}

TEST_CASE("a checkpoint is found by its generation's space") {
    const store_with_catalog held;
    const checkpoint_record reached{.done = 10, .begun = 12, .events = 3, .bytes = 1'000};
    held.apply([&](auto& into) { catalog::put_checkpoint(into, 0x01020304, reached); });
    REQUIRE(catalog::find_checkpoint(*held.now(), 0x01020304).value() == reached);
    REQUIRE(catalog::find_checkpoint(*held.now(), 0x01020305).value() == std::nullopt);
    REQUIRE(value_of(*held.store, catalog_space, "c\x01\x02\x03\x04") != "-");
}

TEST_CASE("events set aside are listed by position, page by page") {
    const store_with_catalog held;
    const log_position far = ~log_position{0};
    held.apply([&](auto& into) {
        for (const log_position position : {300U, 2U, 70'000U, 1U})
            catalog::put_set_aside(into, "mail", set_aside(position));
        catalog::put_set_aside(into, "mail", set_aside(far));
        catalog::put_set_aside(into, "mai", set_aside(3));
        catalog::put_set_aside(into, "mails", set_aside(4));
    });
    const auto now = held.now();
    const auto page = [&](log_position after, std::size_t max) {
        return positions_of(catalog::list_set_aside(*now, "mail", after, max).value());
    };
    REQUIRE(page(0, 10) == std::vector<log_position>{1, 2, 300, 70'000, far});
    REQUIRE(page(0, 2) == std::vector<log_position>{1, 2});
    REQUIRE(page(2, 2) == std::vector<log_position>{300, 70'000});
    REQUIRE(page(300, 10) == std::vector<log_position>{70'000, far});
    REQUIRE(page(far - 1, 10) == std::vector<log_position>{far});
    REQUIRE(page(far, 10).empty());
    REQUIRE(page(0, 0).empty());
    REQUIRE(catalog::set_aside_positions(*now, "mail").value() == page(0, 10));
    REQUIRE(catalog::set_aside_positions(*now, "nobody").value().empty());
    REQUIRE(catalog::find_set_aside(*now, "mail", 300).value() == set_aside(300));
    REQUIRE(catalog::find_set_aside(*now, "mail", 301).value() == std::nullopt);
}

TEST_CASE("an event set aside is replaced, or given up") {
    const store_with_catalog held;
    auto again = set_aside(2);
    again.attempts = 4;
    held.apply([](auto& into) {
        catalog::put_set_aside(into, "mail", set_aside(1));
        catalog::put_set_aside(into, "mail", set_aside(2));
    });
    held.apply([&](auto& into) {
        catalog::erase_set_aside(into, "mail", 1);
        catalog::put_set_aside(into, "mail", again);
    });
    REQUIRE(catalog::list_set_aside(*held.now(), "mail", 0, 10).value() == std::vector{again});
}

TEST_CASE("a generation goes with its rows and its checkpoint") {
    const store_with_catalog held;
    generation_record generation;
    generation.space = held.store->new_space();
    held.apply([&](auto& into) {
        catalog::put_checkpoint(into, generation.space, {.done = 1});
        into.put(generation.space, raw("a"), raw("1"));
    });
    held.apply([&](auto& into) { catalog::drop(into, generation); });
    REQUIRE(catalog::find_checkpoint(*held.now(), generation.space).value() == std::nullopt);
    REQUIRE(all_rows(*held.store, generation.space).empty());
    held.apply([](auto& into) { catalog::drop(into, {}); }); // there is none: nothing happens
}

TEST_CASE("a saved copy comes back whole, whatever its size") {
    const store_with_catalog held;
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, catalog::copy_part_bytes, catalog::copy_part_bytes + 1,
          3 * catalog::copy_part_bytes - 7}) {
        const auto space = held.store->new_space();
        bytes copy(size);
        for (std::size_t i = 0; i != size; ++i)
            copy[i] = static_cast<std::byte>(i % 251);
        held.apply([&](auto& into) {
            std::uint32_t part = 0;
            for (std::size_t at = 0; at < size; at += catalog::copy_part_bytes)
                catalog::put_copy_part(
                    into, space, part++,
                    bytes_view(copy).subspan(at, std::min(catalog::copy_part_bytes, size - at)));
        });
        REQUIRE(catalog::read_copy(*held.now(), space, {.bytes = size}).value() == copy);
    }
}

TEST_CASE("a saved copy with missing, empty or surplus bytes is corrupt") {
    const store_with_catalog held;
    const auto space = held.store->new_space();
    const auto refused = [&](std::uint64_t size) {
        return said(catalog::read_copy(*held.now(), space, {.bytes = size}).error());
    };
    REQUIRE(refused(1) == "corrupt");
    held.apply([&](auto& into) {
        catalog::put_copy_part(into, space, 0, raw("hello"));
        catalog::put_copy_part(into, space, 2, raw("world"));
    });
    REQUIRE(refused(4) == "corrupt");
    REQUIRE(refused(10) == "corrupt");
    REQUIRE(refused(~std::uint64_t{0}) == "corrupt");
    held.apply([&](auto& into) { catalog::put_copy_part(into, space, 1, {}); });
    REQUIRE(refused(10) == "corrupt");
}

TEST_CASE("a record that cannot be read is corrupt, and says what to do") {
    const store_with_catalog held;
    const auto nonsense = raw("nonsense");
    held.apply([&](auto& into) {
        into.put(catalog_space, raw("pdemand"), nonsense);
        into.put(catalog_space, raw(std::string_view("c\0\0\0\x07", 5)), nonsense);
        into.put(catalog_space, raw(std::string_view("amail\0\0\0\0\0\0\0\0\x07", 14)), nonsense);
        into.put(catalog_space, raw(std::string_view("ashort\0\x07", 8)), nonsense);
    });
    const auto now = held.now();
    for (const auto& found : {catalog::find(*now, "demand").error(), catalog::list(*now).error(),
                              catalog::find_checkpoint(*now, 7).error(),
                              catalog::find_set_aside(*now, "mail", 7).error(),
                              catalog::list_set_aside(*now, "mail", 0, 10).error(),
                              catalog::set_aside_positions(*now, "short").error(),
                              catalog::sweep(*held.store).error()}) {
        REQUIRE(found.code == errc::corrupt);
        REQUIRE_THAT(found.message, Catch::Contains("delete views.mdb"));
    }
}

TEST_CASE("a sweep leaves what records name, and nothing else") {
    const store_with_catalog held;
    std::vector<row_space> spaces;
    for (int i = 0; i != 4; ++i)
        spaces.push_back(held.store->new_space());
    auto named = demand();
    named.serving.space = spaces[1];
    named.building.space = spaces[2];
    held.apply([&](auto& into) {
        catalog::put(into, "demand", named);
        for (const auto space : spaces) {
            into.put(space, raw("a"), raw("1"));
            catalog::put_checkpoint(into, space, {.done = 1});
        }
        catalog::put_set_aside(into, "mail", set_aside(1));
    });
    REQUIRE(catalog::sweep(*held.store));
    const auto now = held.now();
    for (std::size_t i = 0; i != spaces.size(); ++i) {
        const bool kept = i == 1 || i == 2;
        REQUIRE(all_rows(*now, spaces[i]).size() == (kept ? 1 : 0));
        REQUIRE(catalog::find_checkpoint(*now, spaces[i]).value().has_value() == kept);
    }
    REQUIRE(catalog::find(*now, "demand").value() == named);
    REQUIRE(catalog::set_aside_positions(*now, "mail").value().size() == 1);
    REQUIRE(catalog::sweep(*make_memory_projection_store())); // of nothing
}
