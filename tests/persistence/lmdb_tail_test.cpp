// A log whose end is missing is never taken for a whole one.

#include "lmdb_store_verbs.hpp"

#include "lmdb/file/store_file.hpp"
#include "lmdb/journal/tail_note.hpp"

#include <fcntl.h>
#include <sys/stat.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4'096;
/// A page's header and what LMDB keeps in a meta page.
constexpr std::size_t meta_bytes = 16 + 136;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// A directory with a store, whose two files can be kept and put back.
struct kept_store {
    temporary_directory directory;
    fs::path data = directory.path() / "journal.mdb";
    fs::path note = directory.path() / lmdb::tail_file_name;

    /// Appends as many events to one stream, in commits of one.
    void grow(std::size_t events, const std::string& name) const {
        const auto journal = open_store(directory.path());
        for (std::size_t i = 0; i != events; ++i)
            REQUIRE(append_one(*journal, commit_of(name + std::to_string(i), "cart-1")));
    }
    /// The same by a process that ends without closing the store.
    void grow_and_crash(std::size_t events) const {
        REQUIRE(in_child([&] {
                    const auto journal = open_store(directory.path());
                    for (std::size_t i = 0; i != events; ++i)
                        if (!append_one(*journal, commit_of("crashed" + std::to_string(i),
                                                            "cart-" + std::to_string(i % 5))))
                            return 1;
                    return 0;
                }) == 0);
    }
    [[nodiscard]] log_position head() const { return open_store(directory.path())->head(); }
    [[nodiscard]] error refusal() const {
        const auto opened = open_lmdb_journal(directory.path(), small_store());
        const auto verified = verify_store(directory.path(), small_store());
        REQUIRE_FALSE(opened);
        REQUIRE_FALSE(verified);
        REQUIRE(verified.error().code == opened.error().code);
        return opened.error();
    }
};

enum answer { true_or_refused, wrong_answer };

/// What opening and reading says. A crash within LMDB is no answer.
int answer_of(const fs::path& directory, const std::vector<seen_event>& truth) {
    const auto opened = open_lmdb_journal(directory, small_store());
    if (!opened)
        return true_or_refused;
    if ((*opened)->head() != truth.size())
        return wrong_answer;
    std::vector<seen_event> seen;
    for (log_position after = 0;;) {
        const auto page = (*opened)->read_all(after, 1'000);
        if (!page)
            return true_or_refused;
        see_all(*page, seen);
        after = page->through;
        if (page->at_end)
            return seen == truth ? true_or_refused : wrong_answer;
    }
}

} // namespace

TEST_CASE("a damaged meta page never hides what was stored", "[lmdb][tail]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (const bool closed : {false, true}) {
        const kept_store store;
        store.grow_and_crash(40);
        if (closed)
            store.grow(2, "closed");
        const auto data = read_file(store.data);
        const auto note = read_file(store.note);
        std::vector<seen_event> truth;
        {
            const temporary_directory copy;
            write_file(copy.path() / "journal.mdb", data);
            truth = read_log(*open_store(copy.path()));
        }
        for (std::size_t bit = random() % 6; bit < 2 * meta_bytes * 8; bit += 1 + random() % 19) {
            const auto byte = bit / 8 / meta_bytes * page_bytes + bit / 8 % meta_bytes;
            auto damaged = data;
            damaged[byte] = static_cast<char>(damaged[byte] ^ static_cast<char>(1U << bit % 8));
            write_file(store.data, damaged);
            write_file(store.note, note);
            INFO("bit " << bit % 8 << " of byte " << byte << (closed ? ", closed" : ", crashed"));
            REQUIRE(in_child([&] {
                        for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE})
                            ::signal(number, SIG_DFL); // not Catch2's, which would speak of it
                        ::close(STDERR_FILENO);
                        return answer_of(store.directory.path(), truth);
                    }) != wrong_answer);
        }
    }
}

TEST_CASE("meta pages that are not of two successive commits are refused without a note",
          "[lmdb][tail]") {
    const kept_store store;
    store.grow(9, "a");
    fs::remove(store.note);
    const auto data = read_file(store.data);
    constexpr std::size_t transaction_at = 16 + 128;
    for (const std::size_t page : {0U, 1U})
        for (std::size_t bit = 0; bit != 64; ++bit) {
            auto damaged = data;
            auto& byte = damaged[page * page_bytes + transaction_at + bit / 8];
            byte = static_cast<char>(byte ^ static_cast<char>(1U << bit % 8));
            write_file(store.data, damaged);
            INFO("page " << page << ", bit " << bit);
            REQUIRE(refusal_to_open(store.directory.path()) == errc::corrupt);
        }
    write_file(store.data, data);
    REQUIRE(store.head() == 9);
}

TEST_CASE("a file that was put back is refused until the note is deleted", "[lmdb][tail]") {
    const kept_store store;
    store.grow(5, "a");
    const auto older = read_file(store.data);
    store.grow(4, "b");
    write_file(store.data, older);

    const auto refused = store.refusal();
    REQUIRE(refused.code == errc::corrupt);
    for (const auto* part : {"positions 6 to 9 are missing", "journal.tail", "delete"})
        REQUIRE_THAT(refused.message, Catch::Contains(part));
    REQUIRE(read_file(store.data) == older);

    fs::remove(store.note);
    REQUIRE(verify_store(store.directory.path(), small_store()).value().events == 5);
    REQUIRE(store.head() == 5);
    store.grow(1, "c");
    REQUIRE(store.head() == 6);
}

TEST_CASE("a log with another history than the noted one is refused", "[lmdb][tail]") {
    const kept_store store;
    store.grow(5, "a");
    const auto older = read_file(store.data);
    store.grow(9, "b");
    const auto one = read_file(store.data);
    write_file(store.data, older);
    fs::remove(store.note);
    store.grow(3, "c");
    write_file(store.data, one);
    const auto refused = store.refusal();
    REQUIRE(refused.code == errc::corrupt);
    REQUIRE_THAT(refused.message, Catch::Contains("another"));
}

TEST_CASE("a note that is old, torn or missing proves nothing", "[lmdb][tail]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const kept_store store;
    store.grow(5, "a");
    const auto old_note = read_file(store.note);
    store.grow(4, "b");
    const auto note = read_file(store.note);
    REQUIRE(note.size() == lmdb::tail_bytes);

    write_file(store.note, old_note); // as if killed between the commit and the note
    REQUIRE(store.head() == 9);
    for (std::size_t size = 0; size < note.size(); size += 1 + random() % 9) {
        write_file(store.note, note.substr(0, size));
        REQUIRE(store.head() == 9);
    }
    for (int i = 0; i != 20; ++i) {
        auto damaged = note;
        const auto bit = random() % (8 * note.size());
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ static_cast<char>(1U << bit % 8));
        write_file(store.note, damaged);
        REQUIRE(store.head() == 9);
    }
    fs::remove(store.note);
    REQUIRE(store.head() == 9);
}

TEST_CASE("a note without its store, or beside another one, is not passed over", "[lmdb][tail]") {
    const kept_store store;
    const kept_store other;
    store.grow(2, "a");
    other.grow(3, "a");
    write_file(store.data, read_file(other.data));
    REQUIRE_THAT(store.refusal().message, Catch::Contains("another store"));

    fs::remove(store.data);
    const auto refused = store.refusal();
    REQUIRE(refused.code == errc::not_a_store);
    REQUIRE_FALSE(fs::exists(store.data));
    fs::remove(store.note);
    REQUIRE(store.head() == 0);
}

TEST_CASE("a copy that LMDB made, compact or not, stands beside the note", "[lmdb][tail]") {
    for (const unsigned compact : {0U, unsigned{MDB_CP_COMPACT}}) {
        const kept_store store;
        store.grow(20, "a");
        const auto copy = store.directory.path() / "copy";
        {
            const auto env =
                lmdb::open_env(store.data, std::size_t{1} << 30, MDB_RDONLY | MDB_NOLOCK).value();
            REQUIRE(mdb_env_copy2(env.get(), copy.c_str(), compact) == 0);
        }
        fs::rename(copy, store.data);
        REQUIRE(store.head() == 20);
        store.grow(1, "b");
        REQUIRE(store.head() == 21);
        REQUIRE(verify_store(store.directory.path(), small_store()));
    }
}

TEST_CASE("the note follows each commit", "[lmdb][tail]") {
    const kept_store store;
    const auto journal = open_store(store.directory.path());
    REQUIRE_FALSE(lmdb::read_tail(store.directory.path()).value());
    for (log_position i = 1; i != 10; ++i) {
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
        REQUIRE(lmdb::read_tail(store.directory.path()).value()->position == i);
        REQUIRE(lmdb::read_tail(store.directory.path()).value()->store == journal->id());
    }
}

TEST_CASE("a FIFO that takes the place of the note keeps nobody waiting", "[lmdb][tail]") {
    const kept_store store;
    store.grow(2, "a");
    fs::remove(store.note);
    const bool with_a_reader = GENERATE(false, true);
    INFO((with_a_reader ? "somebody reads it" : "nobody reads it"));
    REQUIRE(in_child([&] {
                ::alarm(20);
                const auto journal = open_store(store.directory.path());
                if (::mkfifo(store.note.c_str(), 0600) != 0)
                    return 1;
                const auto reader =
                    with_a_reader ? ::open(store.note.c_str(), O_RDONLY | O_NONBLOCK) : -1;
                if (!append_one(*journal, commit_of("b", "cart-1")))
                    return 2;
                journal->close();
                char byte = 0;
                return with_a_reader && ::read(reader, &byte, 1) != 0 ? 3 : 0;
            }) == 0);
    fs::remove(store.note);
    REQUIRE(store.head() == 3);
}
