#include "lmdb_views_verbs.hpp"

#include "lmdb/file/store_identity.hpp"
#include "lmdb/file/varint.hpp"
#include "lmdb/projection_store/format.hpp"

#include <fcntl.h>
#include <future>
#include <sys/stat.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

} // namespace

TEST_CASE("a projection store is created with the directories above it", "[lmdb][views]") {
    const temporary_directory directory;
    const auto path = directory.path() / "a" / "b.store";
    REQUIRE(put(*open_views(path), 1, {{"a", "1"}}) == "applied");
    REQUIRE(value_of(*open_views(path), 1, "a") == "1");
    std::vector<std::string> names;
    for (const auto& [name, ignored] : contents_of(path))
        names.push_back(name);
    REQUIRE(names == std::vector<std::string>{"views.lock", "views.mdb", "views.mdb-lock"});
}

TEST_CASE("a projection store lies beside its log", "[lmdb][views]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    const auto views =
        open_lmdb_projection_store(directory.path(), journal->id(), small_views()).value();
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    REQUIRE(put(*views, 1, {{"a", "1"}}) == "applied");
    journal->close();
    REQUIRE(put(*views, 1, {{"b", "1"}}) == "applied");
    REQUIRE(refusal_to_open(directory.path()) == errc{});
    REQUIRE(refusal_to_open_views(directory.path()) == errc::in_use);
}

TEST_CASE("a creation of a projection store that was interrupted is begun anew", "[lmdb][views]") {
    const temporary_directory directory;
    write_file(directory.path() / "views.mdb.new", "half of a store");
    write_file(directory.path() / "views.lock", "12345\n");
    REQUIRE(put(*open_views(directory.path()), 1, {{"a", "1"}}) == "applied");
    REQUIRE_FALSE(fs::exists(directory.path() / "views.mdb.new"));
}

TEST_CASE("a projection store is open once in a process, and in one at a time", "[lmdb][views]") {
    const temporary_directory directory;
    auto store = open_views(directory.path());
    const auto again = open_lmdb_projection_store(directory.path(), the_log, small_views());
    REQUIRE(again.error().code == errc::in_use);
    REQUIRE(again.error().message.find(std::to_string(::getpid())) != std::string::npos);
    const auto try_to_open = [&] {
        return static_cast<int>(refusal_to_open_views(directory.path()));
    };
    REQUIRE(in_child(try_to_open) == static_cast<int>(errc::in_use));
    REQUIRE(put(*store, 1, {{"a", "1"}}) == "applied");
    store->close();
    REQUIRE(in_child(try_to_open) == 0); // and dies with it open
    REQUIRE(value_of(*open_views(directory.path()), 1, "a") == "1");
}

TEST_CASE("the projection store of another log is refused and left alone", "[lmdb][views]") {
    const temporary_directory directory;
    REQUIRE(put(*open_views(directory.path()), 1, {{"a", "1"}}) == "applied");
    const auto before = contents_of(directory.path());
    const auto other = uuid::of_name("another log");
    const auto refused = open_lmdb_projection_store(directory.path(), other, small_views()).error();
    REQUIRE(refused.code == errc::not_a_store);
    for (const auto& part : {(directory.path() / "views.mdb").string(), the_log.to_string(),
                             other.to_string(), std::string("delete it")})
        REQUIRE_THAT(refused.message, Catch::Contains(part));
    REQUIRE(contents_of(directory.path()).at("views.mdb") == before.at("views.mdb"));
    REQUIRE(value_of(*open_views(directory.path()), 1, "a") == "1");
}

TEST_CASE("a views.mdb of another kind is refused and left alone", "[lmdb][views]") {
    const temporary_directory directory;
    const auto file = directory.path() / "views.mdb";
    const auto require_refused = [&] {
        const auto before = contents_of(directory.path());
        REQUIRE(refusal_to_open_views(directory.path()) == errc::not_a_store);
        REQUIRE(contents_of(directory.path()) == before);
    };
    for (const auto& content : {std::string(), std::string("text"), std::string(100'000, 'x'),
                                std::string(8'192, '\0')}) {
        write_file(file, content);
        require_refused();
    }
    fs::remove(file);
    edit_views(directory.path(), [](MDB_txn* txn) { put_entry(txn, "users", "17", raw("x")); });
    require_refused();
    edit_views(directory.path(), [](MDB_txn* txn) {
        for (const auto* table : {"rows", "meta"})
            put_entry(txn, table, "key", raw("value"));
    });
    require_refused();
    edit_views(directory.path(), [](MDB_txn* txn) { put_entry(txn, "meta", "views", raw("?")); });
    require_refused();
    fs::remove(file);
    open_store(directory.path() / "journal")->close();
    fs::rename(directory.path() / "journal" / "journal.mdb", file);
    require_refused();
    fs::remove(file);
    fs::create_directory(file);
    REQUIRE(refusal_to_open_views(directory.path()) == errc::not_a_store);
}

TEST_CASE("a projection store of another format version is refused by naming both",
          "[lmdb][views]") {
    const temporary_directory directory;
    open_views(directory.path())->close();
    edit_views(directory.path(), [](MDB_txn* txn) {
        put_entry(txn, "meta", lmdb::views_identity_key, lmdb::encode_identity({the_log, {}}, 7));
    });
    const auto refused = open_lmdb_projection_store(directory.path(), the_log, small_views());
    REQUIRE(refused.error().code == errc::incompatible_format);
    REQUIRE_THAT(refused.error().message,
                 Catch::Contains("version 7") && Catch::Contains("version 2"));
}

TEST_CASE("a flipped bit in what the projection store says of itself refuses the opening",
          "[lmdb][views]") {
    const temporary_directory directory;
    {
        const auto store = open_views(directory.path());
        const auto space = store->new_space();
        fill_space(*store, space, 10'000);
        row_changes changes;
        changes.drop(space);
        changes.drop(70'000);
        auto* const plain = store.get();
        std::promise<void> closing; // before the dropped rows are erased
        store->apply(std::move(changes), [&](const result<void>&) {
            plain->close();
            closing.set_value();
        });
        closing.get_future().get();
    }
    REQUIRE(views_entries(directory.path(), "meta").size() == 4);
    for (const auto& [key, value] : views_entries(directory.path(), "meta"))
        for (std::size_t bit = 0; bit != value.size() * 8; ++bit) {
            auto damaged = value;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
            edit_views(directory.path(),
                       [&](MDB_txn* txn) { put_entry(txn, "meta", key, raw(damaged)); });
            const bool identity = key == lmdb::views_identity_key;
            INFO(key << ", bit " << bit);
            REQUIRE(refusal_to_open_views(directory.path()) ==
                    (identity && bit < 64   ? errc::not_a_store
                     : identity && bit < 96 ? errc::incompatible_format
                                            : errc::corrupt));
            edit_views(directory.path(),
                       [&](MDB_txn* txn) { put_entry(txn, "meta", key, raw(value)); });
        }
    REQUIRE(refusal_to_open_views(directory.path()) == errc{});
}

TEST_CASE("spaces out of order in the list of dropped ones are damage", "[views]") {
    for (const auto& spaces : {std::vector<row_space>{2, 1}, std::vector<row_space>{1, 1}})
        REQUIRE(lmdb::decode_dropped(lmdb::encode_dropped(spaces)).error().code == errc::corrupt);
    const std::vector<row_space> in_order{1, 2, ~row_space{0}};
    REQUIRE(lmdb::decode_dropped(lmdb::encode_dropped(in_order)).value() == in_order);
    REQUIRE(lmdb::decode_dropped({}).error().code == errc::corrupt);
}

TEST_CASE("a projection store that lost its end is refused", "[lmdb][views]") {
    const temporary_directory directory;
    {
        const auto store = open_views(directory.path());
        REQUIRE(put(*store, 1, {{"a", std::string(4'000'000, 'x')}}) == "applied");
    }
    const auto file = directory.path() / "views.mdb";
    fs::resize_file(file, fs::file_size(file) / 2);
    REQUIRE(refusal_to_open_views(directory.path()) == errc::corrupt);
}

TEST_CASE("options of a projection store are checked before anything is touched", "[lmdb][views]") {
    const temporary_directory directory;
    const std::vector<std::function<void(projection_store_options&)>> wrong = {
        [](auto& o) { o.max_batch_bytes = 0; },
        [](auto& o) { o.max_batch_bytes = (std::size_t{64} << 20) + 1; },
        [](auto& o) { o.max_store_bytes = 1; },
        [](auto& o) { o.wait_for_lock = std::chrono::milliseconds(-1); },
    };
    for (const auto& change : wrong) {
        auto options = small_views();
        change(options);
        REQUIRE(refusal_to_open_views(directory.path(), options) == errc::invalid_argument);
    }
    const auto nameless = open_lmdb_projection_store(directory.path(), {}, small_views());
    REQUIRE(nameless.error().code == errc::invalid_argument);
    REQUIRE(contents_of(directory.path()).empty());
}

TEST_CASE("LMDB's lock file of a projection store has all its blocks", "[lmdb][views]") {
    const temporary_directory directory;
    const auto store = open_views(directory.path());
    struct stat status {};
    REQUIRE(::stat((directory.path() / "views.mdb-lock").c_str(), &status) == 0);
    REQUIRE(status.st_blocks * 512 >= status.st_size);
}
