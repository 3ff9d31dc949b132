#include "lmdb/journal/recovery.hpp"

#include "lmdb/file/disk_errors.hpp"
#include "lmdb/journal/index_state.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

/// Records that opening reads before it looks at how many heads are dirty.
constexpr std::size_t records_at_once = 65'536;

/// The index that the store names, if it can be used.
index_state read_index(MDB_txn* txn, const tables& table, index_tables& into) {
    auto key = as_value(index_key);
    MDB_val value{};
    if (mdb_get(txn, table.meta, &key, &value) != 0)
        return {};
    const auto state = decode_index_state(as_bytes(value));
    if (!state || state->generation == 0 || open_index(txn, state->generation, into) != 0)
        return {};
    return *state;
}

int put_identity(MDB_txn* txn, MDB_dbi meta, const store_identity& identity) {
    const auto stored = encode_identity(identity, format_version);
    auto key = as_value(identity_key);
    auto value = as_value(bytes_view(stored));
    return mdb_put(txn, meta, &key, &value, 0);
}

} // namespace

result<store_state> read_state(MDB_env* env, const tables& table,
                               std::span<const damaged_table> damaged) {
    txn_handle txn;
    if (const auto rc = begin_txn(env, MDB_RDONLY, txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    const auto last = log_table(txn.get(), table).last();
    if (!last)
        return last.error();
    store_state state;
    state.head = *last;
    state.index = read_index(txn.get(), table, state.tables);
    if (state.index.reach > *last)
        return corrupt_at(state.index.reach, "the index of streams reaches beyond the log");
    for (const auto& each : damaged)
        if (is_index_table(each.name, state.index.generation)) {
            state.index_damage = each.why;
            state.index = {};
            state.tables = {};
            break;
        }
    // Handles of tables outlive a read transaction only if it ends in this way.
    if (const auto rc = commit_txn(txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return state;
}

int begin_index(MDB_txn* txn, const tables& table, const store_identity& identity,
                store_state& state) {
    state.index = {.generation = next_generation(txn)};
    auto rc = create_index(txn, state.index.generation, state.tables);
    if (rc == 0)
        rc = put_index_state(txn, table.meta, state.index);
    if (rc == 0)
        rc = put_identity(txn, table.meta, identity);
    if (rc != 0)
        return rc;
    auto key = as_value(heads_reach_key);
    rc = mdb_del(txn, table.meta, &key, nullptr);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

result<void> begin_index(MDB_env* env, const tables& table, const store_identity& identity,
                         store_state& state) {
    auto begun = state;
    txn_handle txn;
    auto rc = begin_txn(env, 0, txn);
    if (rc == 0)
        rc = begin_index(txn.get(), table, identity, begun);
    if (rc == 0)
        rc = commit_txn(txn);
    txn.reset();
    if (rc != 0)
        return disk_errors(env).error_of(rc, head_flush::most_bytes,
                                         "cannot make the index of streams");
    state = begun;
    return {};
}

log_replay::log_replay(MDB_env* env, const tables& table, const index_tables& index,
                       log_position reach, head_table& heads, head_flush& flush) noexcept
    : env_(env),
      table_(table),
      index_(index),
      reach_(reach),
      heads_(heads),
      flush_(flush),
      position_(reach) {
    if (reach == 0)
        heads_.expect_all(); // every event is replayed
}

result<cached_head*> log_replay::entry_of(MDB_txn* txn, std::string_view stream) {
    if (auto* const entry = heads_.find(stream))
        return entry;
    if (heads_.holds_all())
        return &heads_.insert(stream, stream_head());
    auto head =
        load_head(log_table(txn, table_), stream_index(txn, index_), stream, index_damaged_);
    if (!head)
        return head.error();
    return &heads_.insert(stream, std::move(*head));
}

result<void> log_replay::take(MDB_txn* txn, const record& event) {
    auto entry = entry_of(txn, event.stream);
    if (!entry)
        return entry.error();
    auto& known = (*entry)->head;
    if (event.version <= known.version())
        return {}; // the stored head was written later than the index's reach says
    if (event.version != known.version() + 1 || event.previous != known.last() ||
        event.jump != known.next_jump()) {
        index_damaged_ = reach_ != 0; // otherwise the head was made of the log alone
        return corrupt_at(event.position, "it does not follow its stream's head");
    }
    auto next = known;
    next.push(event.position);
    heads_.publish(**entry, std::move(next));
    flush_.changed(**entry);
    return {};
}

result<void> log_replay::read(log_position through, std::size_t most) {
    if (position_ >= through)
        return {};
    const auto end = position_ + std::min<std::uint64_t>(most, through - position_);
    txn_handle txn;
    cursor_handle cursor;
    auto rc = begin_txn(env_, MDB_RDONLY, txn);
    if (rc == 0)
        rc = open_cursor(txn.get(), table_.log, cursor);
    auto step = MDB_SET_RANGE;
    while (rc == 0 && position_ != end) {
        std::size_t number = position_ + 1;
        auto key = as_value(number);
        MDB_val value{};
        rc = mdb_cursor_get(cursor.get(), &key, &value, std::exchange(step, MDB_NEXT));
        if (rc == MDB_NOTFOUND || (rc == 0 && position_of(key) != position_ + 1))
            return corrupt_at(position_ + 1, "there is no such record");
        if (rc != 0)
            break;
        const auto event = parse_record(position_ + 1, as_bytes(value));
        if (!event)
            return event.error();
        if (auto taken = take(txn.get(), *event); !taken)
            return taken;
        ++position_;
    }
    if (rc != 0)
        return lmdb_error(rc, "cannot read the log");
    return {};
}

result<void> replay_heads(MDB_env* env, const tables& table, const store_state& state,
                          head_table& heads, head_flush& flush, std::size_t cached_streams,
                          bool& index_damaged) {
    log_replay replay(env, table, state.tables, state.index.reach, heads, flush);
    const auto piece = std::clamp<std::size_t>(cached_streams, 256, records_at_once);
    while (replay.position() != state.head) {
        auto read = replay.read(state.head, piece);
        index_damaged = replay.index_damaged();
        if (!read)
            return read;
        if (replay.position() == state.head || flush.dirty() <= cached_streams)
            continue;
        if (auto written = flush.write_all(env, replay.position()); !written) {
            index_damaged = written.error().code == errc::corrupt;
            if (index_damaged)
                return written;
            continue; // a full disk, say: the heads wait in memory
        }
        heads.evict(cached_streams, ~std::size_t{0});
    }
    return {};
}

} // namespace annals::lmdb
