#include "lmdb_views_verbs.hpp"
#include "support/little_address_space.hpp"

#include "annals/lmdb_stores.hpp"

#include <pthread.h>
#include <sys/resource.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

void limit_files_to(rlim_t bytes) {
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// While it lives, no thread can be started.
class no_more_threads {
public:
    no_more_threads() {
        pthread_getattr_default_np(&before_);
        pthread_attr_t huge;
        pthread_attr_init(&huge);
        pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
        pthread_setattr_default_np(&huge);
        pthread_attr_destroy(&huge);
    }
    ~no_more_threads() { pthread_setattr_default_np(&before_); }
    no_more_threads(const no_more_threads&) = delete;
    no_more_threads& operator=(const no_more_threads&) = delete;

private:
    pthread_attr_t before_{};
};

bool same(const sigset_t& a, const sigset_t& b) {
    for (int number = 1; number != NSIG; ++number)
        if (sigismember(&a, number) != sigismember(&b, number))
            return false;
    return true;
}

sigset_t blocked_signals() {
    sigset_t now{};
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return now;
}

} // namespace

TEST_CASE("a limit on the size of files is an error, not the end of the process", "[lmdb]") {
    for (const rlim_t limit : {rlim_t{0}, rlim_t{1'000}, rlim_t{20'000}, rlim_t{100'000}}) {
        INFO(limit);
        const temporary_directory directory;
        const auto existing = directory.path() / "existing";
        open_store(existing)->close();
        REQUIRE(in_child([&] {
                    const auto before = blocked_signals();
                    limit_files_to(limit);
                    const auto fresh = refusal_to_open(directory.path() / "fresh");
                    const auto views = refusal_to_open_views(directory.path() / "views");
                    const auto again = refusal_to_open(existing);
                    const auto known = [](errc code) {
                        return code == errc{} || code == errc::disk_full;
                    };
                    if (!known(fresh) || !known(views) || !known(again))
                        return 1;
                    if (limit < 10'000 && fresh != errc::disk_full)
                        return 2;
                    return same(before, blocked_signals()) ? 0 : 3;
                }) == 0);
        REQUIRE(refusal_to_open(existing) == errc{});
    }
}

TEST_CASE("an opening that meets the limit on the size of files names it", "[lmdb]") {
    int refused = 0;
    for (rlim_t limit = 0; limit <= 100'000; limit = 2 * limit + 1'000) {
        INFO(limit);
        const temporary_directory directory;
        const int code = in_child([&] {
            limit_files_to(limit);
            const auto says_so = [](const error& why) {
                return why.code == errc::disk_full &&
                       why.message.find("ulimit -f") != std::string::npos &&
                       why.message.find("free space") == std::string::npos;
            };
            const auto log = open_lmdb_journal(directory.path() / "log", small_store());
            const auto views =
                open_lmdb_projection_store(directory.path() / "views", the_log, small_views());
            if ((!log && !says_so(log.error())) || (!views && !says_so(views.error())))
                return 2;
            return log && views ? 0 : 1;
        });
        REQUIRE(code < 2);
        refused += code;
    }
    REQUIRE(refused > 4);
}

TEST_CASE("an opening that may open no more files says which limit to raise", "[lmdb]") {
    const temporary_directory directory;
    const auto existing = directory.path() / "existing";
    open_store(existing)->close();
    int refused = 0;
    for (rlim_t files = 0; files != 200; ++files) {
        INFO(files);
        const int code = in_child([&] {
            for (int each = 3; each != 200; ++each)
                ::close(each);
            const rlimit limit{files, files};
            ::setrlimit(RLIMIT_NOFILE, &limit);
            for (const auto& path : {existing, directory.path() / "fresh"}) {
                const auto opened = open_lmdb_journal(path, small_store());
                if (!opened)
                    return opened.error().message.find("ulimit -n") != std::string::npos ? 1 : 2;
            }
            return 0;
        });
        REQUIRE(code < 2);
        refused += code;
        if (code == 0)
            break;
        REQUIRE_FALSE(fs::exists(directory.path() / "fresh"));
    }
    REQUIRE(refused > 4);
}

TEST_CASE("two stores for which there is too little address space leave nothing behind", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "store";
    REQUIRE(in_child([&] {
                constexpr auto each = std::size_t{1} << 30;
                if (!only_more_address_space(each + each / 2))
                    return 1;
                const auto opened = open_lmdb_stores(path, small_store(), small_views());
                if (opened || opened.error().code != errc::invalid_argument)
                    return 2;
                const auto& said = opened.error().message;
                return said.find("max_store_bytes") != std::string::npos &&
                               said.find("ulimit -v") != std::string::npos
                           ? 0
                           : 3;
            }) == 0);
    REQUIRE_FALSE(fs::exists(path));
}

TEST_CASE("a store that cannot start its thread is refused, and no signal stays blocked",
          "[lmdb]") {
    const temporary_directory directory;
    REQUIRE(in_child([&] {
                const auto before = blocked_signals();
                {
                    const no_more_threads meanwhile;
                    if (refusal_to_open(directory.path()) != errc::unavailable)
                        return 1;
                    if (refusal_to_open_views(directory.path()) != errc::unavailable)
                        return 2;
                }
                if (!same(before, blocked_signals()))
                    return 3;
                return refusal_to_open(directory.path()) == errc{} &&
                               refusal_to_open_views(directory.path()) == errc{}
                           ? 0
                           : 4;
            }) == 0);
}

TEST_CASE("a process without a thread left goes on storing", "[lmdb]") {
    const temporary_directory directory;
    REQUIRE(in_child([&] {
                auto options = small_store();
                options.cached_streams = 5'000;
                const auto journal = open_store(directory.path(), options);
                const no_more_threads meanwhile;
                std::vector<owned_commit> commits;
                for (int i = 0; i != 12'000; ++i)
                    commits.push_back(commit_of(std::to_string(i), "cart-" + std::to_string(i)));
                for (const auto& stored : append_and_wait(*journal, std::move(commits)))
                    if (!stored)
                        return 1;
                for (int i = 0; i != 300; ++i)
                    if (!append_one(*journal, commit_of("x" + std::to_string(i), "cart-1")))
                        return 2;
                return 0;
            }) == 0);
    REQUIRE(verify_store(directory.path(), small_store()));
}

TEST_CASE("nothing is confirmed into a file that is gone", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "store";
    const auto journal = open_store(path);
    const auto views = open_lmdb_projection_store(path, journal->id(), small_views()).value();
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    REQUIRE(put(*views, 1, {{"a", "1"}}) == "applied");
    std::string happened;
    SECTION("the directory is deleted") {
        fs::remove_all(path);
        happened = "deleted";
    }
    SECTION("the files are deleted") {
        fs::remove(path / "journal.mdb");
        fs::remove(path / "views.mdb");
        happened = "deleted";
    }
    SECTION("the directory is moved") {
        fs::rename(path, directory.path() / "elsewhere");
        happened = "moved";
    }
    SECTION("other files take their place") {
        for (const auto* const file : {"journal.mdb", "views.mdb"}) {
            fs::copy_file(path / file, path / "copy");
            fs::rename(path / file, directory.path() / file);
            fs::rename(path / "copy", path / file);
        }
        happened = "moved or replaced while it was open, and another file is in its place";
    }
    SECTION("copies are renamed over them") {
        for (const auto* const file : {"journal.mdb", "views.mdb"}) {
            fs::copy_file(path / file, path / "copy");
            fs::rename(path / "copy", path / file);
        }
        happened = "deleted or replaced while it was open, and another file is in its place";
    }
    const auto first = append_one(*journal, commit_of("b", "cart-1"));
    REQUIRE(first.error().code == errc::outcome_unknown);
    const auto second = append_one(*journal, commit_of("c", "cart-1"));
    REQUIRE(second.error().code == errc::unavailable);
    REQUIRE_THAT(second.error().message, Catch::Contains(happened));
    REQUIRE(journal->head() == 1);
    row_changes changes;
    changes.put(1, raw("b"), raw("2"));
    REQUIRE(apply_and_wait(*views, changes).error().code == errc::outcome_unknown);
    REQUIRE(apply_and_wait(*views, changes).error().code == errc::unavailable);
    REQUIRE_THAT(apply_and_wait(*views, changes).error().message, Catch::Contains(happened));
}
