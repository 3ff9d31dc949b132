// Spaces of the projection store on disk: rows that go bit by bit, numbers that do not come back.

#include "lmdb_views_verbs.hpp"

#include "lmdb/projection_store/format.hpp"

#include <future>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

std::size_t rows_of(const fs::path& directory, row_space space) {
    std::size_t count = 0;
    for (const auto& [key, value] : views_entries(directory, "rows"))
        count += key.substr(0, 4) == std::string({0, 0, 0, static_cast<char>(space)});
    return count;
}

} // namespace

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

TEST_CASE("a number in use is not handed out, whatever else the store says", "[lmdb][views]") {
    const temporary_directory directory;
    REQUIRE(put(*open_views(directory.path()), 500, {{"a", "1"}}) == "applied");
    const auto forget_next_space = [&] {
        edit_views(directory.path(), [](MDB_txn* txn) {
            MDB_dbi meta = 0;
            REQUIRE(mdb_dbi_open(txn, "meta", 0, &meta) == 0);
            auto key = lmdb::as_value(lmdb::next_space_key);
            REQUIRE(mdb_del(txn, meta, &key, nullptr) == 0);
        });
    };
    forget_next_space();
    REQUIRE(open_views(directory.path())->new_space() == 501);
    {
        const auto store = open_views(directory.path());
        row_changes changes;
        changes.drop(700);
        auto* const plain = store.get();
        std::promise<void> closing; // before the drop is done with
        store->apply(std::move(changes), [&](const result<void>&) {
            plain->close();
            closing.set_value();
        });
        closing.get_future().get();
    }
    forget_next_space();
    REQUIRE(open_views(directory.path())->new_space() == 701);
}

TEST_CASE("the last number there is does not turn into the catalog's", "[lmdb][views]") {
    const temporary_directory directory;
    constexpr auto last = ~row_space{0};
    const auto store = open_views(directory.path());
    REQUIRE(put(*store, last, {{"a", "1"}, {"b", "2"}}) == "applied");
    for (int i = 0; i != 3; ++i)
        REQUIRE(store->new_space() == last);
    {
        const auto now = store->snapshot().value();
        REQUIRE(seen(now->last(last)) == row_of("b", "2"));
        REQUIRE(seen(now->previous()) == row_of("a", "1"));
    }
    REQUIRE(store->keep_only({}));
    REQUIRE(all_rows(*store, last).empty());
}
