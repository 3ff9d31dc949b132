#include "lmdb_views_verbs.hpp"

#include "lmdb/file/exclusive_opening.hpp"

#include <array>
#include <atomic>
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

/// A journal to the code that opens files, with a word for the test at three places.
struct observed_journal final : lmdb::file_kind {
    std::function<void()> on_look = [] {};
    std::function<result<void>()> on_missing = [] { return result<void>(); };
    std::function<void()> on_check = [] {};

    [[nodiscard]] const char* file_name() const noexcept override {
        on_look();
        return "journal.mdb";
    }
    [[nodiscard]] const char* lock_file_name() const noexcept override { return "annals.lock"; }
    [[nodiscard]] std::string_view remedy() const noexcept override { return "none"; }
    [[nodiscard]] std::span<const lmdb::expected_table> tables() const noexcept override {
        static constexpr std::array<lmdb::expected_table, 4> all = {
            {{.name = "log", .flags = MDB_INTEGERKEY},
             {.name = "meta", .flags = 0},
             {.name = "heads", .flags = 0, .derived = true},
             {.name = "sums", .flags = 0, .derived = true}}};
        return all;
    }
    [[nodiscard]] result<void> check_missing(const fs::path& /*directory*/) const override {
        return on_missing();
    }
    [[nodiscard]] result<void> check(MDB_env* /*env*/) const override {
        on_check();
        return {};
    }
    [[nodiscard]] result<void> fill(MDB_txn* /*txn*/) const override { return {}; }
};

lmdb::opening_options waits_at_most(std::chrono::milliseconds longest) {
    return {.max_store_bytes = small_store().max_store_bytes, .wait_for_lock = longest};
}

/// Something that one thread waits for and another one does. The wait ends in any case.
class signal_between_threads {
public:
    void give() {
        if (!given_.exchange(true))
            promise_.set_value();
    }
    void await() const { static_cast<void>(future_.wait_for(std::chrono::seconds(20))); }

private:
    std::atomic<bool> given_{false};
    std::promise<void> promise_;
    std::shared_future<void> future_ = promise_.get_future().share();
};

/// Runs `body` in as many processes, which begin together, and returns how many of them answered 0.
int succeed_together(int processes, const std::function<int()>& body) {
    std::array<int, 2> gate{};
    REQUIRE(::pipe(gate.data()) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i != processes; ++i) {
        children.push_back(fork_beside_sleepers());
        if (children.back() != 0)
            continue;
        ::close(gate[1]);
        char nothing = 0;
        int code = 98;
        if (::read(gate[0], &nothing, 1) == 0) // the gate is open once its other end is closed
            try {
                code = body();
            } catch (...) {
                code = 97;
            }
        ::_exit(code);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    int succeeded = 0;
    for (const auto child : children) {
        int status = 0;
        if (::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            ++succeeded;
    }
    return succeeded;
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

TEST_CASE("processes that open a new directory at once all get their turn", "[lmdb]") {
    const temporary_directory directory;
    auto patient = small_store();
    patient.wait_for_lock = std::chrono::seconds(20);
    for (int round = 0; round != 6; ++round) {
        INFO("round " << round);
        const auto store = directory.path() / std::to_string(round) / "store";
        REQUIRE(succeed_together(8, [&] {
                    const auto journal = open_lmdb_journal(store, patient);
                    if (!journal)
                        return static_cast<int>(journal.error().code);
                    return append_one(**journal, commit_of(std::to_string(::getpid()), "cart-1"))
                               ? 0
                               : 96;
                }) == 8);
        REQUIRE(open_store(store)->head() == 8);
    }
}

TEST_CASE("who finds that another one made the store waits for it without its other lock",
          "[lmdb]") {
    const temporary_directory directory;
    signal_between_threads opener_has_data;
    signal_between_threads creator_has_lock_file;
    observed_journal to_open;
    to_open.on_check = [&] { // with the data file locked, and before the lock file is
        opener_has_data.give();
        creator_has_lock_file.await();
    };
    std::future<bool> opener;
    observed_journal to_create;
    to_create.on_missing = [&] {
        open_store(directory.path())->close();
        opener = std::async(std::launch::async, [&] {
            return lmdb::open_exclusively(directory.path(), to_open,
                                          waits_at_most(std::chrono::seconds(5)))
                .has_value();
        });
        opener_has_data.await();
        // The creator looks again when it has the lock file.
        to_create.on_look = [&] { creator_has_lock_file.give(); };
        return result<void>();
    };
    REQUIRE(lmdb::open_exclusively(directory.path(), to_create,
                                   waits_at_most(std::chrono::seconds(20))));
    REQUIRE(opener.get());
}

TEST_CASE("a store that is made during the look at what lies beside it is opened", "[lmdb]") {
    const temporary_directory directory;
    const auto before = contents_of(directory.path());
    const error beside{errc::not_a_store, "holds views.mdb, but no log"};
    observed_journal kind;
    kind.on_missing = [&] { return result<void>(beside); };
    REQUIRE(lmdb::open_exclusively(directory.path(), kind, waits_at_most({})).error().message ==
            beside.message);
    REQUIRE(contents_of(directory.path()) == before);

    kind.on_missing = [&] {
        REQUIRE(append_one(*open_store(directory.path()), commit_of("a", "cart-1")));
        return result<void>(beside);
    };
    REQUIRE(lmdb::open_exclusively(directory.path(), kind, waits_at_most({})));
    REQUIRE(open_store(directory.path())->head() == 1);
}

TEST_CASE("what lies beside a missing store is looked at again before one is made", "[lmdb]") {
    const temporary_directory directory;
    const auto before = contents_of(directory.path());
    int looks = 0;
    observed_journal kind;
    kind.on_missing = [&] {
        return ++looks == 1 ? result<void>() : result<void>(error{errc::not_a_store, "beside"});
    };
    const auto opened = lmdb::open_exclusively(directory.path(), kind, waits_at_most({}));
    REQUIRE_FALSE(opened);
    REQUIRE(opened.error().code == errc::not_a_store);
    REQUIRE(contents_of(directory.path()) == before);
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
