#include "lmdb/journal/head_flush.hpp"

#include "lmdb/file/disk_errors.hpp"

#include <algorithm>
#include <cstring>
#include <system_error>

namespace annals::lmdb {
namespace {

/// Events that may wait for replay, for each cached stream. The more there are, the fewer heads and
/// pages are written: a stream that changed often meanwhile is written once.
constexpr std::uint64_t longest_lag = 4;
/// Sets smaller than this are sorted in passing.
constexpr std::size_t small_set = 4096;

struct sort_key {
    std::uint64_t begin; ///< the eight bytes after what all names have in common
    cached_head* entry;
};

std::size_t common_prefix(std::span<cached_head* const> entries) noexcept {
    const auto first = entries.front()->name();
    auto size = first.size();
    for (const auto* entry : entries) {
        const auto name = entry->name();
        const auto end = std::ranges::mismatch(first.substr(0, size), name).in1;
        size = static_cast<std::size_t>(end - first.begin());
    }
    return size;
}

std::uint64_t key_after(std::string_view name, std::size_t prefix) noexcept {
    std::uint64_t key = 0;
    for (std::size_t i = prefix; i != prefix + 8; ++i)
        key = key << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    return key;
}

/// By name, in the order of LMDB's keys. Touches each name once instead of once per comparison.
void sort_by_name(std::span<cached_head*> entries) {
    if (entries.empty())
        return;
    const auto prefix = common_prefix(entries);
    std::vector<sort_key> keys;
    keys.reserve(entries.size());
    for (auto* entry : entries)
        keys.push_back({key_after(entry->name(), prefix), entry});
    std::ranges::sort(keys, [](const sort_key& a, const sort_key& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.entry->name() < b.entry->name();
    });
    std::ranges::transform(keys, entries.begin(), &sort_key::entry);
}

} // namespace

int put_index_state(MDB_txn* txn, MDB_dbi meta, const index_state& state) {
    const auto stored = encode_index_state(state);
    auto key = as_value(index_key);
    auto value = as_value(bytes_view(stored));
    return mdb_put(txn, meta, &key, &value, 0);
}

head_flush::head_flush(const tables& table, const index_tables& index, const index_state& state,
                       std::size_t cached_streams)
    : table_(table),
      index_(index),
      cached_streams_(std::max<std::size_t>(cached_streams, 1)),
      state_(state) {}

head_flush::~head_flush() {
    wait_until_sorted();
}

void head_flush::changed(cached_head& entry) {
    if (entry.dirty)
        return;
    entry.dirty = true;
    collected_.push_back(&entry);
}

void head_flush::advance(log_position head, std::size_t events) {
    credit_ += static_cast<std::int64_t>(events);
    const auto enough =
        std::min(std::max<std::size_t>(state_.streams, smallest_cycle), cached_streams_);
    // A cycle writes one head for each event that comes meanwhile. Begun now, it ends when the log
    // is this much longer; until then a crash leaves everything after the reach to be replayed.
    const auto lag_at_end = head - state_.reach + collected_.size();
    const bool time = collected_.size() >= enough || lag_at_end >= longest_lag * cached_streams_;
    if (!suspended_ && !in_cycle() && time && !collected_.empty())
        begin_cycle(head);
}

void head_flush::begin_cycle(log_position head) {
    cycle_.swap(collected_);
    collected_.clear();
    next_ = slice_end_ = 0;
    cycle_reach_ = head;
    credit_ = std::min<std::int64_t>(credit_, 0);
    sorted_.store(cycle_.size() < small_set, std::memory_order_relaxed);
    if (cycle_.size() < small_set)
        return sort_by_name(cycle_);
    // The names of dirty entries neither change nor go away.
    try {
        sorter_ = std::thread([this] {
            sort_by_name(cycle_);
            sorted_.store(true, std::memory_order_release);
        });
    } catch (const std::system_error&) { // no more threads: commits wait this once
        sort_by_name(cycle_);
        sorted_.store(true, std::memory_order_relaxed);
    }
}

void head_flush::wait_until_sorted() {
    if (sorter_.joinable())
        sorter_.join();
}

int head_flush::write_slice(MDB_txn* txn) {
    if (suspended_ || !in_cycle() || credit_ < smallest_slice ||
        !sorted_.load(std::memory_order_acquire))
        return 0;
    wait_until_sorted();
    return write(txn, static_cast<std::size_t>(credit_));
}

int head_flush::write(MDB_txn* txn, std::size_t count) {
    const auto wanted = std::min({cycle_.size() - next_, count, most_heads});
    index_writer::progress done;
    while (done.heads < wanted && done.bytes < most_bytes) {
        const auto rest = std::span(cycle_).subspan(next_ + done.heads, wanted - done.heads);
        if (const auto rc = writer_.put_first(txn, index_, rest, done); rc != 0)
            return rc;
    }
    slice_end_ = next_ + done.heads;
    slice_added_ = done.new_streams;
    if (slice_end_ != cycle_.size())
        return 0;
    auto reached = state_;
    reached.reach = cycle_reach_;
    reached.streams += slice_added_;
    return put_index_state(txn, table_.meta, reached);
}

void head_flush::slice_committed() {
    if (slice_end_ == next_)
        return;
    for (; next_ != slice_end_; ++next_)
        cycle_[next_]->dirty = false;
    credit_ = 0;
    state_.streams += std::exchange(slice_added_, 0U);
    if (next_ != cycle_.size())
        return;
    state_.reach = cycle_reach_;
    cycle_.clear();
    next_ = slice_end_ = 0;
}

result<bool> head_flush::write_some(MDB_env* env, log_position head) {
    if (!in_cycle() && !collected_.empty())
        begin_cycle(head);
    wait_until_sorted();
    const bool slice = in_cycle();
    if (!slice && state_.reach == head)
        return true;
    auto reached = state_;
    reached.reach = head;
    txn_handle txn;
    auto rc = begin_txn(env, 0, txn);
    if (rc == 0)
        rc =
            slice ? write(txn.get(), most_heads) : put_index_state(txn.get(), table_.meta, reached);
    if (rc == 0)
        rc = commit_txn(txn);
    if (rc != 0) {
        txn.reset();
        slice_aborted();
        return disk_errors(env).error_of(rc, 2 * most_bytes, "cannot write the index of streams");
    }
    slice ? slice_committed() : static_cast<void>(state_ = reached);
    return dirty() == 0 && state_.reach == head;
}

result<void> head_flush::write_all(MDB_env* env, log_position head) {
    for (;;) {
        const auto done = write_some(env, head);
        if (!done)
            return done.error();
        if (*done)
            return {};
    }
}

void head_flush::adopt(const index_tables& index, const index_state& state) {
    wait_until_sorted();
    collected_.insert(collected_.end(), cycle_.begin() + static_cast<std::ptrdiff_t>(next_),
                      cycle_.end());
    cycle_.clear();
    next_ = slice_end_ = slice_added_ = 0;
    index_ = index;
    state_ = state;
    suspended_ = false;
}

} // namespace annals::lmdb
