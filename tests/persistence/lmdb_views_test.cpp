// What the projection store on disk does besides its contract: damage, forks, dropped spaces whose
// rows go bit by bit.

#include "lmdb_views_verbs.hpp"

#include <atomic>
#include <future>
#include <thread>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

/// Whether every way to one row of space 1 answers with this error.
bool every_search_says(row_snapshot& in, const std::string& key, errc code) {
    const auto says = [&](const auto& found) { return !found && found.error().code == code; };
    return says(in.get(1, raw(key))) && says(in.at_or_after(1, raw(key))) &&
           says(in.last_before(1, raw(key + '\x01')));
}

std::size_t rows_of(const fs::path& directory, row_space space) {
    std::size_t count = 0;
    for (const auto& [key, value] : views_entries(directory, "rows"))
        count += key.substr(0, 4) == std::string({0, 0, 0, static_cast<char>(space)});
    return count;
}

} // namespace

TEST_CASE("a flipped bit in a row is found by every way of reading it", "[lmdb][views]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    fill_space(*open_views(directory.path()), 1, 20);
    const auto entries = views_entries(directory.path(), "rows");
    REQUIRE(entries.size() == 20);
    for (const auto& [key, value] : entries) {
        auto damaged = value;
        auto& byte = damaged[random() % damaged.size()];
        byte = static_cast<char>(byte ^ (1 << random() % 8));
        edit_views(directory.path(),
                   [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw(damaged)); });
        {
            const auto store = open_views(directory.path());
            const auto now = store->snapshot().value();
            REQUIRE(every_search_says(*now, key.substr(4), errc::corrupt));
            REQUIRE(all_rows(*now, 1).back() == rows::value_type{"error", "corrupt"});
            const auto said = now->get(1, raw(key.substr(4))).error().message;
            REQUIRE_THAT(said, Catch::Contains("delete views.mdb"));
        }
        edit_views(directory.path(),
                   [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw(value)); });
    }
}

TEST_CASE("a row in the place of another, or cut short, is found", "[lmdb][views]") {
    const temporary_directory directory;
    fill_space(*open_views(directory.path()), 1, 3);
    const auto entries = views_entries(directory.path(), "rows");
    const auto key = entries.begin()->first;
    for (const auto& wrong : {std::next(entries.begin())->second, std::string(), std::string("abc"),
                              std::string("abcd")}) {
        edit_views(directory.path(),
                   [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw(wrong)); });
        const auto store = open_views(directory.path());
        REQUIRE(every_search_says(*store->snapshot().value(), key.substr(4), errc::corrupt));
    }
}

TEST_CASE("a key that no row can have is damage", "[lmdb][views]") {
    for (const auto& key : {std::string("\0\0\0\1", 4), std::string("\0\0\0", 3)}) {
        const temporary_directory directory;
        open_views(directory.path())->close();
        edit_views(directory.path(), [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw("x")); });
        REQUIRE(refusal_to_open_views(directory.path()) == errc::corrupt);
        edit_views(directory.path(), [&](MDB_txn* txn) { // it is not the last one any more
            put_entry(txn, "rows", std::string("\0\0\0\7a", 5), raw("x"));
        });
        const auto store = open_views(directory.path());
        if (key.size() == 4) // a shorter one is in the way of no search but this
            REQUIRE(said(store->keep_only({})) == "corrupt");
        REQUIRE(store->snapshot().value()->last_before(1, raw("a")).error().code == errc::corrupt);
    }
}

TEST_CASE("the rows of a dropped space go, also after the next opening", "[lmdb][views]") {
    const temporary_directory directory;
    constexpr int many = 30'000;
    {
        const auto store = open_views(directory.path());
        fill_space(*store, 1, 10);
        fill_space(*store, 2, many);
        fill_space(*store, 3, many);
        row_changes changes;
        changes.drop(2);
        changes.drop(3);
        // Closed within the callback: nothing is erased any more.
        auto* const plain = store.get();
        store->apply(std::move(changes), [plain](const result<void>&) { plain->close(); });
        store->close();
    }
    REQUIRE(views_entries(directory.path(), "meta").contains("dropped"));
    REQUIRE(rows_of(directory.path(), 2) + rows_of(directory.path(), 3) > many);
    int openings = 0;
    for (; views_entries(directory.path(), "meta").contains("dropped"); ++openings) {
        REQUIRE(openings < 1'000);
        const auto store = open_views(directory.path());
        const auto now = store->snapshot().value();
        REQUIRE(all_rows(*now, 1).size() == 10);
        REQUIRE(all_rows(*now, 2).empty());
        REQUIRE(all_rows(*now, 3).empty());
        REQUIRE(put(*store, 2, {{"a", "1"}}) == "invalid_argument");
        REQUIRE(store->new_space() > 3);
        for (int i = 0; i != 20; ++i)
            REQUIRE(put(*store, 1, {{"0", std::to_string(i)}}) == "applied");
    }
    REQUIRE(rows_of(directory.path(), 1) == 10);
    REQUIRE(rows_of(directory.path(), 2) + rows_of(directory.path(), 3) == 0);
    REQUIRE(open_views(directory.path())->new_space() > 3);
}

TEST_CASE("the rows of a dropped space go although there is always something to apply",
          "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    fill_space(*store, 1, 30'000);
    std::promise<void> ended;
    int left = 100; // enough for all slices, one with every eighth
    std::function<void(const result<void>&)> again = [&](const result<void>&) {
        if (--left == 0) {
            store->close(); // so that nothing is erased in a pause
            return ended.set_value();
        }
        row_changes changes;
        changes.put(2, raw("left"), raw(std::to_string(left)));
        store->apply(std::move(changes), again);
    };
    row_changes changes;
    changes.drop(1);
    store->apply(std::move(changes), again);
    ended.get_future().get();
    store->close();
    REQUIRE_FALSE(views_entries(directory.path(), "meta").contains("dropped"));
    REQUIRE(views_entries(directory.path(), "rows").size() == 1);
}

TEST_CASE("a snapshot from before a drop keeps its rows while they are erased", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    fill_space(*store, 1, 20'000);
    const auto before = store->snapshot().value();
    REQUIRE(drop(*store, 1) == "applied");
    for (int i = 0; i != 100; ++i)
        REQUIRE(put(*store, 2, {{"a", std::to_string(i)}}) == "applied");
    REQUIRE(all_rows(*before, 1).size() == 20'000);
    REQUIRE(before->renew());
    REQUIRE(all_rows(*before, 1).empty());
}

TEST_CASE("the numbers of spaces are not handed out again after a crash", "[lmdb][views]") {
    const temporary_directory directory;
    row_space named = 0;
    for (int life = 0; life != 5; ++life) {
        int told[2];
        REQUIRE(::pipe(told) == 0);
        const auto ended = in_child([&] {
            const auto store = open_views(directory.path());
            const auto space = store->new_space();
            // It has no rows, and only the catalog names it.
            if (put(*store, catalog_space, {{"named", std::to_string(space)}}) != "applied" ||
                ::write(told[1], &space, sizeof space) != sizeof space)
                return 1;
            ::kill(::getpid(), SIGKILL);
            return 2;
        });
        ::close(told[1]);
        row_space space = 0;
        REQUIRE(::read(told[0], &space, sizeof space) == sizeof space);
        ::close(told[0]);
        REQUIRE(ended == 128 + SIGKILL);
        REQUIRE(space > named);
        named = space;
    }
}

TEST_CASE("what was answered as applied is there after the process is killed", "[lmdb][views]") {
    const temporary_directory directory;
    int applied[2];
    REQUIRE(::pipe(applied) == 0);
    const auto ended = in_child([&] {
        const auto store = open_views(directory.path());
        for (int i = 0;; ++i) {
            row_changes changes;
            for (const row_space space : {0U, 1U, 2U})
                changes.put(space, raw("at"), raw(std::to_string(i)));
            if (i == 50)
                ::kill(::getpid(), SIGKILL);
            if (!apply_and_wait(*store, std::move(changes)) ||
                ::write(applied[1], &i, sizeof i) != sizeof i)
                return 1;
        }
    });
    ::close(applied[1]);
    int last = -1;
    for (int next = 0; ::read(applied[0], &next, sizeof next) == sizeof next;)
        last = next;
    ::close(applied[0]);
    REQUIRE(ended == 128 + SIGKILL);
    REQUIRE(last == 49);
    const auto store = open_views(directory.path());
    for (const row_space space : {0U, 1U, 2U})
        REQUIRE(value_of(*store, space, "at") == "49");
}

TEST_CASE("a forked child cannot use its parent's projection store, and does it no harm",
          "[lmdb][views]") {
    const temporary_directory directory;
    auto store = open_views(directory.path());
    REQUIRE(put(*store, 1, {{"a", "1"}, {"b", "2"}}) == "applied");
    auto snapshot = store->snapshot().value();
    REQUIRE(seen(snapshot->at_or_after(1, {})) == row_of("a", "1"));
    const auto child = in_child([&] {
        const auto expected = errc::after_fork;
        if (snapshot->get(1, raw("a")).error().code != expected ||
            snapshot->at_or_after(1, {}).error().code != expected ||
            snapshot->last_before(1, raw("z")).error().code != expected ||
            snapshot->last(1).error().code != expected ||
            snapshot->next().error().code != expected || snapshot->renew().error().code != expected)
            return 1;
        if (store->snapshot().error().code != expected)
            return 2;
        if (store->keep_only({}).error().code != expected)
            return 3;
        if (put(*store, 1, {{"a", "2"}}) != "after_fork")
            return 4;
        store->close();
        snapshot.reset();
        store.reset();
        return refusal_to_open_views(directory.path()) == errc::in_use ? 0 : 5;
    });
    REQUIRE(child == 0);
    REQUIRE(put(*store, 1, {{"a", "3"}}) == "applied");
    REQUIRE(seen(snapshot->next()) == row_of("b", "2"));
    REQUIRE(value_of(*snapshot, 1, "a") == "1");
    REQUIRE(value_of(*store, 1, "a") == "3");
    REQUIRE(refusal_to_open_views(directory.path()) == errc::in_use);
    snapshot.reset();
    store->close();
    REQUIRE(refusal_to_open_views(directory.path()) == errc{});
}

TEST_CASE("closing waits for the snapshots that are still held", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    REQUIRE(put(*store, 1, {{"a", "1"}}) == "applied");
    auto snapshot = store->snapshot().value();
    std::atomic<bool> closed{false};
    std::thread closer([&] {
        store->close();
        closed = true;
    });
    // Refused as soon as it is closing; the snapshot shows what it showed.
    while (put(*store, 1, {{"a", "2"}}) == "applied")
        std::this_thread::yield();
    const auto value = value_of(*snapshot, 1, "a");
    const bool too_early = closed;
    const bool locked = refusal_to_open_views(directory.path()) == errc::in_use;
    snapshot.reset();
    closer.join();
    REQUIRE(value == "1");
    REQUIRE_FALSE(too_early);
    REQUIRE(locked);
    REQUIRE(refusal_to_open_views(directory.path()) == errc{});
}

TEST_CASE("a snapshot that cannot be renewed says so and can go", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    auto snapshot = store->snapshot().value();
    std::thread closer([&] { store->close(); });
    while (snapshot->renew()) // until closing has begun
        std::this_thread::yield();
    const auto refused = snapshot->renew().error().code;
    snapshot.reset();
    closer.join();
    REQUIRE(refused == errc::closed);
}

TEST_CASE("waiting for the disk within a callback is an error, not a deadlock", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    errc answer{};
    store->apply({}, [&](const result<void>&) { answer = store->keep_only({}).error().code; });
    store->close();
    REQUIRE(answer == errc::would_deadlock);
}
