#pragma once

#include "lmdb/head_flush.hpp"
#include "lmdb/log_table.hpp"

namespace annals::lmdb {

/// Where a store stands when it is opened.
struct store_state {
    log_position head = 0;        ///< last position in the log
    log_position heads_reach = 0; ///< how far the table `heads` reaches
    std::size_t stored_heads = 0; ///< how many heads it holds
};

[[nodiscard]] result<store_state> read_state(MDB_env* env, const tables& table);

/// Reads the log after what the table `heads` reaches, and brings the heads in memory up to date.
/// Each record's links must fit its stream's head: `errc::corrupt` if they do not.
[[nodiscard]] result<void> replay_heads(MDB_env* env, const tables& table, const store_state& state,
                                        head_table& heads, head_flush& flush);

} // namespace annals::lmdb
