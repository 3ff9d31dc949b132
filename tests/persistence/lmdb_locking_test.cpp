#include "lmdb_views_verbs.hpp"

#include <future>
#include <latch>

#include <sys/stat.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
}

} // namespace

TEST_CASE("a link to the data file in another directory opens nothing a second time", "[lmdb]") {
    const temporary_directory directory;
    const auto store = directory.path() / "store";
    const auto journal = open_store(store);
    const auto views = open_lmdb_projection_store(store, journal->id(), small_views()).value();
    const auto refused = [&](const fs::path& other) {
        REQUIRE(refusal_to_open(other) == errc::in_use);
        REQUIRE(verify_store(other, small_store()).error().code == errc::in_use);
        REQUIRE(open_lmdb_projection_store(other, journal->id(), small_views()).error().code ==
                errc::in_use);
        REQUIRE(in_child([&] { return static_cast<int>(refusal_to_open(other)); }) ==
                static_cast<int>(errc::in_use));
    };
    for (const auto* const kind : {"hard", "symbolic"}) {
        INFO(kind);
        const auto other = directory.path() / kind;
        fs::create_directory(other);
        for (const auto* const file : {"journal.mdb", "views.mdb"})
            if (other.filename() == "hard")
                fs::create_hard_link(store / file, other / file);
            else
                fs::create_symlink(store / file, other / file);
        const auto before = contents_of(other);
        refused(other);
        REQUIRE(contents_of(other) == before);
    }
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
}

TEST_CASE("a symbolic link to a store that is closed opens it, with one table of readers",
          "[lmdb]") {
    const temporary_directory directory;
    REQUIRE(append_one(*open_store(directory.path() / "store"), commit_of("a", "cart-1")));
    const auto other = directory.path() / "other";
    fs::create_directory(other);
    fs::create_symlink(directory.path() / "store" / "journal.mdb", other / "journal.mdb");
    REQUIRE(open_store(other)->head() == 1);
    REQUIRE_FALSE(fs::exists(other / "journal.mdb-lock"));
}

TEST_CASE("deleting the lock files lets nobody into an open store", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    const auto views =
        open_lmdb_projection_store(directory.path(), journal->id(), small_views()).value();
    for (const auto* const file :
         {"annals.lock", "views.lock", "journal.mdb-lock", "views.mdb-lock"})
        fs::remove(directory.path() / file);
    const auto second = [&] {
        return refusal_to_open(directory.path()) == errc::in_use &&
               open_lmdb_projection_store(directory.path(), journal->id(), small_views())
                       .error()
                       .code == errc::in_use;
    };
    REQUIRE(second());
    REQUIRE(in_child([&] { return second() ? 0 : 1; }) == 0);
    // Both gone: the name leads to nothing, but whoever has it keeps the place.
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
}

TEST_CASE("an opening waits for the lock as long as it may", "[lmdb]") {
    const temporary_directory directory;
    auto journal = open_store(directory.path());
    auto views = open_lmdb_projection_store(directory.path(), journal->id(), small_views()).value();
    const auto id = journal->id();
    auto a_moment = small_store();
    a_moment.wait_for_lock = std::chrono::milliseconds(5);
    REQUIRE(refusal_to_open(directory.path(), a_moment) == errc::in_use);

    auto patient = small_store();
    patient.wait_for_lock = std::chrono::milliseconds::max();
    auto patient_views = small_views();
    patient_views.wait_for_lock = std::chrono::hours(1);
    std::latch opening(3);
    auto next = std::async(std::launch::async, [&] {
        opening.arrive_and_wait();
        return open_lmdb_journal(directory.path(), patient);
    });
    auto next_views = std::async(std::launch::async, [&] {
        opening.arrive_and_wait();
        return open_lmdb_projection_store(directory.path(), id, patient_views);
    });
    opening.arrive_and_wait();
    for (int i = 0; i != 50; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
    journal->close();
    views->close();
    REQUIRE(next.get().value()->head() == 50);
    REQUIRE(next_views.get());
}

TEST_CASE("programs that run side by side and wait for the lock all get their turn", "[lmdb]") {
    const temporary_directory directory;
    auto patient = small_store();
    patient.wait_for_lock = std::chrono::minutes(1);
    std::vector<std::future<bool>> runs;
    for (int run = 0; run != 3; ++run)
        runs.push_back(std::async(std::launch::async, [&, run] {
            for (int i = 0; i != 10; ++i) {
                const auto journal = open_lmdb_journal(directory.path(), patient);
                if (!journal ||
                    !append_one(**journal, commit_of(std::to_string(run * 100 + i), "cart-1")))
                    return false;
            }
            return true;
        }));
    for (auto& run : runs)
        REQUIRE(run.get());
    REQUIRE(open_store(directory.path())->head() == 30);
}

TEST_CASE("what annals makes is its owner's alone", "[lmdb]") {
    const temporary_directory directory;
    const auto old = ::umask(0);
    const auto store = directory.path() / "above" / "store";
    {
        const auto journal = open_store(store);
        const auto views = open_lmdb_projection_store(store, journal->id(), small_views()).value();
    }
    ::umask(old);
    REQUIRE(mode_of(store) == 0700);
    REQUIRE(mode_of(store.parent_path()) == 0700);
    for (const auto& entry : fs::directory_iterator(store)) {
        INFO(entry.path());
        REQUIRE(mode_of(entry.path()) == 0600);
    }
}
