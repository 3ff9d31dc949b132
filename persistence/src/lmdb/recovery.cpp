#include "lmdb/recovery.hpp"

#include "lmdb/meta_format.hpp"

namespace annals::lmdb {
namespace {

result<cached_head*> entry_of(const log_table& log, head_table& heads, std::string_view stream) {
    if (auto* const entry = heads.find(stream))
        return entry;
    auto head = log.stored_head(stream);
    if (!head)
        return head.error();
    return &heads.insert(stream, std::move(*head));
}

result<void> replay_event(const log_table& log, const record& event, head_table& heads,
                          head_flush& flush) {
    auto entry = entry_of(log, heads, event.stream);
    if (!entry)
        return entry.error();
    auto& known = (*entry)->head;
    if (event.version <= known.version())
        return {}; // the stored head was written later than the table's reach says
    if (event.version != known.version() + 1 || event.previous != known.last() ||
        event.jump != known.next_jump())
        return corrupt_at(event.position, "it does not follow its stream's head");
    auto next = known;
    next.push(event.position);
    heads.publish(**entry, std::move(next));
    flush.changed(**entry);
    return {};
}

} // namespace

result<store_state> read_state(MDB_env* env, const tables& table) {
    txn_handle txn;
    if (const auto rc = begin_txn(env, MDB_RDONLY, txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    auto key = as_value(heads_reach_key);
    MDB_val value{};
    if (const auto rc = mdb_get(txn.get(), table.meta, &key, &value); rc != 0)
        return lmdb_error(rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc,
                          "cannot read how far the stream heads reach");
    const auto reach = decode_heads_reach(as_bytes(value));
    if (!reach)
        return reach.error();
    const auto last = log_table(txn.get(), table).last();
    if (!last)
        return last.error();
    if (*reach > *last)
        return corrupt_at(*reach, "the stream heads reach beyond the log");
    MDB_stat heads{};
    if (const auto rc = mdb_stat(txn.get(), table.heads, &heads); rc != 0)
        return lmdb_error(rc, "cannot read the stream heads");
    return store_state{.head = *last, .heads_reach = *reach, .stored_heads = heads.ms_entries};
}

result<void> replay_heads(MDB_env* env, const tables& table, const store_state& state,
                          head_table& heads, head_flush& flush) {
    txn_handle txn;
    cursor_handle cursor;
    auto rc = begin_txn(env, MDB_RDONLY, txn);
    if (rc == 0)
        rc = open_cursor(txn.get(), table.log, cursor);
    if (state.stored_heads == 0)
        heads.expect_all();
    const log_table log(txn.get(), table);
    auto step = MDB_SET_RANGE;
    for (auto position = state.heads_reach + 1; rc == 0 && position <= state.head; ++position) {
        std::size_t number = position;
        auto key = as_value(number);
        MDB_val value{};
        rc = mdb_cursor_get(cursor.get(), &key, &value, std::exchange(step, MDB_NEXT));
        if (rc == MDB_NOTFOUND || (rc == 0 && position_of(key) != position))
            return corrupt_at(position, "there is no such record");
        if (rc != 0)
            break;
        const auto event = parse_record(position, as_bytes(value));
        if (!event)
            return event.error();
        if (auto replayed = replay_event(log, *event, heads, flush); !replayed)
            return replayed;
    }
    if (rc != 0)
        return lmdb_error(rc, "cannot read the log");
    return {};
}

} // namespace annals::lmdb
