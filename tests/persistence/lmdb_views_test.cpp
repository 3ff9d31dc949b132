// What the projection store on disk does besides its contract: damage, forks, closing.

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
        const auto at = random() % damaged.size();
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
        const bool in_link = at >= 4 && at < 8;
        edit_views(directory.path(),
                   [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw(damaged)); });
        {
            const auto store = open_views(directory.path());
            const auto now = store->snapshot().value();
            REQUIRE(all_rows(*now, 1).back() == rows::value_type{"error", "corrupt"});
            const auto key_behind = key.substr(4) + '\x01';
            const auto said = now->get(1, raw(in_link ? key_behind : key.substr(4))).error();
            REQUIRE_THAT(said.message, Catch::Contains("rebuild that projection") &&
                                           Catch::Contains("delete views.mdb"));
            if (in_link) // the row itself is as it was
                REQUIRE(value_of(*now, 1, key.substr(4)) == "a value of some length");
            else
                REQUIRE(every_search_says(*now, key.substr(4), errc::corrupt));
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
        REQUIRE(put(*open_views(directory.path()), 1, {{"b", "1"}}) == "applied");
        edit_views(directory.path(), [&](MDB_txn* txn) { put_entry(txn, "rows", key, raw("x")); });
        const auto store = open_views(directory.path());
        REQUIRE(store->snapshot().value()->last_before(1, raw("a")).error().code == errc::corrupt);
        REQUIRE(value_of(*store, 1, "a") == "corrupt");
        REQUIRE(value_of(*store, 1, "b") == "1");
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

TEST_CASE("a value may be as large as a row may, if the batch may", "[lmdb][views]") {
    const temporary_directory directory;
    auto options = small_views();
    options.max_batch_bytes = std::size_t{64} << 20;
    const auto store = open_views(directory.path(), options);
    std::string value(max_row_value_bytes, 'v');
    REQUIRE(put(*store, 1, {{"a", value}}) == "applied");
    REQUIRE(value_of(*store, 1, "a") == value);
    value += 'v';
    REQUIRE(put(*store, 1, {{"a", value}}) == "too_large");
}

TEST_CASE("a row that was large for a moment within a transaction stays what it became",
          "[lmdb][views]") {
    const temporary_directory directory;
    {
        const auto store = open_views(directory.path());
        REQUIRE(put(*store, 1, {{"a", "1"}}) == "applied");
        std::promise<result<void>> both;
        store->apply({}, [&, to = store.get()](const result<void>&) {
            // On the writer's thread, so that one transaction takes both.
            row_changes grow;
            grow.put(1, raw("b"), raw(std::string(20'000, 'l')));
            to->apply(std::move(grow), {});
            row_changes shrink;
            shrink.put(1, raw("b"), raw("small"));
            to->apply(std::move(shrink), [&](const result<void>& how) { both.set_value(how); });
        });
        REQUIRE(both.get_future().get());
    }
    const auto beside = GENERATE(false, true);
    CAPTURE(beside);
    if (beside) {
        const auto store = open_views(directory.path());
        REQUIRE(put(*store, 1, {{"c", "2"}}) == "applied");
        REQUIRE(value_of(*store, 1, "b") == "small");
        REQUIRE(erase(*store, 1, "c") == "applied");
    }
    const auto store = open_views(directory.path()); // which looks at the pages
    REQUIRE(all_rows(*store, 1) == rows{{"a", "1"}, {"b", "small"}});
}
