#include "lmdb/projection_store/writer.hpp"

#include "projection_store/row_check.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

/// Rows in one transaction, unless a single change has more.
constexpr std::size_t max_batch_rows = std::size_t{1} << 16;
/// What a slice of the erasing may hold: rows, and bytes for each of them on average.
constexpr std::size_t max_slice_rows = 4'096;
constexpr std::size_t slice_bytes_per_row = 4'096;
/// How much smaller it gets when there is no room for what LMDB notes about the pages that it frees.
constexpr std::size_t slice_shrinking = 8;
/// Batches between two slices while there is no pause.
constexpr std::size_t batches_between_slices = 8;

/// Pages that a transaction touches besides its rows, and what a row may cost of its own.
constexpr std::size_t transaction_overhead_bytes = std::size_t{1} << 20;
constexpr std::size_t page_bytes = 4'096;

/// Whether the key of a row begins with this space.
bool is_within(bytes_view key, const row_place& space) {
    const auto prefix = space.bytes();
    return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

} // namespace

views_writer::views_writer(views_store& store)
    : store_(store),
      disk_(store.files.file.env.get()),
      readers_(store.files.file.env.get()),
      dropped_(store.files.dropped),
      notes_(store.files.notes),
      spent_(dropped_.begin(), dropped_.end()),
      next_space_(store.files.next_space),
      slice_rows_(max_slice_rows) {}

void views_writer::run() {
    using taking = views_queue::taking;
    for (;;) {
        const auto taken = store_.queue.take(waiting_, !may_erase());
        if (taken == taking::ended)
            return;
        while (batch_end_ != waiting_.size())
            apply_batch();
        waiting_.clear();
        batch_begin_ = batch_end_ = 0;
        const bool due = taken == taking::none || batches_since_erasing_ >= batches_between_slices;
        if (due && may_erase())
            erase_slice();
    }
}

// --- changes ---------------------------------------------------------------------------------------

void views_writer::apply_batch() {
    choose_batch();
    while (!stopped_ && (batch_rows_ != 0 || !dropping_.empty())) {
        txn_handle txn;
        bool committing = false;
        auto rc = begin_txn(store_.files.file.env.get(), 0, txn);
        if (rc == 0)
            rc = write_batch(txn.get());
        if (rc == row_writer::damaged) {
            refuse_damaged();
            continue;
        }
        if (rc == 0) {
            committing = true;
            rc = commit_txn(txn);
        }
        txn.reset();
        const auto lost = rc == 0 ? store_.files.file.watch.lost() : std::nullopt;
        if (lost)
            file_lost(*lost);
        else if (rc == 0)
            batch_committed();
        else
            batch_failed(rc, committing);
        break;
    }
    ++batches_since_erasing_;
    erasing_waits_ = false; // there is room again, or somebody wants some
    answer_batch();
}

void views_writer::choose_batch() {
    batch_begin_ = batch_end_;
    batch_bytes_ = batch_rows_ = 0;
    for (; batch_end_ != waiting_.size(); ++batch_end_) {
        auto& changes = waiting_[batch_end_].changes;
        const auto most = store_.options.max_batch_bytes;
        const auto rows = changes.sorted().size();
        const bool full =
            batch_bytes_ + changes.size_bytes() > most || batch_rows_ + rows > max_batch_rows;
        if (full && batch_end_ != batch_begin_)
            return;
        results_.push_back(stopped_ ? result<void>(*stopped_)
                                    : check_changes(changes, most, spent_));
        if (!results_.back())
            continue;
        batch_bytes_ += changes.size_bytes();
        batch_rows_ += rows;
        store_.spaces.use_all_of(changes);
        for (const auto space : changes.dropped())
            if (spent_.insert(space).second)
                dropping_.push_back(space);
    }
}

void views_writer::refuse_damaged() {
    results_[writing_ - batch_begin_] =
        rows_damaged(writing_space_, "what is beside a row that changes");
    auto& changes = waiting_[writing_].changes;
    batch_bytes_ -= changes.size_bytes();
    batch_rows_ -= changes.sorted().size();
    for (const auto space : changes.dropped())
        if (std::erase(dropping_, space) != 0)
            spent_.erase(space);
}

int views_writer::write_batch(MDB_txn* txn) {
    noting_ = notes_;
    row_writer rows;
    auto rc = rows.open(txn, store_.files.table, noting_);
    for (writing_ = batch_begin_; writing_ != batch_end_ && rc == 0; ++writing_)
        if (results_[writing_ - batch_begin_])
            if (rc = write_rows(rows, waiting_[writing_].changes); rc != 0)
                return rc;
    auto all = dropped_;
    all.insert(all.end(), dropping_.begin(), dropping_.end());
    std::ranges::sort(all);
    for (const auto space : dropping_)
        noting_.erase(space);
    // With the first change after a space was handed out; a change that names it cannot come before.
    next_space_written_ = store_.spaces.next();
    if (rc == 0 && next_space_written_ != next_space_)
        rc = write_meta(txn, next_space_key, encode_next_space(next_space_written_));
    return rc == 0 ? write_notes(txn, all, !dropping_.empty(), noting_) : rc;
}

int views_writer::write_rows(row_writer& rows, row_changes& changes) {
    const auto dropped = changes.dropped();
    for (const auto& one : changes.sorted()) {
        if (std::ranges::find(dropped, one.space) != dropped.end())
            continue; // nobody would ever see it
        writing_space_ = one.space;
        const auto rc = one.value_bytes == row_changes::change::erased
                            ? rows.erase(one.space, changes.key(one))
                            : rows.put(one.space, changes.key(one), changes.value(one));
        if (rc != 0)
            return rc;
    }
    return 0;
}

int views_writer::write_meta(MDB_txn* txn, std::string_view name, bytes_view stored) {
    auto key = as_value(name);
    auto value = as_value(stored);
    return mdb_put(txn, store_.files.table.meta, &key, &value, 0);
}

int views_writer::write_notes(MDB_txn* txn, std::span<const row_space> dropped, bool changed,
                              const space_notes& notes) {
    bytes listed;
    auto rc = 0;
    if (!dropped.empty())
        listed = encode_dropped(dropped);
    if (changed && dropped.empty()) {
        auto key = as_value(dropped_key);
        rc = mdb_del(txn, store_.files.table.meta, &key, nullptr);
        rc = rc == MDB_NOTFOUND ? 0 : rc;
    } else if (changed) {
        rc = write_meta(txn, dropped_key, listed);
    }
    return rc == 0 ? write_meta(txn, notes_key, encode_notes(notes, listed)) : rc;
}

void views_writer::batch_committed() {
    dropped_.insert(dropped_.end(), dropping_.begin(), dropping_.end());
    std::ranges::sort(dropped_);
    notes_ = std::move(noting_);
    next_space_ = next_space_written_;
    readers_.committed();
}

void views_writer::file_lost(const error& why) {
    stopped_ = why;
    for (auto& each : results_)
        if (each)
            each = error{errc::outcome_unknown, why.message};
}

void views_writer::batch_failed(int rc, bool committing) {
    for (const auto space : dropping_)
        spent_.erase(space);
    const auto size = 2 * batch_bytes_ + page_bytes * batch_rows_ + transaction_overhead_bytes;
    constexpr auto doing = "cannot apply changes";
    auto why = views_error(rc, doing);
    if (rc == MDB_TXN_FULL)
        why = {errc::too_large, "a change touches more pages than one transaction takes; split it"};
    else if (auto full = disk_.full(rc, size, doing)) {
        why = *std::move(full);
        release_freed_pages();
    } else {
        const auto stopped = stop(why);
        why = committing ? error{errc::outcome_unknown,
                                 why.message + "; open the projection store again to find out"}
                         : stopped;
    }
    for (auto& each : results_)
        if (each)
            each = why;
}

void views_writer::release_freed_pages() {
    txn_handle txn;
    auto rc = begin_txn(store_.files.file.env.get(), 0, txn);
    if (rc == 0)
        rc = write_meta(txn.get(), next_space_key, encode_next_space(next_space_));
    if (rc == 0)
        rc = commit_txn(txn);
    txn.reset();
    if (rc != 0 && !disk_.is_full(rc, transaction_overhead_bytes))
        stop(views_error(rc, "cannot make use of freed pages"));
}

error views_writer::stop(const error& why) {
    stopped_ = error{errc::unavailable, "the projection store stopped after an error (" +
                                            why.message + "); close it and open it again"};
    return *stopped_;
}

void views_writer::answer_batch() {
    for (auto i = batch_begin_; i != batch_end_; ++i) {
        const auto done = std::move(waiting_[i].done);
        waiting_[i].changes = {};
        if (done)
            done(results_[i - batch_begin_]);
    }
    results_.clear();
    dropping_.clear();
}

// --- dropped spaces --------------------------------------------------------------------------------

void views_writer::erase_slice() {
    batches_since_erasing_ = 0;
    txn_handle txn;
    auto rc = begin_txn(store_.files.file.env.get(), 0, txn);
    auto rest = dropped_;
    if (rc == 0) {
        const auto all_gone = erase_some_of(txn.get(), rest.back());
        rc = all_gone.rc;
        if (rc == 0 && all_gone.done) {
            rest.pop_back();
            rc = write_notes(txn.get(), rest, true, notes_);
        }
    }
    if (rc == 0)
        rc = commit_txn(txn);
    txn.reset();
    if (rc == 0) {
        dropped_ = std::move(rest);
        slice_rows_ = std::min(slice_rows_ * slice_shrinking, max_slice_rows);
    } else if (disk_.is_full(rc, slice_rows_ * page_bytes + transaction_overhead_bytes)) {
        erasing_waits_ = slice_rows_ == 1;
        slice_rows_ = std::max(slice_rows_ / slice_shrinking, std::size_t{1});
    } else {
        stop(views_error(rc, "cannot erase rows"));
    }
}

views_writer::erasing views_writer::erase_some_of(MDB_txn* txn, row_space space) {
    cursor_handle cursor;
    if (const auto rc = open_cursor(txn, store_.files.table.rows, cursor); rc != 0)
        return {rc, false};
    const row_place first(space, {});
    std::size_t bytes = 0;
    const auto max_bytes = slice_rows_ * slice_bytes_per_row;
    for (std::size_t rows = 0; rows != slice_rows_ && bytes < max_bytes; ++rows) {
        auto key = as_value(first.bytes());
        MDB_val value{};
        auto rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
        const bool none = rc == MDB_NOTFOUND || (rc == 0 && !is_within(as_bytes(key), first));
        if (rc == 0 && !none) {
            bytes += value.mv_size;
            rc = mdb_cursor_del(cursor.get(), 0);
        }
        if (none || rc != 0)
            return {none ? 0 : rc, none};
    }
    return {0, false};
}

} // namespace annals::lmdb
