#pragma once

#include "lmdb/file/disk_errors.hpp"
#include "lmdb/file/reader_table.hpp"
#include "lmdb/projection_store/queue.hpp"
#include "lmdb/projection_store/rows.hpp"
#include "lmdb/projection_store/store.hpp"

#include <unordered_set>

namespace annals::lmdb {

/// Applies what comes through the queue: as many changes as fit into one transaction, with one sync,
/// then answers them in order. Between batches, and while nothing waits, it erases the rows of dropped
/// spaces, a slice at a time. All of it runs on the one thread that calls `run`.
class views_writer {
public:
    explicit views_writer(views_store& store);

    /// Until the queue is closed and empty. What is not erased by then is erased after the next
    /// opening.
    void run();

private:
    void apply_batch();
    /// Chooses the changes of the next batch, `waiting_` from `batch_begin_` to `batch_end_`, and
    /// puts into `results_` why one of them is not applied.
    void choose_batch();
    [[nodiscard]] int write_batch(MDB_txn* txn);
    [[nodiscard]] int write_rows(row_writer& rows, row_changes& changes);
    [[nodiscard]] int write_meta(MDB_txn* txn, std::string_view name, bytes_view stored);
    /// The list of dropped spaces, if `changed`, and the notes, which vouch for it.
    [[nodiscard]] int write_notes(MDB_txn* txn, std::span<const row_space> dropped, bool changed,
                                  const space_notes& notes);
    /// The change that met damage is not applied; the others of the batch may be.
    void refuse_damaged();
    void batch_committed();
    void batch_failed(int rc, bool committing);
    /// The batch is in a file that is not the store any more.
    void file_lost(const error& why);
    /// What one transaction frees is free for the one after the next, and one that fails is none: on
    /// a full disk, one that needs no room must come between.
    void release_freed_pages();
    void answer_batch();

    [[nodiscard]] bool may_erase() const noexcept {
        return !stopped_ && !erasing_waits_ && !dropped_.empty();
    }
    void erase_slice();
    struct erasing {
        int rc;    ///< LMDB's error number
        bool done; ///< the space has no rows any more
    };
    [[nodiscard]] erasing erase_some_of(MDB_txn* txn, row_space space);

    /// Applies nothing from now on; returns what the changes are told.
    error stop(const error& why);

    views_store& store_;
    disk_errors disk_;
    reader_sweep readers_;
    std::optional<error> stopped_; ///< why nothing is applied any more

    std::vector<row_space> dropped_;      ///< as stored, in order
    space_notes notes_;                   ///< as stored
    std::unordered_set<row_space> spent_; ///< dropped since the opening, or before and not erased
    row_space next_space_;                ///< as stored
    bool erasing_waits_ = false;          ///< for room on the disk
    std::size_t slice_rows_;              ///< at most in one transaction; fewer on a full disk
    std::size_t batches_since_erasing_ = 0;

    std::vector<queued_change> waiting_; ///< taken from the queue
    std::size_t batch_begin_ = 0;
    std::size_t batch_end_ = 0;
    std::vector<result<void>> results_; ///< of the batch
    std::vector<row_space> dropping_;   ///< by the batch
    space_notes noting_;                ///< by the batch
    std::size_t writing_ = 0;           ///< the change of `waiting_` that is being written
    row_space writing_space_ = 0;       ///< and its rows
    row_space next_space_written_ = 0;  ///< by the batch
    std::size_t batch_bytes_ = 0;
    std::size_t batch_rows_ = 0;
};

} // namespace annals::lmdb
