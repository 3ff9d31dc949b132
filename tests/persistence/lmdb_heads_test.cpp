#include "lmdb_store_verbs.hpp"

#include "lmdb/journal/head_table.hpp"
#include "lmdb/journal/opening.hpp"
#include "lmdb/journal/recovery.hpp"

using namespace annals;
using namespace annals::test;

namespace {

lmdb::stream_head head_of(stream_version version) {
    lmdb::stream_head head;
    for (stream_version v = 1; v <= version; ++v)
        head.push(v * 10);
    return head;
}

/// What a stream must look like, by what was appended to it.
struct expected_stream {
    std::vector<log_position> positions;
};
using expected_streams = std::map<std::string, expected_stream>;

expected_streams streams_in(const journal& from) {
    expected_streams all;
    for (const auto& event : read_log(from)) {
        auto& stream = all[event.stream];
        stream.positions.push_back(event.position);
        REQUIRE(event.version == stream.positions.size());
    }
    return all;
}

/// The heads agree with the log: every stream's end, beginning and any version by its links.
void require_heads_agree(const journal& from, std::mt19937_64& random) {
    for (const auto& [name, stream] : streams_in(from)) {
        const auto info = from.describe(name).value();
        REQUIRE(info.version == stream.positions.size());
        REQUIRE(info.first_position == stream.positions.front());
        REQUIRE(info.last_position == stream.positions.back());
        const auto version = 1 + random() % info.version;
        const auto page = from.read_stream(name, version, 1).value();
        REQUIRE(page.events.size() == 1);
        REQUIRE(page.through == stream.positions[version - 1]);
    }
}

lmdb::store_state state_of(const std::filesystem::path& directory) {
    const auto files = lmdb::open_to_verify(directory, small_store()).value();
    return lmdb::read_state(files.env.get(), files.table, {}).value();
}

} // namespace

TEST_CASE("the heads in memory are a map, whatever is put in and thrown out", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    lmdb::head_table heads;
    std::map<std::string, stream_version> expected;
    for (int i = 0; i != 30'000; ++i) {
        const auto name = "cart-" + std::to_string(random() % 3'000);
        auto* const entry = heads.find(name);
        REQUIRE((entry != nullptr) == (expected.count(name) == 1));
        const auto version = 1 + random() % 20;
        if (entry == nullptr) {
            heads.insert(name, head_of(version));
            expected[name] = version;
        } else if (random() % 3 == 0) {
            heads.erase(*entry);
            expected.erase(name);
        } else {
            heads.publish(*entry, head_of(version));
            expected[name] = version;
        }
        REQUIRE(heads.size() == expected.size());
    }
    for (const auto& [name, version] : expected)
        REQUIRE(*heads.read(name) == head_of(version));
}

TEST_CASE("eviction keeps what is dirty, and stops at the limit", "[lmdb]") {
    lmdb::head_table heads;
    for (int i = 0; i != 2'000; ++i)
        heads.insert("cart-" + std::to_string(i), head_of(1)).dirty = i % 4 == 0;
    heads.evict(1'000, 1'000'000);
    REQUIRE(heads.size() == 1'000);
    heads.evict(0, 1'000'000);
    REQUIRE(heads.size() == 500);
    for (int i = 0; i != 2'000; i += 4)
        REQUIRE(heads.read("cart-" + std::to_string(i)));
}

TEST_CASE("a stream that nobody has written to has no head", "[lmdb]") {
    lmdb::head_table heads;
    heads.insert("cart-1", lmdb::stream_head());
    REQUIRE_FALSE(heads.read("cart-1"));
    REQUIRE_FALSE(heads.read("cart-2"));
}

TEST_CASE("heads are the same whether they were cached, flushed, evicted or replayed", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (const std::size_t cached : {1U, 16U, 300U, 1U << 20}) {
        const temporary_directory directory;
        auto options = small_store();
        options.cached_streams = cached;
        for (int life = 0; life != 3; ++life) {
            const auto life_seed = random();
            const auto crashed = in_child([&] {
                std::mt19937_64 choice(life_seed);
                const auto journal = open_store(directory.path(), options);
                for (int i = 0; i != 20; ++i)
                    append_randomly(*journal, choice, 1 + choice() % 60, 400);
                return 0; // and is gone without closing
            });
            REQUIRE(crashed == 0);
            REQUIRE(verify_store(directory.path(), options));
            const auto journal = open_store(directory.path(), options);
            require_heads_agree(*journal, random);
            append_randomly(*journal, random, 50, 400);
            require_heads_agree(*journal, random);
        }
    }
}

TEST_CASE("an orderly close leaves nothing to replay", "[lmdb]") {
    std::mt19937_64 random(3);
    const temporary_directory directory;
    auto options = small_store();
    for (const std::size_t cached : {1U, 100U, 100'000U}) {
        options.cached_streams = cached;
        append_randomly(*open_store(directory.path(), options), random, 500, 100);
        const auto state = state_of(directory.path());
        REQUIRE(state.head != 0);
        REQUIRE(state.index.reach == state.head);
    }
}

TEST_CASE("a crash leaves no more to replay than twice the cached streams", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    const temporary_directory directory;
    auto options = small_store();
    options.cached_streams = 2'000;
    constexpr std::size_t batch = 100; // commits appended at a time, of 4 events at most
    const auto crashed = in_child([&] {
        std::mt19937_64 choice(seed);
        const auto journal = open_store(directory.path(), options);
        for (int i = 0; i != 150; ++i)
            append_randomly(*journal, choice, batch, 100'000);
        return 0;
    });
    REQUIRE(crashed == 0);
    const auto state = state_of(directory.path());
    REQUIRE(state.head > 3 * options.cached_streams);
    REQUIRE(state.head - state.index.reach <= 2 * options.cached_streams + 2 * 4 * batch);
}

TEST_CASE("a slice of heads is bounded, however much was stored since the last", "[lmdb]") {
    const temporary_directory directory;
    auto files = lmdb::open_or_create(directory.path(), small_store()).value();
    auto state = lmdb::read_state(files.env.get(), files.table, {}).value();
    lmdb::head_table heads;
    lmdb::head_flush flush(files.table, state.tables, state.index, 100'000);
    const auto count = 3 * lmdb::head_flush::most_heads;
    for (std::size_t i = 0; i != count; ++i)
        flush.changed(heads.insert("cart-" + std::to_string(i), head_of(1)));
    flush.advance(1'000'000, 1'000'000); // one commit may be that large
    while (flush.dirty() != 0) {
        const auto before = flush.dirty();
        lmdb::txn_handle txn;
        REQUIRE(lmdb::begin_txn(files.env.get(), 0, txn) == 0);
        REQUIRE(flush.write_slice(txn.get()) == 0);
        REQUIRE(lmdb::commit_txn(txn) == 0);
        flush.slice_committed();
        REQUIRE(before - flush.dirty() <= lmdb::head_flush::most_heads);
        flush.advance(1'000'000, 1'000'000);
    }
    REQUIRE(flush.state().streams == count);
}
