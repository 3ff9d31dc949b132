#include "lmdb_store_verbs.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/journal/log_table.hpp"

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// Key and value of every entry in a table of a closed store, as LMDB has them.
std::map<std::string, std::string> entries_of(const fs::path& directory, const char* table) {
    MDB_env* raw = nullptr;
    REQUIRE(mdb_env_create(&raw) == 0);
    const lmdb::env_handle env(raw);
    mdb_env_set_maxdbs(raw, 8);
    mdb_env_set_mapsize(raw, std::size_t{1} << 30);
    REQUIRE(mdb_env_open(raw, (directory / "journal.mdb").c_str(),
                         MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0) == 0);
    lmdb::txn_handle txn;
    REQUIRE(lmdb::begin_txn(raw, MDB_RDONLY, txn) == 0);
    MDB_dbi opened = 0;
    REQUIRE(mdb_dbi_open(txn.get(), table, 0, &opened) == 0);
    lmdb::cursor_handle cursor;
    REQUIRE(lmdb::open_cursor(txn.get(), opened, cursor) == 0);
    std::map<std::string, std::string> all;
    MDB_val key{};
    MDB_val value{};
    for (auto step = MDB_FIRST; mdb_cursor_get(cursor.get(), &key, &value, step) == 0;
         step = MDB_NEXT)
        all.emplace(lmdb::as_text(key), lmdb::as_text(value));
    return all;
}

/// A closed store of 300 or so events, and its data file.
struct stored_events {
    temporary_directory directory;
    fs::path file = directory.path() / "journal.mdb";
    log_position head = 0;

    explicit stored_events(std::mt19937_64& random) {
        const auto journal = open_store(directory.path());
        append_randomly(*journal, random, 120, 20);
        head = journal->head();
    }
    /// On purpose: without the note of what was stored since.
    void put_back(const std::string& content) const {
        write_file(file, content);
        fs::remove(directory.path() / "journal.tail");
    }
};

bool is_damage(const error& why) {
    return why.code == errc::corrupt;
}

} // namespace

TEST_CASE("a flipped bit in a record is found by every way of reading it", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const stored_events store(random);
    const auto records = entries_of(store.directory.path(), "log");
    REQUIRE(records.size() == store.head);
    const auto original = read_file(store.file);
    for (int i = 0; i != 60; ++i) {
        const auto chosen =
            std::next(records.begin(), static_cast<std::ptrdiff_t>(random() % store.head));
        const auto position = lmdb::position_of(lmdb::as_value(chosen->first));
        const auto event =
            lmdb::parse_record(position, lmdb::as_bytes(lmdb::as_value(chosen->second))).value();
        const auto at = original.find(chosen->second);
        REQUIRE(at != std::string::npos);
        auto damaged = original;
        // LMDB keeps pages it no longer uses: every copy of the record is damaged alike.
        const auto byte = random() % chosen->second.size();
        const auto mask = static_cast<char>(1U << random() % 8);
        for (auto copy = at; copy != std::string::npos;
             copy = original.find(chosen->second, copy + 1))
            damaged[copy + byte] = static_cast<char>(damaged[copy + byte] ^ mask);
        write_file(store.file, damaged);

        REQUIRE(is_damage(verify_store(store.directory.path(), small_store()).error()));
        const auto journal = open_store(store.directory.path());
        const auto page = journal->read_all(position - 1, 1);
        REQUIRE(is_damage(page.error()));
        REQUIRE(page.error().actual == position);
        const auto stream = std::string(event.stream);
        REQUIRE(is_damage(journal->read_stream(stream, event.version, 1).error()));
        REQUIRE(is_damage(
            journal->read_stream(stream, ~stream_version{0}, 1'000, direction::backward).error()));
        // Nothing else is affected.
        if (position > 1)
            REQUIRE(journal->read_all(0, position - 1).value().through == position - 1);
        REQUIRE(journal->read_all(position, 1'000).value().at_end);
        REQUIRE(append_one(*journal, commit_of("new", "another-1")));
        journal->close();
        store.put_back(original);
    }
}

TEST_CASE("a record that is missing from the log is missed", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const stored_events store(random);
    const log_position missing = 1 + random() % (store.head - 1);
    {
        MDB_env* raw = nullptr;
        REQUIRE(mdb_env_create(&raw) == 0);
        const lmdb::env_handle env(raw);
        mdb_env_set_maxdbs(raw, 8);
        REQUIRE(mdb_env_open(raw, store.file.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600) == 0);
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(raw, 0, txn) == 0);
        MDB_dbi log = 0;
        REQUIRE(mdb_dbi_open(txn.get(), "log", MDB_INTEGERKEY, &log) == 0);
        std::size_t number = missing;
        MDB_val key{sizeof number, &number};
        REQUIRE(mdb_del(txn.get(), log, &key, nullptr) == 0);
        REQUIRE(lmdb::commit_txn(txn) == 0);
    }
    REQUIRE(is_damage(verify_store(store.directory.path(), small_store()).error()));
    REQUIRE(refusal_to_open(store.directory.path()) == errc::corrupt);
}
