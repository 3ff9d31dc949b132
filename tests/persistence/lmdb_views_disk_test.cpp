// What the projection store does when its disk is full, or fails.

#include "failing_disk.hpp"
#include "lmdb_views_verbs.hpp"

#include <future>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

const std::string large(100'000, 'x');

/// Puts large rows into space 1 until there is no room; returns how many, or nothing if another
/// error came.
std::optional<std::size_t> fill(projection_store& to) {
    for (std::size_t count = 0; count != 10'000; ++count) {
        const auto said = put(to, 1, {{std::to_string(count), large}});
        if (said != "applied")
            return said == "disk_full" ? std::optional(count) : std::nullopt;
    }
    return std::nullopt;
}

/// What a large row is refused with.
error refusal(projection_store& by) {
    row_changes more;
    more.put(1, raw("more"), raw(large + large));
    const auto refused = apply_and_wait(by, std::move(more));
    return refused ? error{errc{}, "it was taken"} : refused.error();
}

bool is_intact(const projection_store& from, std::size_t count) {
    const auto all = all_rows(from, 1);
    return all.size() == count &&
           std::ranges::all_of(all, [](const auto& each) { return each.second == large; });
}

} // namespace

TEST_CASE("a projection store at its largest size takes no more, and keeps what it has",
          "[lmdb][views]") {
    const temporary_directory directory;
    auto options = small_views();
    options.max_store_bytes = std::size_t{4} << 20;
    std::size_t count = 0;
    {
        const auto store = open_views(directory.path(), options);
        count = fill(*store).value();
        REQUIRE(count > 10);
        REQUIRE(is_intact(*store, count));
        // A few more may fit: what the refused one would have freed has become room.
        result<void> refused;
        for (; refused; count += refused ? 1U : 0U) {
            REQUIRE(count * large.size() < options.max_store_bytes);
            row_changes more;
            more.put(1, raw("more " + std::to_string(count)), raw(large));
            refused = apply_and_wait(*store, std::move(more));
        }
        REQUIRE(refused.error().code == errc::disk_full);
        REQUIRE_THAT(refused.error().message, Catch::Contains("max_store_bytes"));
        REQUIRE(is_intact(*store, count));
    }
    options.max_store_bytes *= 2;
    const auto store = open_views(directory.path(), options);
    REQUIRE(is_intact(*store, count));
    REQUIRE(put(*store, 1, {{std::to_string(count), large}}) == "applied");
    REQUIRE(is_intact(*store, count + 1));
}

TEST_CASE("a drop for which there is no room did not happen", "[lmdb][views]") {
    const temporary_directory directory;
    auto options = small_views();
    options.max_store_bytes = std::size_t{4} << 20;
    const auto store = open_views(directory.path(), options);
    REQUIRE(put(*store, 2, {{"a", "1"}}) == "applied");
    REQUIRE(fill(*store));
    row_changes changes;
    changes.drop(2);
    changes.put(1, raw("more"), raw(large));
    REQUIRE(said(apply_and_wait(*store, std::move(changes))) == "disk_full");
    REQUIRE(value_of(*store, 2, "a") == "1");
    REQUIRE(put(*store, 2, {{"a", "2"}}) == "applied");
}

TEST_CASE("dropping a space makes room on a store that is full", "[lmdb][views]") {
    const temporary_directory directory;
    auto options = small_views();
    options.max_store_bytes = std::size_t{8} << 20;
    const auto store = open_views(directory.path(), options);
    REQUIRE(fill(*store).value() > 10);
    REQUIRE(drop(*store, 1) == "applied");
    std::size_t refused = 0; // until enough of it is erased, and of the older states is free
    while (put(*store, 2, {{"a", large + large}}) != "applied")
        REQUIRE(++refused < 10'000);
    REQUIRE(all_rows(*store, 1).empty());
}

TEST_CASE("a full disk refuses changes until there is room again", "[lmdb][views]") {
    const temporary_directory directory;
    require_in_child([&]() -> int {
        if (!mount_small_disk(directory.path(), "8m"))
            return skipped;
        write_bytes(directory.path() / "filler", std::size_t{2} << 20);
        const auto path = directory.path() / "store";
        auto store = open_views(path);
        auto count = fill(*store);
        if (!count || *count < 10 || !is_intact(*store, *count))
            return 1;
        int refused = 0;
        for (int i = 0; i != 20; ++i) // the store stays in use
            if (const auto said = put(*store, 1, {{std::to_string(*count), large}});
                said == "applied") // what the failed ones had freed is room now
                ++*count;
            else if (said == "disk_full")
                ++refused;
            else
                return 2;
        if (refused < 10 || !is_intact(*store, *count))
            return 5;
        if (!names_full(refusal(*store), "free space on the disk"))
            return 6;
        fs::remove(directory.path() / "filler");
        if (put(*store, 1, {{std::to_string(*count), large}}) != "applied")
            return 3;
        store.reset();
        return is_intact(*open_views(path), *count + 1) ? 0 : 4;
    });
}

TEST_CASE("opening a projection store on a full disk is refused without a trace", "[lmdb][views]") {
    const temporary_directory directory;
    require_in_child([&] {
        return open_on_full_disks(directory.path(),
                                  [](const fs::path& path) { return refusal_to_open_views(path); });
    });
}

TEST_CASE("a limit on the size of files is a full disk for the projection store", "[lmdb][views]") {
    const temporary_directory directory;
    require_in_child([&]() -> int {
        auto store = open_views(directory.path());
        if (!limit_files(std::size_t{3} << 20))
            return skipped;
        const auto count = fill(*store);
        if (!count || *count < 10 || !is_intact(*store, *count))
            return 1;
        if (!names_full(refusal(*store), "ulimit -f"))
            return 4;
        if (!limit_files(RLIM_INFINITY))
            return skipped;
        if (put(*store, 1, {{std::to_string(*count), large}}) != "applied")
            return 2;
        return is_intact(*store, *count + 1) ? 0 : 3;
    });
}

TEST_CASE("a failing disk stops the projection store: unknown once, unavailable from then on",
          "[lmdb][views]") {
    for (const auto which : {written_by::pages_descriptor, written_by::meta_descriptor}) {
        const temporary_directory directory;
        auto store = open_views(directory.path());
        REQUIRE(put(*store, 1, {{"a", "1"}}) == "applied");
        fail_writes(directory.path() / "views.mdb", which);
        REQUIRE(put(*store, 1, {{"a", "2"}}) == "outcome_unknown");
        REQUIRE(put(*store, 1, {{"b", "2"}}) == "unavailable");
        REQUIRE(drop(*store, 1) == "unavailable");
        const auto value = value_of(*store, 1, "a");
        REQUIRE((value == "1" || value == "unavailable"));
        store->close();
        store = open_views(directory.path());
        const auto found = value_of(*store, 1, "a");
        REQUIRE((found == "1" || found == "2"));
        REQUIRE(value_of(*store, 1, "b") == "-");
        REQUIRE(put(*store, 1, {{"a", "3"}}) == "applied");
    }
}

TEST_CASE("a disk that fails while rows are erased stops the projection store", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    fill_space(*store, 1, 20'000);
    row_changes changes;
    changes.drop(1);
    std::promise<void> failing;
    store->apply(std::move(changes), [&](const result<void>&) {
        fail_writes(directory.path() / "views.mdb", written_by::pages_descriptor);
        failing.set_value();
    });
    failing.get_future().get();
    std::string said = "applied";
    for (int i = 0; i != 2 && said != "unavailable"; ++i) // the first may come before the erasing
        said = put(*store, 2, {{"a", "1"}});
    REQUIRE(said == "unavailable");
    REQUIRE(value_of(*store, 2, "a") != "1");
}
