// Whatever happens to the index of streams, no answer is wrong: a head that is damaged, lost or old is
// never believed, and neither is a missing one.

#include "lmdb_store_verbs.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/file/varint.hpp"
#include "lmdb/journal/opening.hpp"
#include "lmdb/journal/recovery.hpp"

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4'096;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

using versions = std::map<std::string, stream_version>;

/// A closed store of many short streams, whose index has several blocks.
struct indexed_store {
    temporary_directory directory;
    fs::path file = directory.path() / "journal.mdb";

    void append(std::mt19937_64& random, std::size_t commits, std::size_t streams) const {
        const auto journal = open_store(directory.path());
        append_randomly(*journal, random, commits, streams);
    }
    [[nodiscard]] versions truth() const {
        versions all;
        for (const auto& event : read_log(*open_store(directory.path())))
            all[event.stream] = event.version;
        return all;
    }
    /// Bytes of the two tables of the index, as they stand in the file: key and value.
    [[nodiscard]] std::vector<std::string> index_bytes() const {
        const auto files = lmdb::open_to_verify(directory.path(), small_store()).value();
        const auto state = lmdb::read_state(files.env.get(), files.table, {}).value();
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(files.env.get(), MDB_RDONLY, txn) == 0);
        std::vector<std::string> all;
        for (const auto table : {state.tables.heads, state.tables.sums}) {
            lmdb::cursor_handle cursor;
            REQUIRE(lmdb::open_cursor(txn.get(), table, cursor) == 0);
            MDB_val key{};
            MDB_val value{};
            while (mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT) == 0)
                all.push_back(std::string(lmdb::as_text(key)) + std::string(lmdb::as_text(value)));
        }
        return all;
    }
};

enum answers { all_true = 0, refused = 1, wrong = 2 };

/// Waits for everything before; then the writer does a piece of its other work.
void let_the_writer_work(journal& of) {
    static_cast<void>(append_and_wait(of, {}));
}

/// Asks `ask` again while the index is made again. Each commit lets the writer do a piece of that.
template <class Ask>
auto ask_patiently(journal& from, Ask ask) {
    for (int tries = 0;; ++tries) {
        auto answer = ask();
        if (answer || answer.error().code != errc::unavailable || tries == 1'000)
            return answer;
        let_the_writer_work(from);
    }
}

/// Every answer about every stream, and about one that does not exist, beside the truth.
answers compare(journal& with, versions truth) {
    auto worst = all_true;
    const auto judge = [&](bool answered, bool right) {
        worst = std::max(worst, !answered ? refused : right ? all_true : wrong);
    };
    truth.try_emplace("nobody-1", 0);
    truth.try_emplace("aaa", 0);
    for (auto& [stream, version] : truth) {
        const auto info = ask_patiently(with, [&, &name = stream] { return with.describe(name); });
        judge(!!info, info && info->version == version);
        const auto page =
            ask_patiently(with, [&, &name = stream] { return with.read_stream(name, 1, 1'000); });
        judge(!!page, page && page->events.size() == version);
        if (version != 0) {
            const auto again = ask_patiently(with, [&, &name = stream] {
                return append_one(with, commit_of("again", name, expected_version::no_stream()));
            });
            judge(again || again.error().code == errc::version_conflict,
                  !again && again.error().actual == version);
        }
        const auto next = ask_patiently(with, [&, &name = stream, expected = version] {
            return append_one(with, commit_of("next", name, expected_version::exactly(expected)));
        });
        judge(next || next.error().code == errc::version_conflict,
              next && next->version == version + 1);
    }
    return worst;
}

/// The log numbers each stream without a gap or a repetition.
bool log_is_whole(const journal& from) {
    versions seen;
    for (log_position after = 0;;) {
        const auto page = from.read_all(after, 1'000);
        if (!page)
            return true; // refused, which is no lie
        for (const auto& event : page->events)
            if (event.version != ++seen[std::string(event.stream)])
                return false;
        after = page->through;
        if (page->at_end)
            return true;
    }
}

answers answers_of(const fs::path& directory, const versions& truth) {
    const auto opened = open_lmdb_journal(directory, small_store());
    if (!opened)
        return refused;
    const auto compared = compare(**opened, truth);
    return log_is_whole(**opened) ? compared : wrong;
}

/// In a process of its own, as LMDB ends the process at some damaged pages: that is no answer.
int answers_in_child(const fs::path& directory, const versions& truth) {
    return in_child([&] {
        for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE})
            ::signal(number, SIG_DFL); // not Catch2's, which would speak of it
        ::close(STDERR_FILENO);
        return static_cast<int>(answers_of(directory, truth));
    });
}

/// Where in a store's file the pages are that hold `entries` of the index, or lead to such pages. Some
/// may be free by now.
std::vector<std::size_t> pages_of_index(const std::string& data,
                                        const std::vector<std::string>& entries) {
    std::vector<std::size_t> all;
    for (auto at = 2 * page_bytes; at + page_bytes <= data.size(); at += page_bytes) {
        const auto page = std::string_view(data).substr(at, page_bytes);
        const auto* const header = reinterpret_cast<const std::byte*>(page.data());
        const auto used = lmdb::get_fixed<std::uint16_t>(header + 14); // what is before is garbage
        const bool leads = page[10] == 1 && page.find("cart-", used) != std::string_view::npos;
        const bool holds =
            page[10] == 2 && std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
                return page.find(entry, used) != std::string_view::npos;
            });
        if (leads || holds)
            all.push_back(at);
    }
    return all;
}

} // namespace

TEST_CASE("a flipped bit in the index of streams changes no answer", "[lmdb][index]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const indexed_store store;
    store.append(random, 900, 700);
    const auto truth = store.truth();
    const auto entries = store.index_bytes();
    REQUIRE(entries.size() > 10);
    const auto data = read_file(store.file);
    const auto note = read_file(store.directory.path() / "journal.tail");
    std::uint64_t rebuilds = 0;
    for (int i = 0; i != 15; ++i) {
        auto damaged = data;
        const auto& entry = entries[random() % entries.size()];
        const auto bit = random() % (8 * entry.size());
        std::size_t copies = 0;
        for (auto at = data.find(entry); at != std::string::npos; at = data.find(entry, at + 1)) {
            auto& byte = damaged[at + bit / 8];
            byte = static_cast<char>(byte ^ static_cast<char>(1U << bit % 8));
            ++copies;
        }
        REQUIRE(copies != 0);
        write_file(store.file, damaged);
        write_file(store.directory.path() / "journal.tail", note);
        INFO("entry " << entry << ", bit " << bit);
        REQUIRE(verify_store(store.directory.path(), small_store()).error().code == errc::corrupt);
        {
            const auto journal = open_store(store.directory.path());
            REQUIRE(compare(*journal, truth) == all_true);
            REQUIRE(log_is_whole(*journal));
            rebuilds += journal->health().rebuilds;
            REQUIRE_FALSE(journal->health().rebuilding);
        }
        REQUIRE(verify_store(store.directory.path(), small_store()));
    }
    REQUIRE(rebuilds >= 15);
}

TEST_CASE("where an index is damaged, it proves nothing", "[lmdb][index]") {
    std::mt19937_64 random(random_seed());
    const indexed_store store;
    store.append(random, 500, 300);
    const auto env = lmdb::open_env(store.file, std::size_t{1} << 30, MDB_NOLOCK).value();
    lmdb::txn_handle txn; // never committed
    REQUIRE(lmdb::begin_txn(env.get(), 0, txn) == 0);
    lmdb::index_tables index;
    REQUIRE(lmdb::open_index(txn.get(), 1, index) == 0);
    const lmdb::stream_index stored(txn.get(), index);
    const auto put = [&](MDB_dbi table, std::string_view at, const std::string& bytes) {
        auto key = lmdb::as_value(at);
        auto value = lmdb::as_value(std::string_view(bytes));
        REQUIRE(mdb_put(txn.get(), table, &key, &value, 0) == 0);
    };
    const auto get = [&](MDB_dbi table, std::string_view at) {
        auto key = lmdb::as_value(at);
        MDB_val value{};
        REQUIRE(mdb_get(txn.get(), table, &key, &value) == 0);
        return std::string(lmdb::as_text(value));
    };
    const auto remove = [&](MDB_dbi table, std::string_view at) {
        auto key = lmdb::as_value(at);
        REQUIRE(mdb_del(txn.get(), table, &key, nullptr) == 0);
    };
    std::vector<std::string> begins = {std::string(lmdb::lowest_name)};
    for (auto block = stored.block_after(nullptr).value(); !block.high.empty();
         block = stored.block_after(&block).value())
        begins.emplace_back(block.high);
    REQUIRE(begins.size() > 3);
    for (const auto& low : begins) {
        const auto sound = get(index.heads, low);
        const auto sum = get(index.sums, low);
        const auto* const bytes = reinterpret_cast<const std::byte*>(sound.data());
        const auto parsed = lmdb::parse_block(low, {bytes, sound.size()}).value();
        const std::string high(parsed.high);
        const std::string name(lmdb::block_entries(parsed.entries).next().value().name);
        const auto proves = [&](std::string_view stream) {
            const auto found = stored.find(stream);
            return found || found.error().code != errc::corrupt;
        };
        REQUIRE(stored.find(name).value().version() != 0);
        REQUIRE(stored.find(name + "!").value().version() == 0);
        auto flipped = sound;
        flipped[random() % sound.size()] ^= static_cast<char>(1U << random() % 8);
        put(index.heads, low, flipped);
        CHECK_FALSE((proves(name) || proves(name + "!")));
        bytes_view none;
        annals::bytes old; // sound, of a time when its streams were not there
        static_cast<void>(lmdb::encode_block(low, high, none, old));
        put(index.heads, low, {reinterpret_cast<const char*>(old.data()), old.size()});
        CHECK_FALSE((proves(name) || proves(name + "!")));
        remove(index.heads, low);
        CHECK_FALSE((proves(name) || proves(name + "!")));
        put(index.heads, low, sound);
        remove(index.sums, low);
        CHECK_FALSE((proves(name) || proves(name + "!")));
        put(index.sums, low, sum);
        REQUIRE(stored.find(name).value().version() != 0);
    }
}

TEST_CASE("a damaged page of the index loses nobody the store", "[lmdb][index]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const indexed_store store;
    store.append(random, 900, 700);
    const auto truth = store.truth();
    const auto data = read_file(store.file);
    const auto note = read_file(store.directory.path() / "journal.tail");
    const auto log_page = 2 * page_bytes; // of another table, or free
    std::uint64_t rebuilds = 0;
    std::size_t branches = 0;
    const auto pages = pages_of_index(data, store.index_bytes());
    REQUIRE(pages.size() > 4);
    for (const auto at : pages) {
        branches += data[at + 10] == 1 ? 1U : 0U;
        auto damaged = data;
        switch (random() % 3) {
        case 0:
            damaged.replace(at, page_bytes, page_bytes, '\0');
            break;
        case 1: { // its number, its kind, or the bounds of its entries
            constexpr std::array<std::size_t, 4> places = {0, 10, 12, 14};
            auto& byte = damaged[at + places[random() % places.size()]];
            byte = static_cast<char>(byte ^ static_cast<char>(1U << random() % 8));
            break;
        }
        default:
            damaged.replace(at, page_bytes, data, log_page, page_bytes);
        }
        write_file(store.file, damaged);
        write_file(store.directory.path() / "journal.tail", note);
        INFO("page " << at / page_bytes);
        const bool in_use = !verify_store(store.directory.path(), small_store());
        for (const std::uint64_t expected : {in_use ? 1U : 0U, 0U}) { // the damaged one stays there
            const auto journal = open_store(store.directory.path());
            REQUIRE(journal->health().rebuilds == expected);
            rebuilds += expected;
            if (expected == 0)
                continue;
            REQUIRE(compare(*journal, truth) == all_true);
            REQUIRE(log_is_whole(*journal));
        }
        REQUIRE(verify_store(store.directory.path(), small_store()));
    }
    REQUIRE(branches != 0);
    REQUIRE(rebuilds > 4);
}

TEST_CASE("a flipped bit or a zeroed page anywhere in the file makes no answer wrong",
          "[lmdb][index]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const indexed_store store;
    store.append(random, 200, 120);
    const auto truth = store.truth();
    const auto data = read_file(store.file);
    const auto note = read_file(store.directory.path() / "journal.tail");
    for (int i = 0; i != 60; ++i) {
        auto damaged = data;
        if (i % 3 == 0) {
            const auto page = random() % (data.size() / page_bytes);
            damaged.replace(page * page_bytes, page_bytes, page_bytes, '\0');
        } else {
            auto& byte = damaged[random() % data.size()];
            byte = static_cast<char>(byte ^ static_cast<char>(1U << random() % 8));
        }
        write_file(store.file, damaged);
        write_file(store.directory.path() / "journal.tail", note);
        REQUIRE(answers_in_child(store.directory.path(), truth) != wrong);
    }
}

TEST_CASE("a lost write of any page makes no answer wrong", "[lmdb][index]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const indexed_store store;
    store.append(random, 250, 150);
    for (int round = 0; round != 3; ++round) {
        const auto before = read_file(store.file);
        store.append(random, 1 + random() % 150, 200);
        const auto truth = store.truth();
        const auto data = read_file(store.file);
        const auto note = read_file(store.directory.path() / "journal.tail");
        for (std::size_t at = 0; at + page_bytes <= std::min(before.size(), data.size());
             at += page_bytes) {
            if (before.compare(at, page_bytes, data, at, page_bytes) == 0)
                continue;
            auto damaged = data;
            damaged.replace(at, page_bytes, before, at, page_bytes);
            write_file(store.file, damaged);
            write_file(store.directory.path() / "journal.tail", note);
            INFO("round " << round << ", page " << at / page_bytes);
            REQUIRE(answers_in_child(store.directory.path(), truth) != wrong);
        }
        write_file(store.file, data);
        write_file(store.directory.path() / "journal.tail", note);
    }
}

TEST_CASE("an index that is sound but old is found in the background", "[lmdb][index]") {
    std::mt19937_64 random(random_seed());
    const indexed_store store;
    store.append(random, 300, 200);
    const auto truth = store.truth();
    {
        // All of the index is as it was when nothing had been stored, checksums and all.
        const auto env = lmdb::open_env(store.file, std::size_t{1} << 30, MDB_NOLOCK).value();
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(env.get(), 0, txn) == 0);
        lmdb::index_tables index;
        REQUIRE(lmdb::open_index(txn.get(), 1, index) == 0);
        REQUIRE(mdb_drop(txn.get(), index.heads, 0) == 0);
        REQUIRE(mdb_drop(txn.get(), index.sums, 0) == 0);
        REQUIRE(lmdb::create_index(txn.get(), 1, index) == 0);
        REQUIRE(lmdb::commit_txn(txn) == 0);
    }
    fs::remove(store.directory.path() / "journal.tail");
    REQUIRE(verify_store(store.directory.path(), small_store()).error().code == errc::corrupt);
    const auto journal = open_store(store.directory.path());
    while (journal->health().checks_completed == 0)
        let_the_writer_work(*journal);
    REQUIRE(journal->health().rebuilds == 1);
    REQUIRE(journal->health().rebuilt_through == journal->head());
    REQUIRE(compare(*journal, truth) == all_true);
    REQUIRE(log_is_whole(*journal));
}

TEST_CASE("an index that is missing or of an unknown state is made again at opening",
          "[lmdb][index]") {
    std::mt19937_64 random(random_seed());
    const indexed_store store;
    store.append(random, 300, 200);
    for (const bool remove : {false, true}) {
        const auto truth = store.truth();
        {
            const auto env = lmdb::open_env(store.file, std::size_t{1} << 30, MDB_NOLOCK).value();
            lmdb::txn_handle txn;
            REQUIRE(lmdb::begin_txn(env.get(), 0, txn) == 0);
            lmdb::tables table;
            REQUIRE(lmdb::open_tables(txn.get(), 0, table) == 0);
            auto key = lmdb::as_value(lmdb::index_key);
            auto value = lmdb::as_value(std::string_view("damaged"));
            REQUIRE((remove ? mdb_del(txn.get(), table.meta, &key, nullptr)
                            : mdb_put(txn.get(), table.meta, &key, &value, 0)) == 0);
            REQUIRE(lmdb::commit_txn(txn) == 0);
        }
        REQUIRE(verify_store(store.directory.path(), small_store()).error().code == errc::corrupt);
        const auto journal = open_store(store.directory.path());
        REQUIRE(compare(*journal, truth) == all_true);
        journal->close();
        REQUIRE(verify_store(store.directory.path(), small_store()));
    }
}

TEST_CASE("an index agrees with a model, whatever is split, cached, evicted or reopened",
          "[lmdb][index]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    auto options = small_store();
    versions model;
    for (const std::size_t cached : {16U, 500U, 1U, 100'000U}) {
        options.cached_streams = cached;
        const auto journal = open_store(directory.path(), options);
        for (int i = 0; i != 8; ++i) {
            std::vector<owned_commit> commits;
            versions next = model;
            for (int c = 0; c != 150; ++c) {
                // Names of all lengths, many with much in common.
                const auto number = std::to_string(random() % 600);
                auto name = random() % 4 == 0 ? number + std::string(random() % 250, 'x')
                                              : "cart-" + number;
                auto& version = next[name];
                commits.push_back(
                    commit_of(std::to_string(random()), name, expected_version::exactly(version)));
                ++version;
            }
            for (const auto& result : append_all(*journal, std::move(commits)))
                REQUIRE(result);
            model = next;
        }
        for (const auto& [name, version] : model) {
            REQUIRE(journal->describe(name).value().version == version);
            REQUIRE(journal->describe(name + "!").value().version == model.count(name + "!"));
        }
        journal->close();
        REQUIRE(verify_store(directory.path(), options).value().streams == model.size());
    }
}
