#pragma once

#include "lmdb/env.hpp"
#include "lmdb/head_table.hpp"

#include <atomic>
#include <span>
#include <thread>
#include <vector>

namespace annals::lmdb {

/// Brings the heads that changed into the table `heads`, behind the commits that changed them.
///
/// It works in cycles. A cycle takes the heads that are dirty at some moment, sorts them by name,
/// so that neighbours share pages, and writes a slice of them with every so many events. When all
/// are written, the table reaches at least as far as the log did at that moment, and says so.
///
/// A cycle begins when about as many heads are dirty as the table holds: then each page of the table
/// is written for many heads at once, and the cost for each event is the same from the beginning.
///
/// Used by the writer thread only; a large set is sorted on a thread of its own.
class head_flush {
public:
    /// `reach`: how far the table reaches already; `stored_heads`: how many it holds.
    head_flush(const tables& table, std::size_t cached_streams, log_position reach,
               std::size_t stored_heads);
    ~head_flush();
    head_flush(const head_flush&) = delete;
    head_flush& operator=(const head_flush&) = delete;

    /// The head of `entry` is newer than the table.
    void changed(cached_head& entry);

    /// `events` were committed and the log ends at `head` now: begins a cycle if it is time.
    void advance(log_position head, std::size_t events);

    /// Writes the next slice within `txn`, if it is time for one. LMDB's error number.
    [[nodiscard]] int write_slice(MDB_txn* txn);
    /// The transaction of the last slice was committed, or was not.
    void slice_committed();
    void slice_aborted() noexcept { slice_end_ = next_; }
    /// Leaves the disk to the log for a while.
    void postpone() noexcept { credit_ = -postponed_events; }

    /// Writes everything that is dirty. LMDB's error number.
    [[nodiscard]] int write_all(MDB_env* env, log_position head);

    /// How far the table reaches.
    [[nodiscard]] log_position reach() const noexcept { return reach_; }
    [[nodiscard]] std::size_t dirty() const noexcept {
        return collected_.size() + cycle_.size() - next_;
    }

private:
    using entries = std::vector<cached_head*>;
    static constexpr std::int64_t smallest_slice = 256;
    static constexpr std::int64_t postponed_events = 4096;
    static constexpr std::size_t smallest_cycle = 65'536;

    [[nodiscard]] bool in_cycle() const noexcept { return !cycle_.empty(); }
    void begin_cycle(log_position head);
    void wait_until_sorted();
    [[nodiscard]] int write(MDB_txn* txn, std::size_t count);

    tables table_;
    std::size_t cached_streams_;
    log_position reach_;
    std::size_t table_size_; ///< heads in the table, when it was last written to

    entries collected_; ///< dirty, for the next cycle
    entries cycle_;     ///< dirty from `next_` on; sorted once `sorted_`
    log_position cycle_reach_ = 0;
    std::size_t next_ = 0;
    std::size_t slice_end_ = 0; ///< beyond `next_` while a slice waits for its transaction
    std::int64_t credit_ = 0;   ///< events since the last slice
    std::thread sorter_;
    std::atomic<bool> sorted_{false};
    bytes scratch_;
};

} // namespace annals::lmdb
