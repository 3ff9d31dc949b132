#include "lmdb_store_verbs.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/file/store_identity.hpp"
#include "lmdb/file/varint.hpp"
#include "lmdb/journal/record_format.hpp"

#include <fcntl.h>
#include <sys/stat.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

/// Changes the environment in `directory` by LMDB's own means.
void edit(const fs::path& directory, const std::function<void(MDB_txn*)>& change) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    const lmdb::env_handle owner(env);
    mdb_env_set_maxdbs(env, 8);
    mdb_env_set_mapsize(env, std::size_t{1} << 24);
    REQUIRE(mdb_env_open(env, (directory / "journal.mdb").c_str(), MDB_NOSUBDIR | MDB_NOLOCK,
                         0600) == 0);
    lmdb::txn_handle txn;
    REQUIRE(lmdb::begin_txn(env, 0, txn) == 0);
    change(txn.get());
    REQUIRE(lmdb::commit_txn(txn) == 0);
}

void put(MDB_txn* txn, const char* table, std::string_view key, bytes_view value) {
    MDB_dbi opened = 0;
    REQUIRE(mdb_dbi_open(txn, table, MDB_CREATE, &opened) == 0);
    auto k = lmdb::as_value(key);
    auto v = lmdb::as_value(value);
    REQUIRE(mdb_put(txn, opened, &k, &v, 0) == 0);
}

} // namespace

TEST_CASE("a store is created with the directories above it", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "a" / "b.store";
    {
        const auto journal = open_store(path);
        REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    }
    REQUIRE(open_store(path)->head() == 1);
    REQUIRE(fs::exists(path / "journal.mdb"));
    REQUIRE_FALSE(fs::exists(path / "journal.mdb.new"));
}

TEST_CASE("a store that is missing is not created unasked", "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.create = false;
    REQUIRE(refusal_to_open(directory.path() / "none", options) == errc::not_a_store);
    REQUIRE(refusal_to_open(directory.path(), options) == errc::not_a_store);
    REQUIRE(contents_of(directory.path()).empty());
}

TEST_CASE("a creation that was interrupted is begun anew", "[lmdb]") {
    const temporary_directory directory;
    write_file(directory.path() / "journal.mdb.new", "half of a store");
    write_file(directory.path() / "annals.lock", "12345\n");
    const auto journal = open_store(directory.path());
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    REQUIRE_FALSE(fs::exists(directory.path() / "journal.mdb.new"));
}

TEST_CASE("a store is open once in a process", "[lmdb]") {
    const temporary_directory directory;
    auto journal = open_store(directory.path());
    const auto again = open_lmdb_journal(directory.path(), small_store());
    REQUIRE(again.error().code == errc::in_use);
    REQUIRE(again.error().message.find(std::to_string(::getpid())) != std::string::npos);
    fs::create_directory_symlink(directory.path(), directory.path() / "link");
    REQUIRE(refusal_to_open(directory.path() / "link") == errc::in_use);
    REQUIRE(verify_store(directory.path(), small_store()).error().code == errc::in_use);
    // The refused openings did not loosen the lock.
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    REQUIRE(refusal_to_open(directory.path()) == errc::in_use);
    journal->close();
    journal = open_store(directory.path());
    REQUIRE(journal->head() == 1);
}

TEST_CASE("a store is open in one process at a time", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "store";
    const auto try_to_open = [&] { return static_cast<int>(refusal_to_open(path)); };
    auto journal = open_store(path);
    REQUIRE(in_child(try_to_open) == static_cast<int>(errc::in_use));
    journal->close();
    REQUIRE(in_child(try_to_open) == 0); // and dies with it open
    REQUIRE(refusal_to_open(path) == errc{});
}

TEST_CASE("a path that is a file is not a store", "[lmdb]") {
    const temporary_directory directory;
    write_file(directory.path() / "file", "text");
    const auto before = contents_of(directory.path());
    REQUIRE(refusal_to_open(directory.path() / "file") == errc::not_a_store);
    REQUIRE(refusal_to_open(directory.path() / "file" / "below") != errc{});
    REQUIRE(contents_of(directory.path()) == before);
}

TEST_CASE("a data file of another kind is refused and left alone", "[lmdb]") {
    const temporary_directory directory;
    const auto file = directory.path() / "journal.mdb";
    for (const auto& content : {std::string(), std::string("text"), std::string(100'000, 'x'),
                                std::string(8'192, '\0')}) {
        write_file(file, content);
        const auto before = contents_of(directory.path());
        REQUIRE(refusal_to_open(directory.path()) == errc::not_a_store);
        REQUIRE(verify_store(directory.path(), small_store()).error().code == errc::not_a_store);
        REQUIRE(contents_of(directory.path()) == before);
    }
    fs::remove(file);
    fs::create_directory(file);
    REQUIRE(refusal_to_open(directory.path()) == errc::not_a_store);
}

TEST_CASE("an LMDB environment of another program is refused and left alone", "[lmdb]") {
    const temporary_directory directory;
    const auto require_refused = [&] {
        const auto before = contents_of(directory.path());
        REQUIRE(refusal_to_open(directory.path()) == errc::not_a_store);
        REQUIRE(contents_of(directory.path()) == before);
    };
    edit(directory.path(), [](MDB_txn* txn) { put(txn, "users", "17", payload("x")); });
    require_refused();
    edit(directory.path(), [](MDB_txn* txn) {
        for (const auto* table : {"log", "heads", "meta"})
            put(txn, table, "key", payload("value"));
    });
    require_refused();
    edit(directory.path(), [](MDB_txn* txn) { put(txn, "meta", "store", payload("something")); });
    require_refused();
}

TEST_CASE("a store of another format version is refused by naming both", "[lmdb]") {
    const temporary_directory directory;
    open_store(directory.path())->close();
    edit(directory.path(), [](MDB_txn* txn) {
        auto identity = lmdb::encode_identity({}, lmdb::format_version);
        lmdb::put_fixed(identity.data() + 8, std::uint32_t{7});
        put(txn, "meta", "store", identity);
    });
    const auto before = contents_of(directory.path());
    const auto refused = open_lmdb_journal(directory.path(), small_store());
    REQUIRE(refused.error().code == errc::incompatible_format);
    REQUIRE(refused.error().message.find("version 7") != std::string::npos);
    REQUIRE(refused.error().message.find("version " + std::to_string(lmdb::format_version)) !=
            std::string::npos);
    auto after = contents_of(directory.path());
    REQUIRE(after.at("journal.mdb") == before.at("journal.mdb"));
    REQUIRE(after.size() == before.size());
}

TEST_CASE("a damaged identity is corruption, not another program's", "[lmdb]") {
    auto identity =
        lmdb::encode_identity({uuid::of_name("store"), timestamp{}}, lmdb::format_version);
    REQUIRE(lmdb::decode_identity(identity, lmdb::format_version));
    for (std::size_t bit = 0; bit != identity.size() * 8; ++bit) {
        auto damaged = identity;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto read = lmdb::decode_identity(damaged, lmdb::format_version);
        REQUIRE_FALSE(read);
        const auto expected = bit < 64   ? errc::not_a_store
                              : bit < 96 ? errc::incompatible_format
                                         : errc::corrupt;
        REQUIRE(read.error().code == expected);
    }
}

TEST_CASE("a store that lost its end is refused", "[lmdb]") {
    const temporary_directory directory;
    {
        const auto journal = open_store(directory.path());
        for (int i = 0; i != 8; ++i) {
            auto large = commit_of(std::to_string(i), "cart-1");
            large.events[0].payload.resize(500'000);
            REQUIRE(append_one(*journal, std::move(large)));
        }
    }
    const auto file = directory.path() / "journal.mdb";
    fs::resize_file(file, fs::file_size(file) / 2);
    const auto cut_off = contents_of(directory.path());
    REQUIRE(refusal_to_open(directory.path()) == errc::corrupt);
    REQUIRE(contents_of(directory.path()).at("journal.mdb") == cut_off.at("journal.mdb"));
}

TEST_CASE("missing permission is its own error", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "store";
    open_store(path)->close();
    const auto refused = [&] {
        return in_child([&] {
            if (::geteuid() == 0 && ::seteuid(65534) != 0)
                return 0;
            return static_cast<int>(refusal_to_open(path));
        });
    };
    fs::permissions(directory.path(), fs::perms::all);
    fs::permissions(path, fs::perms::all);
    for (const auto& entry : fs::directory_iterator(path))
        fs::permissions(entry.path(), fs::perms::all);
    if (::geteuid() == 0)
        REQUIRE(refused() == 0); // the other user gets in as long as he may
    const auto denied = static_cast<int>(errc::permission_denied);
    fs::permissions(path / "journal.mdb", fs::perms::owner_read);
    REQUIRE(refused() == denied);
    fs::permissions(path / "journal.mdb", fs::perms::all);
    fs::permissions(path / "annals.lock", fs::perms::none);
    REQUIRE(refused() == denied);
    fs::permissions(path / "annals.lock", fs::perms::all);
    fs::permissions(path, fs::perms::none);
    REQUIRE(refused() == denied);
    fs::permissions(path, fs::perms::owner_all);
}

TEST_CASE("options out of range are refused before anything is touched", "[lmdb]") {
    const temporary_directory directory;
    const std::vector<std::function<void(lmdb_options&)>> wrong = {
        [](lmdb_options& o) { o.max_event_bytes = 0; },
        [](lmdb_options& o) { o.max_event_bytes = (std::size_t{16} << 20) + 1; },
        [](lmdb_options& o) { o.max_batch_bytes = 0; },
        [](lmdb_options& o) { o.max_batch_bytes = (std::size_t{16} << 20) + 1; },
        [](lmdb_options& o) { o.max_batch_commits = 0; },
        [](lmdb_options& o) { o.max_store_bytes = 1; },
        [](lmdb_options& o) { o.max_queued_bytes = 0; },
        [](lmdb_options& o) { o.wait_for_lock = std::chrono::milliseconds(-1); },
    };
    for (const auto& change : wrong) {
        auto options = small_store();
        change(options);
        REQUIRE(refusal_to_open(directory.path(), options) == errc::invalid_argument);
    }
    REQUIRE(contents_of(directory.path()).empty());
}

TEST_CASE("no file of the store stays open in programs that the host starts", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    std::size_t seen = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        const auto target = fs::read_symlink(entry.path(), ignored);
        if (target.string().find(directory.path().string()) != 0)
            continue;
        ++seen;
        const auto flags = ::fcntl(std::stoi(entry.path().filename()), F_GETFD);
        INFO(target);
        REQUIRE((flags & FD_CLOEXEC) != 0);
    }
    REQUIRE(seen >= 3);
}

TEST_CASE("LMDB's lock file has all its blocks before it is mapped", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    struct stat status {};
    REQUIRE(::stat((directory.path() / "journal.mdb-lock").c_str(), &status) == 0);
    REQUIRE(status.st_blocks * 512 >= status.st_size);
    // LMDB would have made it longer if it wanted more.
    REQUIRE(status.st_size == 64 * (1'024 + 2));
}

TEST_CASE("what the system and LMDB refuse is told with what to do", "[lmdb]") {
    for (const int number : {ENOENT, EACCES, EIO, ENOSPC, ENAMETOOLONG})
        REQUIRE_THAT(lmdb::system_error(number, "cannot open", "shop.db").message,
                     Catch::StartsWith("cannot open \"shop.db\": ") && Catch::Contains("; "));
    for (int rc = MDB_KEYEXIST; rc <= MDB_LAST_ERRCODE; ++rc)
        REQUIRE_THAT(lmdb::lmdb_error(rc, "cannot open").message,
                     Catch::StartsWith("cannot open: ") && Catch::Contains("; "));
}
