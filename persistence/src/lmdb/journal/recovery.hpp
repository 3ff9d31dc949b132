#pragma once

#include "lmdb/file/page_check.hpp"
#include "lmdb/file/store_identity.hpp"
#include "lmdb/journal/head_flush.hpp"
#include "lmdb/journal/log_table.hpp"

namespace annals::lmdb {

/// Where a store stands when it is opened.
struct store_state {
    log_position head = 0; ///< last position in the log
    index_state index;     ///< generation 0: there is none that can be used
    index_tables tables;
    std::string
        index_damage; ///< why the index that the store names is not used, if pages are to blame
};

/// An index with one of the `damaged` tables is not used.
[[nodiscard]] result<store_state> read_state(MDB_env* env, const tables& table,
                                             std::span<const damaged_table> damaged);

/// Gives the store an empty index of the next generation, which reaches nothing, and the format
/// version of today. What replaying the whole log then finds is written to it.
[[nodiscard]] result<void> begin_index(MDB_env* env, const tables& table,
                                       const store_identity& identity, store_state& state);
/// The same within `txn`. LMDB's error number.
[[nodiscard]] int begin_index(MDB_txn* txn, const tables& table, const store_identity& identity,
                              store_state& state);

/// Reads the log from where an index reaches, and brings the heads in memory up to date.
class log_replay {
public:
    /// `heads` and `flush` belong to the index. If it reaches nothing, it is not looked at.
    log_replay(MDB_env* env, const tables& table, const index_tables& index, log_position reach,
               head_table& heads, head_flush& flush) noexcept;

    /// Reads on, at most `most` records and none after `through`. Each record's links must fit its
    /// stream's head: `errc::corrupt` if they do not.
    [[nodiscard]] result<void> read(log_position through, std::size_t most);

    /// The last position that was read.
    [[nodiscard]] log_position position() const noexcept { return position_; }
    /// The index may be to blame for the last error: another one is to be made.
    [[nodiscard]] bool index_damaged() const noexcept { return index_damaged_; }

private:
    [[nodiscard]] result<cached_head*> entry_of(MDB_txn* txn, std::string_view stream);
    [[nodiscard]] result<void> take(MDB_txn* txn, const record& event);

    MDB_env* env_;
    tables table_;
    index_tables index_;
    log_position reach_;
    head_table& heads_;
    head_flush& flush_;
    log_position position_;
    bool index_damaged_ = false;
};

/// Replays the whole rest of the log when a store is opened. Heads beyond `cached_streams` are
/// written to the index meanwhile. `index_damaged` as above.
[[nodiscard]] result<void> replay_heads(MDB_env* env, const tables& table, const store_state& state,
                                        head_table& heads, head_flush& flush,
                                        std::size_t cached_streams, bool& index_damaged);

} // namespace annals::lmdb
