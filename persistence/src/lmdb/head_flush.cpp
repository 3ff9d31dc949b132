#include "lmdb/head_flush.hpp"

#include "lmdb/meta_format.hpp"

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
/// Heads in one transaction when everything is written.
constexpr std::size_t heads_in_one_go = 65'536;

/// Heads are neighbours by name but not in memory: fetched this many before they are used.
constexpr std::size_t look_ahead = 8;

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

int put_reach(MDB_txn* txn, MDB_dbi meta, log_position reach) {
    const auto stored = encode_heads_reach(reach);
    auto key = as_value(heads_reach_key);
    auto value = as_value(bytes_view(stored));
    return mdb_put(txn, meta, &key, &value, 0);
}

template <class Write>
int in_own_transaction(MDB_env* env, Write write) {
    txn_handle txn;
    auto rc = begin_txn(env, 0, txn);
    if (rc == 0)
        rc = write(txn.get());
    return rc == 0 ? commit_txn(txn) : rc;
}

} // namespace

head_flush::head_flush(const tables& table, std::size_t cached_streams, log_position reach,
                       std::size_t stored_heads)
    : table_(table),
      cached_streams_(std::max<std::size_t>(cached_streams, 1)),
      reach_(reach),
      table_size_(stored_heads) {}

head_flush::~head_flush() {
    if (sorter_.joinable())
        sorter_.join();
}

void head_flush::changed(cached_head& entry) {
    if (entry.dirty)
        return;
    entry.dirty = true;
    collected_.push_back(&entry);
}

void head_flush::advance(log_position head, std::size_t events) {
    credit_ += static_cast<std::int64_t>(events);
    const auto enough = std::min(std::max(table_size_, smallest_cycle), cached_streams_);
    // A cycle writes one head for each event that comes meanwhile. Begun now, it ends when the log
    // is this much longer; until then a crash leaves everything after `reach_` to be replayed.
    const auto lag_at_end = head - reach_ + collected_.size();
    const bool time = collected_.size() >= enough || lag_at_end >= longest_lag * cached_streams_;
    if (!in_cycle() && time && !collected_.empty())
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
    if (!in_cycle() || credit_ < smallest_slice || !sorted_.load(std::memory_order_acquire))
        return 0;
    wait_until_sorted();
    return write(txn, static_cast<std::size_t>(credit_));
}

int head_flush::write(MDB_txn* txn, std::size_t count) {
    slice_end_ = std::min(cycle_.size(), next_ + count);
    cursor_handle cursor;
    if (const auto rc = open_cursor(txn, table_.heads, cursor); rc != 0)
        return rc;
    for (auto i = next_; i != slice_end_; ++i) {
        if (i + look_ahead < slice_end_)
            __builtin_prefetch(cycle_[i + look_ahead]);
        const auto name = cycle_[i]->name();
        encode_head(name, cycle_[i]->head, scratch_);
        auto key = as_value(name);
        auto value = as_value(bytes_view(scratch_));
        if (const auto rc = mdb_cursor_put(cursor.get(), &key, &value, 0); rc != 0)
            return rc;
    }
    if (slice_end_ != cycle_.size())
        return 0;
    MDB_stat size{};
    if (const auto rc = mdb_stat(txn, table_.heads, &size); rc != 0)
        return rc;
    table_size_ = size.ms_entries;
    return put_reach(txn, table_.meta, cycle_reach_);
}

void head_flush::slice_committed() {
    if (slice_end_ == next_)
        return;
    for (; next_ != slice_end_; ++next_)
        cycle_[next_]->dirty = false;
    credit_ = 0;
    if (next_ != cycle_.size())
        return;
    reach_ = cycle_reach_;
    cycle_.clear();
    next_ = slice_end_ = 0;
}

int head_flush::write_all(MDB_env* env, log_position head) {
    while (in_cycle() || !collected_.empty()) {
        if (!in_cycle())
            begin_cycle(head);
        wait_until_sorted();
        const auto rc =
            in_own_transaction(env, [this](MDB_txn* txn) { return write(txn, heads_in_one_go); });
        if (rc != 0) {
            slice_aborted();
            return rc;
        }
        slice_committed();
    }
    if (reach_ == head)
        return 0;
    const auto rc =
        in_own_transaction(env, [&](MDB_txn* txn) { return put_reach(txn, table_.meta, head); });
    if (rc == 0)
        reach_ = head;
    return rc;
}

} // namespace annals::lmdb
