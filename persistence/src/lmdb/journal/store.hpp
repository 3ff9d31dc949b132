#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/journal/head_flush.hpp"
#include "lmdb/journal/index_keeper.hpp"
#include "lmdb/journal/intake.hpp"
#include "lmdb/journal/opening.hpp"
#include "lmdb/journal/reader.hpp"
#include "lmdb/journal/recovery.hpp"
#include "lmdb/journal/tail_note.hpp"
#include "lmdb/journal/wakes.hpp"

namespace annals::lmdb {

/// Everything that an open journal consists of. Its journal, its writer thread and its
/// subscriptions share it, so that each may be the last to go.
struct store {
    store(open_store files, const store_state& state, const lmdb_options& chosen);

    /// Nothing, or why this store may not be used now: after a fork.
    [[nodiscard]] std::optional<error> unusable() const;

    /// The writer thread: until the journal is closed; then everything is released.
    void run_writer();

    const lmdb_options options;
    const journal_capabilities capabilities;
    const std::uint64_t born_in = fork_generation();

    open_store files; ///< released by the writer thread
    std::atomic<log_position> head;
    tail_note note;
    head_table heads;
    head_flush flush;
    index_handle index;
    index_gauge gauge;
    intake queue;
    read_gate gate;
    reader reads;
    wakes followers;
};

} // namespace annals::lmdb
