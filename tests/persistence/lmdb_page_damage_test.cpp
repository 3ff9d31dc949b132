#include "lmdb_views_verbs.hpp"

#include "lmdb/file/page_check.hpp"
#include "lmdb/file/separate_process.hpp"
#include "lmdb/file/varint.hpp"

#include <fcntl.h>

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

lmdb_options quick_store() {
    auto options = small_store();
    options.unsafe_no_sync = true;
    return options;
}

projection_store_options quick_views() {
    auto options = small_views();
    options.unsafe_no_sync = true;
    return options;
}

/// Whether the page at this place holds many entries of a table.
bool is_full_leaf(const std::string& bytes, std::size_t at) {
    const auto* const page = reinterpret_cast<const std::byte*>(bytes.data() + at);
    return lmdb::get_fixed<std::uint16_t>(page + 10) == 2 &&
           lmdb::get_fixed<std::uint16_t>(page + 12) >= 16 + 2 * 8;
}

/// A closed store of some hundred pages, of every kind, and what is in it.
struct sound_store {
    temporary_directory directory;
    std::map<std::string, std::string> files; ///< name of a data file -> its bytes
    std::vector<seen_event> log;
    rows views;

    explicit sound_store(std::mt19937_64& random) {
        const auto journal = open_store(directory.path(), quick_store());
        append_randomly(*journal, random, 1'500, 400);
        for (int i = 0; i != 5; ++i) {
            auto large = commit_of("large " + std::to_string(i), "cart-1");
            large.events[0].payload.resize(20'000 + random() % 5'000);
            REQUIRE(append_one(*journal, std::move(large)));
        }
        append_randomly(*journal, random, 200, 400);
        log = read_log(*journal);
        journal->close();
        const auto store =
            open_lmdb_projection_store(directory.path(), the_log, quick_views()).value();
        for (int batch = 0; batch != 30; ++batch) {
            row_changes changes;
            for (int i = 0; i != 100; ++i)
                changes.put(1, raw("key " + std::to_string(random() % 3'000)),
                            raw(std::string(random() % 200, 'x')));
            changes.put(1, raw("large"), raw(std::string(10'000 + random() % 5'000, 'y')));
            changes.erase(1, raw("key " + std::to_string(random() % 3'000)));
            REQUIRE(apply_and_wait(*store, std::move(changes)));
        }
        views = all_rows(*store, 1);
        store->close();
        for (const auto* const name : {"journal.mdb", "views.mdb"})
            files[name] = read_file(directory.path() / name);
    }

    void put_back() const {
        for (const auto& [name, bytes] : files)
            write_file(directory.path() / name, bytes);
    }
};

/// What a host does with a log. True if every answer is an error or the truth.
bool use_journal(const sound_store& store) {
    const auto& path = store.directory.path();
    static_cast<void>(verify_store(path, quick_store()));
    const auto opened = open_lmdb_journal(path, quick_store());
    if (!opened)
        return true;
    const auto& journal = **opened;
    for (log_position after = 0;;) {
        const auto page = journal.read_all(after, 100);
        if (!page || page->events.empty())
            break;
        for (const auto& event : page->events)
            if (event.position > store.log.size() || seen(event) != store.log[event.position - 1])
                return false;
        after = page->through;
    }
    for (int i = 0; i < 400; i += 7) {
        const auto stream = "cart-" + std::to_string(i);
        static_cast<void>(journal.read_stream(stream, 1, 10));
        static_cast<void>(journal.describe(stream));
        static_cast<void>(append_one(**opened, commit_of("new" + stream, stream)));
    }
    (*opened)->close();
    static_cast<void>(verify_store(path, quick_store()));
    return true;
}

/// The same with rows. `older`: a damaged meta page may show the change before the last, rows and
/// checkpoints alike, and projections go on from there.
bool use_views(const sound_store& store, bool older = false) {
    const auto opened = open_lmdb_projection_store(store.directory.path(), the_log, quick_views());
    if (!opened)
        return true;
    auto snapshot = (*opened)->snapshot();
    if (snapshot) {
        std::map<std::string, std::string> truth(store.views.begin(), store.views.end());
        for (auto row = (*snapshot)->at_or_after(1, {}); row && *row; row = (*snapshot)->next())
            if (const auto known = truth.find(text_of((*row)->key));
                !older && (known == truth.end() || known->second != text_of((*row)->value)))
                return false;
        for (int i = 0; i < 3'000; i += 37)
            static_cast<void>((*snapshot)->get(1, raw("key " + std::to_string(i))));
        for (auto row = (*snapshot)->last(1); row && *row; row = (*snapshot)->previous()) {
        }
        snapshot->reset();
    }
    for (int i = 0; i < 3'000; i += 37) {
        row_changes changes;
        changes.put(1, raw("key " + std::to_string(i)), raw("new"));
        changes.erase(1, raw("key " + std::to_string(i + 1)));
        static_cast<void>(apply_and_wait(**opened, std::move(changes)));
    }
    row_changes changes;
    changes.erase(1, raw("large"));
    changes.drop(1);
    static_cast<void>(apply_and_wait(**opened, std::move(changes)));
    (*opened)->close();
    return true;
}

} // namespace

TEST_CASE("damaged pages end in an error, never in the end of the process", "[lmdb][damage]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const sound_store store(random);
    REQUIRE(use_journal(store));
    REQUIRE(use_views(store));
    std::map<std::string, int> ends;
    for (int trial = 0; trial != 160; ++trial) {
        store.put_back();
        const auto* const name = trial % 2 == 0 ? "journal.mdb" : "views.mdb";
        auto bytes = store.files.at(name);
        const auto pages = bytes.size() / page_bytes;
        const auto page = random() % pages;
        std::string what = "zeroed";
        switch (trial / 2 % 4) {
        case 0:
            bytes.replace(page * page_bytes, page_bytes, page_bytes, '\0');
            break;
        case 1: { // the page's header
            what = "flipped bit of the header";
            const auto bit = random() % (16 * 8);
            bytes[page * page_bytes + bit / 8] ^= static_cast<char>(1U << bit % 8);
            break;
        }
        case 2: { // anywhere in the first bytes, where the places of the entries are
            what = "flipped bit";
            const auto bit = random() % (200 * 8);
            bytes[page * page_bytes + bit / 8] ^= static_cast<char>(1U << bit % 8);
            break;
        }
        default: { // a write that was lost, or went to another place
            what = "another page's bytes";
            const auto other = random() % pages;
            bytes.replace(page * page_bytes, page_bytes, store.files.at(name), other * page_bytes,
                          page_bytes);
        }
        }
        write_file(store.directory.path() / name, bytes);
        const auto end = in_child([&] {
            ::alarm(60);
            const bool views = name == std::string("views.mdb");
            return (views ? use_views(store, page < 2) : use_journal(store)) ? 0 : 1;
        });
        if (end != 0)
            ++ends[what + " page " + std::to_string(page) + " of " + name + " ended with " +
                   std::to_string(end)];
    }
    for (const auto& [what, count] : ends)
        UNSCOPED_INFO(what);
    REQUIRE(ends.empty());
}

TEST_CASE("the pages of every sound store pass their check", "[lmdb][damage]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round != 2; ++round) {
        const sound_store store(random);
        for (const auto& [name, bytes] : store.files) {
            INFO(name);
            const auto path = store.directory.path() / name;
            const auto file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
            const auto all = lmdb::check_pages(file, path, {}, ~std::uint64_t{0});
            const auto some = lmdb::check_pages(file, path, {}, 0);
            ::close(file);
            REQUIRE(all.value().complete);
            REQUIRE(all.value().file_bytes >= bytes.size());
            REQUIRE_FALSE(some.value().complete);
        }
    }
}

TEST_CASE("a page that is damaged while its store is open is an error where LMDB notices it",
          "[lmdb][damage]") {
    std::mt19937_64 random(1);
    const sound_store store(random);
    REQUIRE(in_child([&] {
                const auto& path = store.directory.path();
                const auto journal = open_store(path, quick_store());
                const auto views = open_lmdb_projection_store(path, the_log, quick_views()).value();
                for (const auto& [name, bytes] : store.files) {
                    std::fstream file(path / name, std::ios::binary | std::ios::in | std::ios::out);
                    bool every_other = false;
                    for (auto at = 2 * page_bytes; at < bytes.size(); at += page_bytes) {
                        if (!is_full_leaf(bytes, at) || (every_other = !every_other))
                            continue;
                        file.seekp(static_cast<std::streamoff>(at));
                        file.write(std::string(page_bytes, '\0').data(), page_bytes);
                    }
                }
                bool noticed = false;
                for (log_position after = 0; after < store.log.size(); ++after)
                    noticed = !journal->read_all(after, 50) || noticed;
                const auto snapshot = views->snapshot();
                if (snapshot)
                    for (int i = 0; i != 3'000; ++i) {
                        auto row = (*snapshot)->at_or_after(1, raw("key " + std::to_string(i)));
                        for (int step = 0; step != 50 && row && *row; ++step)
                            row = (*snapshot)->next();
                    }
                return noticed ? 0 : 1;
            }) == 0);
}

TEST_CASE("a process that verifies may end in any way", "[lmdb][damage]") {
    const auto sound = lmdb::in_separate_process(
        [] { return result<store_report>(store_report{.events = 1, .streams = 2, .bytes = 3}); });
    REQUIRE(sound.value().streams == 2);
    const auto refused = lmdb::in_separate_process([] {
        return result<store_report>(error{errc::in_use, "somebody has it", 7});
    });
    REQUIRE(refused.error() == error{errc::in_use, "somebody has it", 7});
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGKILL}) {
        const auto ended = lmdb::in_separate_process([&]() -> result<store_report> {
            ::signal(number, SIG_DFL);
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, number);
            pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
            ::raise(number);
            return store_report{};
        });
        REQUIRE(ended.error().code == errc::corrupt);
        REQUIRE_THAT(ended.error().message, Catch::Contains(std::to_string(number)));
    }
    REQUIRE(lmdb::in_separate_process([]() -> result<store_report> { ::_exit(0); }).error().code ==
            errc::corrupt);
}
