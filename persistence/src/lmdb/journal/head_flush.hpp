#pragma once

#include "lmdb/file/env.hpp"
#include "lmdb/journal/head_table.hpp"
#include "lmdb/journal/index_state.hpp"
#include "lmdb/journal/stream_index.hpp"

#include <atomic>
#include <span>
#include <thread>
#include <vector>

namespace annals::lmdb {

/// Brings the heads that changed into the index of streams, behind the commits that changed them.
///
/// It works in cycles. A cycle takes the heads that are dirty at some moment, sorts them by name,
/// so that neighbours share blocks, and writes a slice of them with every so many events. When all
/// are written, the index reaches at least as far as the log did at that moment, and says so.
///
/// A cycle begins when about as many heads are dirty as the index holds: then each block is written
/// for many heads at once, and the cost for each event is the same from the beginning.
///
/// A slice has at most `most_heads` heads and `most_bytes` of blocks, whatever was stored meanwhile.
///
/// Used by the writer thread only; a large set is sorted on a thread of its own.
class head_flush {
public:
    static constexpr std::size_t most_heads = 8'192;
    static constexpr std::size_t most_bytes = std::size_t{8} << 20;

    /// `state`: how far the index reaches already, and what it holds.
    head_flush(const tables& table, const index_tables& index, const index_state& state,
               std::size_t cached_streams);
    ~head_flush();
    head_flush(const head_flush&) = delete;
    head_flush& operator=(const head_flush&) = delete;

    /// The head of `entry` is newer than the index.
    void changed(cached_head& entry);

    /// `events` were committed and the log ends at `head` now: begins a cycle if it is time.
    void advance(log_position head, std::size_t events);

    /// Writes the next slice within `txn`, if it is time for one. LMDB's error number; MDB_CORRUPTED
    /// if the index is damaged.
    [[nodiscard]] int write_slice(MDB_txn* txn);
    /// The transaction of the last slice was committed, or was not.
    void slice_committed();
    void slice_aborted() noexcept { slice_end_ = next_; }
    /// Leaves the disk to the log for a while.
    void postpone() noexcept { credit_ = -postponed_events; }

    /// Writes a slice in a transaction of its own, whether it is time or not; the log, or what was
    /// replayed of it, ends at `head`. True once nothing is dirty and the index reaches `head`.
    [[nodiscard]] result<bool> write_some(MDB_env* env, log_position head);
    /// Does so until all is written. LMDB's error number.
    [[nodiscard]] result<void> write_all(MDB_env* env, log_position head);

    /// The index is damaged: nothing is written to it any more, and everything dirty stays so until
    /// `adopt` names another.
    void suspend() noexcept { suspended_ = true; }
    void adopt(const index_tables& index, const index_state& state);
    [[nodiscard]] bool suspended() const noexcept { return suspended_; }

    /// Calls `action` for each dirty head.
    template <class Action>
    void for_each_dirty(Action action) const {
        for (auto i = next_; i != cycle_.size(); ++i)
            action(*cycle_[i]);
        for (auto* entry : collected_)
            action(*entry);
    }

    /// What the index holds, as it was last committed, and how far it reaches.
    [[nodiscard]] const index_state& state() const noexcept { return state_; }
    [[nodiscard]] log_position reach() const noexcept { return state_.reach; }
    [[nodiscard]] bool in_cycle() const noexcept { return !cycle_.empty(); }
    [[nodiscard]] std::size_t dirty() const noexcept {
        return collected_.size() + cycle_.size() - next_;
    }

private:
    using entries = std::vector<cached_head*>;
    static constexpr std::int64_t smallest_slice = 256;
    static constexpr std::int64_t postponed_events = 4096;
    static constexpr std::size_t smallest_cycle = 65'536;

    void begin_cycle(log_position head);
    void wait_until_sorted();
    [[nodiscard]] int write(MDB_txn* txn, std::size_t count);

    tables table_;
    index_tables index_;
    std::size_t cached_streams_;
    index_state state_;
    bool suspended_ = false;

    entries collected_; ///< dirty, for the next cycle
    entries cycle_;     ///< dirty from `next_` on; sorted once `sorted_`
    log_position cycle_reach_ = 0;
    std::size_t next_ = 0;
    std::size_t slice_end_ = 0;   ///< beyond `next_` while a slice waits for its transaction
    std::size_t slice_added_ = 0; ///< streams that are new in it
    std::int64_t credit_ = 0;     ///< events since the last slice
    std::thread sorter_;
    std::atomic<bool> sorted_{false};
    index_writer writer_;
};

/// Stores which index belongs to the store. LMDB's error number.
[[nodiscard]] int put_index_state(MDB_txn* txn, MDB_dbi meta, const index_state& state);

} // namespace annals::lmdb
