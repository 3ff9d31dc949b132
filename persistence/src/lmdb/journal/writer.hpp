#pragma once

#include "lmdb/file/disk_errors.hpp"
#include "lmdb/file/file_watch.hpp"
#include "lmdb/file/reader_table.hpp"
#include "lmdb/journal/batch.hpp"
#include "lmdb/journal/head_flush.hpp"
#include "lmdb/journal/index_keeper.hpp"
#include "lmdb/journal/intake.hpp"
#include "lmdb/journal/tail_note.hpp"
#include "lmdb/journal/wakes.hpp"

#include "annals/lmdb_journal.hpp"

namespace annals::lmdb {

/// Stores what comes through the intake: takes everything that waits, commits it with one sync,
/// shows it to readers, answers, and wakes those who follow the log. All of it runs on the one
/// thread that calls `run`.
class writer {
public:
    struct surroundings {
        MDB_env* env;
        const tables& table;
        const store_identity& identity;
        intake& queue;
        head_table& heads;
        head_flush& flush;
        index_handle& index;
        index_gauge& gauge;
        wakes& followers;
        tail_note& note;
        std::atomic<log_position>& head; ///< last durable position; this writer moves it
        const file_watch& watch;         ///< on the data file
    };

    writer(const surroundings& around, const lmdb_options& options,
           const journal_capabilities& limits);

    /// Until the intake is closed and empty. Then the heads are written, so that the next opening
    /// has nothing to replay.
    void run();

private:
    /// An operation whose results are at `first_result` of the batch's, except for those of
    /// `earlier`, which came from batches before.
    struct answer {
        queued_operation queued;
        std::size_t first_result;
        std::vector<append_result> earlier;
    };

    void store_waiting();
    /// Between batches: a piece of the work that keeps the index true.
    void keep_index(std::size_t events);
    [[nodiscard]] int begin_batch(txn_handle& txn);
    void fill_batch();
    /// False if the operation does not fit as a whole; what fits of it is in the batch.
    [[nodiscard]] bool fill_from_front();
    /// Fetches the heads of commits that come soon.
    void look_ahead(std::span<const commit> commits) const noexcept;
    [[nodiscard]] bool has_room_for(const commit& next) const noexcept;
    [[nodiscard]] int commit_batch(txn_handle& txn);
    void batch_committed();
    void batch_failed(int rc);
    /// The batch is in a file that is not the store any more.
    void file_lost(const error& why);
    void fail_results(const error& why);
    void refuse_waiting(const error& why);
    void answer_all();

    surroundings around_;
    lmdb_options options_;
    batch batch_;
    index_keeper keeper_;
    disk_errors disk_;
    reader_sweep readers_;
    std::optional<error> stopped_; ///< why nothing is stored any more

    std::vector<queued_operation> waiting_; ///< taken from the intake; from `next_operation_` on
    std::size_t next_operation_ = 0;
    std::size_t next_commit_ = 0;                ///< of the operation at the front
    std::vector<append_result> earlier_results_; ///< of the operation at the front

    std::vector<append_result> results_;    ///< of the batch, for its commits in order
    std::vector<const commit*> candidates_; ///< those commits
    std::vector<answer> answers_;
    std::size_t front_results_ =
        0; ///< where in `results_` those of the operation at the front begin
};

} // namespace annals::lmdb
