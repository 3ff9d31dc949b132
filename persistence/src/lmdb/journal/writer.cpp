#include "lmdb/journal/writer.hpp"

#include <iterator>

namespace annals::lmdb {
namespace {

/// Pages that a transaction touches besides its events: paths in the trees, the free list.
constexpr std::size_t transaction_overhead_bytes = std::size_t{1} << 20;
/// Cached heads looked at for eviction, for each event stored.
constexpr std::size_t eviction_steps = 4;

std::size_t payload_bytes(const commit& of) noexcept {
    std::size_t bytes = 0;
    for (const auto& event : of.events)
        bytes += event.payload.size();
    return bytes;
}

} // namespace

writer::writer(const surroundings& around, const lmdb_options& options,
               const journal_capabilities& limits)
    : around_(around),
      options_(options),
      batch_(around.heads, around.table, around.index, limits),
      keeper_({.env = around.env,
               .table = around.table,
               .identity = around.identity,
               .heads = around.heads,
               .flush = around.flush,
               .index = around.index,
               .gauge = around.gauge},
              options.cached_streams),
      disk_(around.env),
      readers_(around.env) {}

void writer::run() {
    const auto patience = [this] {
        return stopped_ ? std::nullopt : keeper_.patience(around_.head.load());
    };
    while (around_.queue.wait_and_take(waiting_, patience())) {
        if (waiting_.empty())
            keep_index(0);
        while (next_operation_ != waiting_.size()) {
            store_waiting();
            keep_index(batch_.events() + 1);
        }
        waiting_.clear();
        next_operation_ = 0;
    }
    // What is not written now is replayed by the next opening.
    if (!stopped_ && !around_.flush.suspended())
        static_cast<void>(around_.flush.write_all(around_.env, around_.head.load()));
    around_.note.renew(around_.env);
}

void writer::keep_index(std::size_t events) {
    if (stopped_)
        return;
    if (auto kept = keeper_.work(around_.head.load(std::memory_order_relaxed), events); !kept)
        stopped_ = error{errc::unavailable,
                         "the store stopped because its index of streams is damaged and cannot be "
                         "made again (" +
                             kept.error().message + ")"};
}

void writer::store_waiting() {
    if (stopped_) {
        refuse_waiting(*stopped_);
    } else {
        txn_handle txn;
        auto rc = begin_batch(txn);
        if (rc == 0) {
            fill_batch();
            rc = commit_batch(txn);
        }
        const auto lost = rc == 0 && batch_.events() != 0 ? around_.watch.lost() : std::nullopt;
        if (lost) {
            file_lost(*lost);
        } else if (rc == 0) {
            batch_committed();
        } else {
            txn.reset();
            batch_failed(rc);
        }
    }
    answer_all();
}

int writer::begin_batch(txn_handle& txn) {
    auto rc = begin_txn(around_.env, 0, txn);
    if (rc != 0)
        return rc;
    if (const auto failed = around_.flush.write_slice(txn.get()); failed != 0) {
        if (failed == MDB_CORRUPTED || failed == MDB_PAGE_NOTFOUND)
            around_.index.report_damage();
        // The heads can wait; the commits go without them.
        around_.flush.slice_aborted();
        around_.flush.postpone();
        txn.reset();
        rc = begin_txn(around_.env, 0, txn);
        if (rc != 0)
            return rc;
    }
    return batch_.start(txn.get(), around_.head.load(std::memory_order_relaxed));
}

void writer::fill_batch() {
    while (batch_.fault() == 0) {
        if (next_operation_ == waiting_.size()) { // more may have come meanwhile
            waiting_.clear();
            next_operation_ = 0;
            around_.queue.take(waiting_);
            if (waiting_.empty())
                return;
        }
        if (!fill_from_front())
            return; // the rest needs another batch
    }
}

bool writer::has_room_for(const commit& next) const noexcept {
    return results_.empty() ||
           (results_.size() < options_.max_batch_commits &&
            batch_.size_bytes() + payload_bytes(next) <= options_.max_batch_bytes);
}

void writer::look_ahead(std::span<const commit> commits) const noexcept {
    constexpr std::size_t to_entry = 6;
    constexpr std::size_t to_slot = 12;
    if (commits.size() > to_slot)
        around_.heads.prefetch_slot(commits[to_slot].stream);
    if (commits.size() > to_entry)
        around_.heads.prefetch_entry(commits[to_entry].stream);
}

bool writer::fill_from_front() {
    auto& front = waiting_[next_operation_];
    const auto commits = front.operation->commits();
    front_results_ = results_.size();
    for (; next_commit_ != commits.size(); ++next_commit_) {
        const auto& next = commits[next_commit_];
        look_ahead(commits.subspan(next_commit_));
        if (batch_.fault() != 0 || !has_room_for(next))
            break;
        results_.push_back(batch_.store(next));
        candidates_.push_back(&next);
    }
    if (next_commit_ != commits.size())
        return false;
    answers_.push_back({std::move(front), front_results_, std::move(earlier_results_)});
    earlier_results_.clear();
    front_results_ = results_.size();
    next_commit_ = 0;
    ++next_operation_;
    return true;
}

int writer::commit_batch(txn_handle& txn) {
    batch_.close();
    if (batch_.fault() != 0)
        return batch_.fault();
    if (batch_.events() != 0)
        return commit_txn(txn);
    txn.reset();
    around_.flush.slice_aborted();
    return 0;
}

void writer::batch_committed() {
    if (batch_.events() != 0 && !options_.unsafe_no_sync)
        around_.note.write(around_.env, batch_.head(), batch_.last_crc());
    around_.flush.slice_committed();
    batch_.publish([this](cached_head& entry) { around_.flush.changed(entry); });
    around_.flush.advance(batch_.head(), batch_.events());
    around_.heads.evict(options_.cached_streams, eviction_steps * batch_.events());
    around_.head.store(batch_.head(), std::memory_order_release);
    readers_.committed();
}

void writer::file_lost(const error& why) {
    batch_.discard();
    around_.flush.slice_aborted();
    stopped_ = why;
    fail_results({errc::outcome_unknown, why.message});
}

void writer::batch_failed(int rc) {
    batch_.discard();
    around_.flush.slice_aborted();
    around_.flush.postpone();
    constexpr auto doing = "cannot store events";
    if (const auto full =
            disk_.full(rc, 2 * batch_.size_bytes() + transaction_overhead_bytes, doing))
        return fail_results(*full);
    const auto why = lmdb_error(rc, doing);
    stopped_ = error{errc::unavailable, "the store stopped after an error (" + why.message +
                                            "); close the journal and open it again"};
    fail_results(batch_.fault() != 0
                     ? *stopped_
                     : error{errc::outcome_unknown,
                             why.message + "; open the journal again and repeat the command"});
}

void writer::fail_results(const error& why) {
    const auto durable = around_.head.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i != results_.size(); ++i) {
        const bool faulted = batch_.fault() != 0 && i + 1 == results_.size();
        if (!faulted && (!results_[i] || results_[i]->position <= durable))
            continue; // it failed by itself, or was stored by an earlier batch
        results_[i] = why;
        candidates_[i]->break_pipeline();
    }
}

void writer::refuse_waiting(const error& why) {
    for (; next_operation_ != waiting_.size(); ++next_operation_) {
        auto& front = waiting_[next_operation_];
        const auto first = results_.size();
        for (const auto& each : front.operation->commits().subspan(next_commit_)) {
            results_.push_back(why);
            each.break_pipeline();
        }
        answers_.push_back({std::move(front), first, std::move(earlier_results_)});
        earlier_results_.clear();
        next_commit_ = 0;
    }
    front_results_ = results_.size();
}

void writer::answer_all() {
    const bool stored = batch_.events() != 0;
    // An operation that goes on in the next batch takes its results so far with it.
    const auto rest = results_.begin() + static_cast<std::ptrdiff_t>(front_results_);
    if (next_commit_ != 0)
        earlier_results_.insert(earlier_results_.end(), std::make_move_iterator(rest),
                                std::make_move_iterator(results_.end()));
    if (stored)
        around_.followers.ring_all(); // first: waking a reader takes longer than answering
    for (auto& [queued, first, earlier] : answers_) {
        const auto count = queued.operation->commits().size() - earlier.size();
        auto results = std::span(results_).subspan(first, count);
        if (!earlier.empty()) {
            earlier.insert(earlier.end(), results.begin(), results.end());
            results = earlier;
        }
        queued.operation->completed(results);
        queued.operation.reset();
        around_.queue.finished(queued.bytes);
    }
    answers_.clear();
    results_.clear();
    candidates_.clear();
    front_results_ = 0;
}

} // namespace annals::lmdb
