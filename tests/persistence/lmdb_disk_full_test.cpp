#include "failing_disk.hpp"
#include "lmdb_store_verbs.hpp"

#include <optional>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t large = 100'000;

owned_commit large_commit(const std::string& name) {
    auto one = commit_of(name, "cart-" + name);
    one.events[0].payload.resize(large);
    return one;
}

/// Appends until there is no room; returns how many were stored, or nothing if another error came.
std::optional<std::size_t> fill(journal& to) {
    for (std::size_t stored = 0; stored != 10'000; ++stored) {
        const auto result = append_one(to, large_commit(std::to_string(stored)));
        if (!result)
            return result.error().code == errc::disk_full ? std::optional(stored) : std::nullopt;
    }
    return std::nullopt;
}

/// Whether all events are there, readable in both ways.
bool is_intact(const journal& from, std::size_t events) {
    if (from.head() != events || read_log(from).size() != events)
        return false;
    for (std::size_t i = 0; i != events; ++i)
        if (read_upwards(from, "cart-" + std::to_string(i)).size() != 1)
            return false;
    return true;
}

} // namespace

TEST_CASE("a store at its largest size takes no more, and keeps what it has", "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.max_store_bytes = std::size_t{4} << 20;
    std::size_t events = 0;
    {
        const auto journal = open_store(directory.path(), options);
        events = fill(*journal).value();
        REQUIRE(events > 10);
        REQUIRE(is_intact(*journal, events));
        const auto refused = append_one(*journal, large_commit("more"));
        REQUIRE(names_full(refused.error(), "max_store_bytes"));
    }
    REQUIRE(verify_store(directory.path(), options).value().events == events);
    options.max_store_bytes *= 2;
    const auto journal = open_store(directory.path(), options);
    REQUIRE(is_intact(*journal, events));
    REQUIRE(append_one(*journal, large_commit(std::to_string(events))));
    REQUIRE(is_intact(*journal, events + 1));
}

TEST_CASE("a commit for which there is no room breaks its pipeline only", "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.max_store_bytes = std::size_t{2} << 20;
    const auto journal = open_store(directory.path(), options);
    const auto events = fill(*journal).value();
    const auto chain = std::make_shared<pipeline>();
    auto first = large_commit("first");
    auto second = commit_of("second", "cart-0");
    first.pipeline = second.pipeline = chain;
    REQUIRE(append_one(*journal, std::move(first)).error().code == errc::disk_full);
    REQUIRE(chain->broken());
    REQUIRE(append_one(*journal, std::move(second)).error().code == errc::predecessor_failed);
    REQUIRE(is_intact(*journal, events));
}

TEST_CASE("a full disk refuses commits until there is room again", "[lmdb]") {
    const temporary_directory directory;
    require_in_child([&]() -> int {
        if (!mount_small_disk(directory.path(), "8m"))
            return skipped;
        write_bytes(directory.path() / "filler", std::size_t{2} << 20);
        const auto path = directory.path() / "store";
        auto journal = open_store(path);
        const auto events = fill(*journal);
        if (!events || *events < 10 || !is_intact(*journal, *events))
            return 1;
        for (int i = 0; i != 20; ++i) // the store stays in use
            if (!names_full(append_one(*journal, large_commit("more")).error(),
                            "free space on the disk"))
                return 2;
        fs::remove(directory.path() / "filler");
        if (!append_one(*journal, large_commit(std::to_string(*events))))
            return 3;
        if (!is_intact(*journal, *events + 1))
            return 4;
        journal->close();
        const auto report = verify_store(path, small_store());
        return report && report->events == *events + 1 ? 0 : 5;
    });
}

TEST_CASE("opening on a full disk is refused without a trace and without a signal", "[lmdb]") {
    const temporary_directory directory;
    require_in_child([&] {
        return open_on_full_disks(directory.path(),
                                  [](const fs::path& path) { return refusal_to_open(path); });
    });
}

TEST_CASE("a limit on the size of files is a full disk, not a signal", "[lmdb]") {
    const temporary_directory directory;
    require_in_child([&]() -> int {
        const auto path = directory.path() / "store";
        auto journal = open_store(path);
        if (!limit_files(std::size_t{3} << 20))
            return skipped;
        const auto events = fill(*journal);
        if (!events || *events < 10 || !is_intact(*journal, *events))
            return 1;
        if (!names_full(append_one(*journal, large_commit("more")).error(), "ulimit -f"))
            return 4;
        if (!limit_files(RLIM_INFINITY))
            return skipped;
        if (!append_one(*journal, large_commit(std::to_string(*events))))
            return 2;
        journal->close();
        const auto report = verify_store(path, small_store());
        return report && report->events == *events + 1 ? 0 : 3;
    });
}
