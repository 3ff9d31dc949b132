#include "lmdb_views_verbs.hpp"

#include "lmdb/file/varint.hpp"

#include <array>

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

/// Another process that has a store's file open by LMDB's own means, with a snapshot, until it is
/// killed.
class reading_process {
public:
    explicit reading_process(const fs::path& file) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe(ready.data()) == 0);
        process_ = fork_beside_sleepers();
        if (process_ == 0) {
            MDB_env* env = nullptr;
            MDB_txn* txn = nullptr;
            mdb_env_create(&env);
            mdb_env_set_maxdbs(env, 8);
            mdb_env_set_mapsize(env, std::size_t{1} << 30);
            const bool reads =
                mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_RDONLY | MDB_NOTLS, 0) == 0 &&
                mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0;
            [[maybe_unused]] const auto told = ::write(ready[1], reads ? "y" : "n", 1);
            for (;;)
                ::pause();
        }
        char answer = 'n';
        REQUIRE(::read(ready[0], &answer, 1) == 1);
        REQUIRE(answer == 'y');
        ::close(ready[0]);
        ::close(ready[1]);
    }
    ~reading_process() { kill(); }
    reading_process(const reading_process&) = delete;
    reading_process& operator=(const reading_process&) = delete;

    void kill() {
        if (process_ == 0)
            return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
    }
    void stop() const {
        ::kill(process_, SIGSTOP);
        ::waitpid(process_, nullptr, WUNTRACED);
    }
    [[nodiscard]] std::string id() const { return std::to_string(process_); }

private:
    pid_t process_ = 0;
};

lmdb_options quick_store() {
    auto options = small_store();
    options.unsafe_no_sync = true;
    return options;
}

/// By how much single commits let the file grow.
std::uintmax_t growth(journal& to, const fs::path& file, int commits) {
    static int number = 0;
    const auto before = fs::file_size(file);
    for (int i = 0; i != commits; ++i)
        REQUIRE(append_one(to, commit_of(std::to_string(++number), "cart-1")));
    return fs::file_size(file) - before;
}

constexpr std::uintmax_t mebibyte = std::uintmax_t{1} << 20;

} // namespace

TEST_CASE("a reader that was killed does not let the files grow", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path(), quick_store());
    const auto file = directory.path() / "journal.mdb";
    REQUIRE(growth(*journal, file, 2'000) < 2 * mebibyte);
    {
        reading_process reader(file);
        reader.kill();
    }
    REQUIRE(growth(*journal, file, 2'000) < 2 * mebibyte);

    auto options = small_views();
    options.unsafe_no_sync = true;
    const auto views = open_lmdb_projection_store(directory.path(), journal->id(), options).value();
    const auto views_file = directory.path() / "views.mdb";
    REQUIRE(put(*views, 1, {{"a", "1"}}) == "applied");
    {
        reading_process reader(views_file);
        reader.kill();
    }
    for (int i = 0; i != 2'000; ++i)
        REQUIRE(put(*views, 1, {{"a", std::to_string(i)}}) == "applied");
    REQUIRE(fs::file_size(views_file) < 2 * mebibyte);
}

TEST_CASE("a dead reader is swept at opening beside one that lives", "[lmdb]") {
    const temporary_directory directory;
    const auto file = directory.path() / "journal.mdb";
    open_store(directory.path(), quick_store())->close();
    reading_process living(file);
    {
        reading_process reader(file);
        reader.kill();
    }
    const auto journal = open_store(directory.path(), quick_store());
    living.kill();
    REQUIRE(growth(*journal, file, 2'000) < 2 * mebibyte);
    REQUIRE(journal->warnings().empty());
}

TEST_CASE("a reader that is stopped is named, until it ends", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path(), quick_store());
    const auto file = directory.path() / "journal.mdb";
    REQUIRE(journal->warnings().empty());
    reading_process reader(file);
    reader.stop();
    REQUIRE(growth(*journal, file, 900) != 0);
    REQUIRE(journal->warnings().empty()); // a backup may take its time
    REQUIRE(growth(*journal, file, 200) != 0);
    const auto told = journal->warnings();
    REQUIRE(told.size() == 1);
    REQUIRE_THAT(told[0], Catch::Contains("process " + reader.id()) && Catch::Contains("end it"));
    reader.kill();
    REQUIRE(growth(*journal, file, 2'000) < 2 * mebibyte);
    REQUIRE(journal->warnings().empty());
    journal->close();
    REQUIRE(journal->warnings().empty());
}

TEST_CASE("the last commit is there after a kill, beside a program that still reads", "[lmdb]") {
    const temporary_directory directory;
    const auto file = directory.path() / "journal.mdb";
    REQUIRE(append_one(*open_store(directory.path()), commit_of("a", "cart-1")));
    const reading_process reader(file);
    REQUIRE(in_child([&]() -> int { // dies with it open: nothing is written after the commit
                const auto journal = open_store(directory.path());
                ::_exit(append_one(*journal, commit_of("b", "cart-1")) ? 0 : 1);
            }) == 0);
    // As if the process had been killed between writing the last transaction and noting it.
    const auto table = ::open((directory.path() / "journal.mdb-lock").c_str(), O_RDWR);
    const auto offset = static_cast<off_t>(8 + sizeof(pthread_mutex_t));
    std::array<std::byte, 8> noted{};
    REQUIRE(::pread(table, noted.data(), noted.size(), offset) == 8);
    lmdb::put_fixed(noted.data(), lmdb::get_fixed<std::uint64_t>(noted.data()) - 1);
    REQUIRE(::pwrite(table, noted.data(), noted.size(), offset) == 8);
    ::close(table);

    const auto journal = open_store(directory.path());
    REQUIRE(journal->head() == 2);
    REQUIRE(append_one(*journal, commit_of("c", "cart-1")));
    journal->close();
    REQUIRE(verify_store(directory.path(), small_store()).value().events == 3);
}
