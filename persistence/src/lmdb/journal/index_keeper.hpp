#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/journal/index_handle.hpp"
#include "lmdb/journal/recovery.hpp"

#include <chrono>

namespace annals::lmdb {

/// What a journal's `health` shows. Written by the writer thread, read by any.
struct index_gauge {
    std::atomic<bool> rebuilding{false};
    std::atomic<std::uint64_t> rebuilds{0};
    std::atomic<log_position> rebuilt_through{0};
    std::atomic<log_position> checked_through{0};
    std::atomic<std::uint64_t> checks_completed{0};
};

/// Keeps the index of streams true while the journal is open: compares it with the log, a piece at a
/// time, and makes it again from the log, likewise, once damage was found. Used by the writer thread
/// only, between two batches.
///
/// The comparison goes through the log and asks for each event whether its stream's head is at or
/// after it, which also finds blocks that are old but sound. It begins when the store is opened and
/// again whenever the log has grown by half. A damaged block is unknown only to who needs it; a block
/// that is sound but old means that no other can be believed either.
///
/// While the index is made again, the damaged one is still read, where it is sound, and no longer
/// written: what changes stays in memory. The store names the new index from the beginning, with how
/// far it reaches, so that an opening after a crash goes on with it.
class index_keeper {
public:
    struct surroundings {
        MDB_env* env;
        const tables& table;
        const store_identity& identity;
        head_table& heads;
        head_flush& flush;
        index_handle& index;
        index_gauge& gauge;
    };

    index_keeper(const surroundings& around, std::size_t cached_streams) noexcept
        : around_(around),
          cached_streams_(cached_streams) {}

    /// Does a piece of what there is to do; the log ends at `head` and `events` were stored since the
    /// last call. An error means that neither the index nor what it is made of can be trusted.
    [[nodiscard]] result<void> work(log_position head, std::size_t events);

    /// How long the writer may wait for commits before it calls `work` again; nothing: for ever.
    [[nodiscard]] std::optional<std::chrono::milliseconds> patience(log_position head) const;

private:
    /// The index that is made.
    struct building {
        building(const surroundings& around, const store_state& fresh, std::size_t cached);

        head_table heads;
        head_flush flush;
        log_replay replay;
        store_state state;
    };

    [[nodiscard]] result<void> begin();
    [[nodiscard]] result<void> build(log_position head);
    void hand_over();
    void compare(log_position head, std::size_t most);
    /// A full disk is no reason to stop: the work waits.
    [[nodiscard]] result<void> waiting_for_room(result<void> done);
    [[nodiscard]] bool comparing(log_position head) const noexcept;

    surroundings around_;
    std::size_t cached_streams_;
    std::unique_ptr<building> building_;
    log_position compared_ = 0;     ///< of the present comparison
    log_position compared_all_ = 0; ///< where the last one ended
    bool complete_ = false;
    bool disk_full_ = false;
};

} // namespace annals::lmdb
