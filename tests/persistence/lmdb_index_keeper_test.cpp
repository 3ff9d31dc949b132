// What is refused while the index of streams is made again, when the comparison in the background was
// the first to find what is wrong. The test does the writer's other work itself, piece by piece.

#include "lmdb_store_verbs.hpp"

#include "lmdb/file/varint.hpp"
#include "lmdb/journal/batch.hpp"
#include "lmdb/journal/store.hpp"

#include <map>

using namespace annals;
using namespace annals::test;

namespace {

using versions = std::map<std::string, stream_version>;

/// A store with one event in each of many streams, in the order of their names. The writer makes its
/// index again in several pieces.
struct ordered_store {
    temporary_directory directory;
    versions truth;

    ordered_store() {
        const auto journal = open_store(directory.path());
        std::vector<owned_commit> commits;
        for (int i = 0; i != 12'000; ++i) {
            commits.push_back(commit_of(std::to_string(i), "cart-" + std::to_string(10'000 + i)));
            truth[commits.back().stream] = 1;
        }
        for (const auto& stored : append_all(*journal, std::move(commits)))
            REQUIRE(stored);
    }

    enum class fault { damaged, older_than_the_log };

    /// Spoils the block of `stream`; returns all streams that are in it.
    [[nodiscard]] versions spoil_block_of(const std::string& stream, fault how) const {
        const auto env =
            lmdb::open_env(directory.path() / "journal.mdb", std::size_t{1} << 30, MDB_NOLOCK)
                .value();
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(env.get(), 0, txn) == 0);
        lmdb::index_tables index;
        REQUIRE(lmdb::open_index(txn.get(), 1, index) == 0);
        const lmdb::stream_index stored(txn.get(), index);
        auto block = stored.block_after(nullptr).value();
        while (!block.covers(stream))
            block = stored.block_after(&block).value();
        const std::string low(block.low);
        const std::string high(block.high);
        bytes spoiled;
        const auto crc = lmdb::encode_block(
            low, high, how == fault::damaged ? block.entries : bytes_view(), spoiled);
        if (how == fault::damaged)
            spoiled[spoiled.size() / 2] ^= std::byte{4};
        auto key = lmdb::as_value(std::string_view(low));
        auto value = lmdb::as_value(bytes_view(spoiled));
        REQUIRE(mdb_put(txn.get(), index.heads, &key, &value, 0) == 0);
        std::array<std::byte, 4> sum{};
        lmdb::put_fixed(sum.data(), crc);
        auto sum_value = lmdb::as_value(bytes_view(sum));
        REQUIRE(mdb_put(txn.get(), index.sums, &key, &sum_value, 0) == 0);
        REQUIRE(lmdb::commit_txn(txn) == 0);
        std::filesystem::remove(directory.path() / "journal.tail"); // of another transaction
        return {truth.lower_bound(low), high.empty() ? truth.end() : truth.lower_bound(high)};
    }
};

/// A journal without its thread.
class stepped_journal {
public:
    explicit stepped_journal(const std::filesystem::path& directory)
        : store_(opened(directory)),
          keeper_({.env = store_->files.env.get(),
                   .table = store_->files.table,
                   .identity = store_->files.identity,
                   .heads = store_->heads,
                   .flush = store_->flush,
                   .index = store_->index,
                   .gauge = store_->gauge},
                  store_->options.cached_streams) {}

    /// A piece of the writer's work between two batches.
    void step() { REQUIRE(keeper_.work(store_->head, 0)); }

    [[nodiscard]] bool is_sound() const {
        return !store_->index.damaged() && !store_->gauge.rebuilding;
    }
    [[nodiscard]] bool is_distrusted() const { return store_->index.distrusted(); }
    [[nodiscard]] std::uint64_t rebuilds() const { return store_->gauge.rebuilds; }

    [[nodiscard]] result<stream_info> describe(std::string_view stream) const {
        return store_->reads.describe(stream);
    }
    /// What a commit that expects another version is refused with.
    [[nodiscard]] error refusal_of(const std::string& stream) {
        lmdb::batch one(store_->heads, store_->files.table, store_->index, store_->capabilities);
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(store_->files.env.get(), 0, txn) == 0);
        REQUIRE(one.start(txn.get(), store_->head) == 0);
        const auto next = commit_of("next", stream, expected_version::exactly(7));
        const new_event event{next.events[0].type, next.events[0].payload};
        const auto stored = one.store({.stream = next.stream,
                                       .expected = next.expected,
                                       .about = &next.about,
                                       .events = std::span(&event, 1)});
        one.close();
        one.discard();
        REQUIRE_FALSE(stored);
        return stored.error();
    }

private:
    static std::shared_ptr<lmdb::store> opened(const std::filesystem::path& directory) {
        auto files = lmdb::open_or_create(directory, small_store()).value();
        const auto state = lmdb::read_state(files.env.get(), files.table, {}).value();
        REQUIRE(state.index.reach == state.head);
        return std::make_shared<lmdb::store>(std::move(files), state, small_store());
    }

    std::shared_ptr<lmdb::store> store_;
    lmdb::index_keeper keeper_;
};

} // namespace

TEST_CASE("a damaged block that the comparison finds first refuses its own streams alone",
          "[lmdb][index]") {
    const ordered_store store;
    const auto refused = store.spoil_block_of("cart-10500", ordered_store::fault::damaged);
    REQUIRE(refused.size() > 3);
    stepped_journal journal(store.directory.path());
    while (journal.is_sound())
        journal.step();
    REQUIRE(journal.rebuilds() == 1);
    for (const auto& [stream, version] : store.truth) {
        INFO(stream);
        const auto info = journal.describe(stream);
        const auto why = journal.refusal_of(stream);
        if (refused.count(stream) != 0) {
            REQUIRE(info.error().code == errc::unavailable);
            REQUIRE(why == info.error());
            REQUIRE_THAT(why.message, Catch::Contains("damaged where \"" + stream + "\" belongs"));
        } else {
            REQUIRE(info.value().version == version);
            REQUIRE(why.code == errc::version_conflict);
        }
    }
    while (!journal.is_sound())
        journal.step();
    for (const auto& [stream, version] : store.truth)
        REQUIRE(journal.describe(stream).value().version == version);
    REQUIRE(journal.rebuilds() == 1);
}

TEST_CASE("an index older than the log refuses what is not in memory, and says so",
          "[lmdb][index]") {
    const ordered_store store;
    static_cast<void>(store.spoil_block_of("cart-10500", ordered_store::fault::older_than_the_log));
    stepped_journal journal(store.directory.path());
    while (journal.is_sound())
        journal.step();
    for (const auto* const stream : {"cart-10500", "cart-12900"}) {
        const auto why = journal.describe(stream).error();
        REQUIRE(why.code == errc::unavailable);
        REQUIRE(journal.refusal_of(stream) == why);
        REQUIRE_THAT(why.message, Catch::Contains("older than the log"));
        REQUIRE_THAT(why.message, !Catch::Contains("damaged where"));
        REQUIRE_THAT(why.message, Catch::Contains("send again"));
    }
    while (!journal.is_sound())
        journal.step();
    REQUIRE(journal.describe("cart-10500").value().version == 1);
    REQUIRE(journal.rebuilds() == 1);
}

TEST_CASE("a block that is older than the log is found beside a damaged one", "[lmdb][index]") {
    const ordered_store store;
    const std::string old = "cart-13500"; // not in the piece that finds the damage
    static_cast<void>(store.spoil_block_of(old, ordered_store::fault::older_than_the_log));
    static_cast<void>(store.spoil_block_of("cart-10500", ordered_store::fault::damaged));
    stepped_journal journal(store.directory.path());
    while (journal.is_sound())
        journal.step();
    REQUIRE_FALSE(journal.is_distrusted());
    bool noticed = false;
    for (; !journal.is_sound(); noticed = noticed || journal.is_distrusted())
        journal.step();
    REQUIRE(noticed);
    REQUIRE(journal.describe(old).value().version == 1);
}
