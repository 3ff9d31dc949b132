// What the versions of the format look like on disk, for ever. tests/golden/lmdb_v<n> holds
//   journal.mdb   a store that version n wrote
//   tables.txt    every key and value that appending the same commits leads to, in hex
// If one of these tests fails, existing stores would not be read any more: raise the format
// version, keep reading the old one, and add a directory for the new one.

#include "golden_text.hpp"
#include "lmdb_store_verbs.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/journal/record_format.hpp"
#include "support/places.hpp"

#include <sstream>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

fs::path golden(std::uint32_t version = lmdb::format_version) {
    return source_directory() / "tests" / "golden" / ("lmdb_v" + std::to_string(version));
}

/// Streams of several lengths, commits of several events, all kinds of metadata, a large payload.
std::vector<owned_commit> golden_commits() {
    std::vector<owned_commit> commits;
    commits.push_back(commit_of("open", "cart-1", expected_version::no_stream(),
                                {"cart.opened", "cart.item_added", "cart.item_added"}));
    auto described =
        commit_of("pay", "order-\xc3\xa9t\xc3\xa9", expected_version::no_stream(), {"order.paid"});
    described.command_named = true;
    described.about.correlation_id = command("request");
    described.about.causation_id = command("cause");
    described.about.actor = "till 3";
    described.about.extra = {{"currency", "EUR"}, {"note", ""}};
    described.about.time = timestamp{std::chrono::microseconds{-1}};
    commits.push_back(std::move(described));
    for (int i = 0; i != 20; ++i)
        commits.push_back(commit_of("item " + std::to_string(i), "cart-1"));
    auto large = commit_of("large", "blob-1");
    large.events[0].payload.resize(3'000, std::byte{0x5a});
    commits.push_back(std::move(large));
    auto empty = commit_of("empty", "cart-1");
    empty.events[0].payload.clear();
    commits.push_back(std::move(empty));
    return commits;
}

/// Table, key and value of every entry, one in a line. Of the store's identity, which is random,
/// only the magic and the version.
std::string tables_of(const fs::path& directory) {
    MDB_env* raw = nullptr;
    REQUIRE(mdb_env_create(&raw) == 0);
    const lmdb::env_handle env(raw);
    mdb_env_set_maxdbs(raw, 8);
    REQUIRE(mdb_env_open(raw, (directory / "journal.mdb").c_str(),
                         MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0) == 0);
    lmdb::txn_handle txn;
    REQUIRE(lmdb::begin_txn(raw, MDB_RDONLY, txn) == 0);
    std::ostringstream text;
    for (const auto* name : {"log", "heads", "heads.1", "sums.1", "meta"}) {
        MDB_dbi table = 0;
        const auto rc = mdb_dbi_open(txn.get(), name, 0, &table);
        if (rc == MDB_NOTFOUND)
            continue; // of another version
        REQUIRE(rc == 0);
        lmdb::cursor_handle cursor;
        REQUIRE(lmdb::open_cursor(txn.get(), table, cursor) == 0);
        MDB_val key{};
        MDB_val value{};
        for (auto step = MDB_FIRST; mdb_cursor_get(cursor.get(), &key, &value, step) == 0;
             step = MDB_NEXT) {
            const auto is_identity = lmdb::as_text(key) == "store";
            text << name << ' ' << hex(lmdb::as_text(key)) << ' '
                 << hex(lmdb::as_text(value).substr(0, is_identity ? 12 : std::string::npos))
                 << '\n';
        }
    }
    return text.str();
}

void write_store(const fs::path& directory) {
    const auto journal = open_store(directory);
    for (const auto& result : append_and_wait(*journal, golden_commits()))
        REQUIRE(result);
}

} // namespace

TEST_CASE("today's store has the bytes of format version 2", "[lmdb][golden]") {
    const temporary_directory directory;
    write_store(directory.path());
    REQUIRE(tables_of(directory.path()) == read_text(golden() / "tables.txt"));
}

TEST_CASE("a store that an earlier program wrote is read, verified and continued",
          "[lmdb][golden]") {
    const auto format = GENERATE(1U, 2U);
    INFO("format version " << format);
    const temporary_directory directory;
    fs::copy_file(golden(format) / "journal.mdb", directory.path() / "journal.mdb");
    REQUIRE(tables_of(directory.path()) == read_text(golden(format) / "tables.txt"));
    const auto commits = golden_commits();
    std::vector<seen_event> expected;
    std::map<std::string, stream_version> versions;
    for (const auto& each : commits)
        for (const auto& event : each.events)
            expected.push_back(
                {expected.size() + 1,
                 ++versions[each.stream],
                 each.stream,
                 event.type,
                 {reinterpret_cast<const char*>(event.payload.data()), event.payload.size()},
                 each.about.command_id,
                 &event == &each.events.back()});
    const auto report = verify_store(directory.path(), small_store()).value();
    REQUIRE(report.events == expected.size());
    REQUIRE(report.streams == versions.size());

    const auto journal = open_store(directory.path());
    REQUIRE(read_log(*journal) == expected);
    const auto described = journal->read_stream("order-\xc3\xa9t\xc3\xa9", 1, 1).value();
    const auto& event = described.events.at(0);
    REQUIRE(event.command_named);
    REQUIRE(event.read_metadata().value() == commits[1].about);
    for (const auto& [stream, version] : versions)
        REQUIRE(journal->describe(stream).value().version == version);
    REQUIRE(append_one(
        *journal, commit_of("next", "cart-1", expected_version::exactly(versions.at("cart-1")))));
    journal->close();
    REQUIRE(verify_store(directory.path(), small_store()).value().events == expected.size() + 1);
    REQUIRE_THAT(tables_of(directory.path()),
                 Catch::Contains("meta 73746f7265 616e6e616c730d0a02000000")); // today's version
}

TEST_CASE("write the golden files of a new format version", "[.write-golden]") {
    if (std::getenv("ANNALS_WRITE_GOLDEN") == nullptr)
        return; // some filters run hidden tests as well
    fs::create_directories(golden());
    const temporary_directory directory;
    write_store(directory.path());
    fs::copy_file(directory.path() / "journal.mdb", golden() / "journal.mdb",
                  fs::copy_options::overwrite_existing);
    std::ofstream(golden() / "tables.txt", std::ios::binary) << tables_of(directory.path());
}
