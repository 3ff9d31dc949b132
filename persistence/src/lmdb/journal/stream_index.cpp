#include "lmdb/journal/stream_index.hpp"

#include "lmdb/file/varint.hpp"

namespace annals::lmdb {
namespace {

/// Most bytes of entries in a block. A block of these, with its key and the name of the next one,
/// must fit twice into a page of 4 KiB, or LMDB would give it pages of its own.
constexpr std::size_t most_entry_bytes = 1'000;
/// What a block is filled to when one becomes several: a stream's head grows later.
constexpr std::size_t wanted_entry_bytes = 750;

std::string table_name(const char* kind, std::uint32_t generation) {
    return std::string(kind) + "." + std::to_string(generation);
}

int open_index_tables(MDB_txn* txn, std::uint32_t generation, unsigned flags,
                      index_tables& into) noexcept {
    auto rc = mdb_dbi_open(txn, table_name("heads", generation).c_str(), flags, &into.heads);
    if (rc == 0)
        rc = mdb_dbi_open(txn, table_name("sums", generation).c_str(), flags, &into.sums);
    return rc;
}

int put_block(MDB_txn* txn, const index_tables& tables, std::string_view low, bytes_view block,
              std::uint32_t crc) {
    std::array<std::byte, 4> sum;
    put_fixed(sum.data(), crc);
    auto key = as_value(low);
    auto value = as_value(block);
    auto sum_value = as_value(bytes_view(sum));
    const auto rc = mdb_put(txn, tables.heads, &key, &value, 0);
    return rc != 0 ? rc : mdb_put(txn, tables.sums, &key, &sum_value, 0);
}

error unreadable(int rc) {
    return lmdb_error(rc, "cannot read the index of streams");
}

} // namespace

error damaged_index(std::string_view name) {
    return {errc::corrupt, "the index of streams is damaged where \"" + std::string(name) +
                               "\" belongs; open the store, which makes it again from the log"};
}

int open_index(MDB_txn* txn, std::uint32_t generation, index_tables& into) noexcept {
    return open_index_tables(txn, generation, 0, into);
}

int create_index(MDB_txn* txn, std::uint32_t generation, index_tables& into) {
    const auto rc = open_index_tables(txn, generation, MDB_CREATE, into);
    if (rc != 0)
        return rc;
    bytes empty;
    const auto crc = encode_block(lowest_name, {}, {}, empty);
    return put_block(txn, into, lowest_name, empty, crc);
}

bool is_index_table(std::string_view name, std::uint32_t generation) {
    return name == table_name("heads", generation) || name == table_name("sums", generation);
}

std::uint32_t next_generation(MDB_txn* txn) {
    MDB_dbi names = 0;
    if (mdb_dbi_open(txn, nullptr, 0, &names) != 0)
        return 1;
    const auto is_there = [&](const std::string& name) {
        auto key = as_value(std::string_view(name));
        MDB_val value{};
        return mdb_get(txn, names, &key, &value) == 0;
    };
    std::uint32_t generation = 1;
    while (is_there(table_name("heads", generation)) || is_there(table_name("sums", generation)))
        ++generation;
    return generation;
}

result<head_block> stream_index::check(std::string_view name, const MDB_val& key,
                                       const MDB_val& value) const {
    auto block = parse_block(as_text(key), as_bytes(value));
    if (!block)
        return damaged_index(name);
    auto sum_key = key;
    MDB_val sum{};
    const auto rc = mdb_get(txn_, tables_.sums, &sum_key, &sum);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return unreadable(rc);
    if (rc == MDB_NOTFOUND || sum.mv_size != 4 ||
        get_fixed<std::uint32_t>(as_bytes(sum).data()) != block->crc)
        return damaged_index(name);
    return *block;
}

result<head_block> stream_index::locate(std::string_view name) const {
    cursor_handle cursor;
    auto rc = open_cursor(txn_, tables_.heads, cursor);
    auto key = as_value(name);
    MDB_val value{};
    if (rc == 0)
        rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_LAST);
    else if (rc == 0 && as_text(key) != name)
        rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_PREV);
    if (rc == MDB_NOTFOUND)
        return damaged_index(name);
    if (rc != 0)
        return unreadable(rc);
    auto block = check(name, key, value);
    if (block && !block->covers(name))
        return damaged_index(name);
    return block;
}

result<stream_head> stream_index::find(std::string_view stream) const {
    const auto block = locate(stream);
    if (!block)
        return block.error();
    block_entries entries(block->entries);
    for (auto entry = entries.next(); entry; entry = entries.next())
        if (entry->name == stream) {
            auto head = decode_head(entry->head);
            return head ? result<stream_head>(std::move(*head)) : damaged_index(stream);
        }
    return entries.ok() ? result<stream_head>(stream_head()) : damaged_index(stream);
}

result<head_block> stream_index::block_after(const head_block* previous) const {
    const auto low = previous == nullptr ? lowest_name : previous->high;
    auto block = locate(low);
    if (block && block->low != low)
        return damaged_index(low);
    return block;
}

result<std::size_t> stream_index::count_blocks() const {
    MDB_stat heads{};
    MDB_stat sums{};
    auto rc = mdb_stat(txn_, tables_.heads, &heads);
    if (rc == 0)
        rc = mdb_stat(txn_, tables_.sums, &sums);
    if (rc != 0)
        return unreadable(rc);
    if (heads.ms_entries != sums.ms_entries)
        return damaged_index(lowest_name);
    return heads.ms_entries;
}

int index_writer::put_first(MDB_txn* txn, const index_tables& tables,
                            std::span<cached_head* const> sorted, progress& done) {
    const auto block = stream_index(txn, tables).locate(sorted.front()->name());
    if (!block)
        return block.error().code == errc::corrupt ? MDB_CORRUPTED : EIO;
    if (!merge(*block, sorted, done))
        return MDB_CORRUPTED;
    return write_blocks(txn, tables, done);
}

void index_writer::add(std::string_view name, bytes_view head) {
    begins_.push_back(entries_.size());
    append_entry(name, head, entries_);
}

void index_writer::add(const cached_head& entry) {
    std::array<std::byte, max_head_bytes> head;
    const auto size = encode_head(entry.head, head.data());
    add(entry.name(), bytes_view(head).first(size));
}

bool index_writer::merge(const head_block& block, std::span<cached_head* const> sorted,
                         progress& done) {
    // Heads are neighbours by name but not in memory: fetched this many before they are used.
    constexpr std::size_t look_ahead = 8;
    low_ = block.low;
    high_ = block.high;
    entries_.clear();
    begins_.clear();
    block_entries old_entries(block.entries);
    auto old = old_entries.next();
    for (std::size_t i = 0; i != sorted.size(); ++i) {
        if (i + look_ahead < sorted.size())
            __builtin_prefetch(sorted[i + look_ahead]);
        const auto name = sorted[i]->name();
        if (!block.covers(name))
            break;
        for (; old && old->name < name; old = old_entries.next())
            add(old->name, old->head);
        if (old && old->name == name)
            old = old_entries.next();
        else
            ++done.new_streams;
        add(*sorted[i]);
        ++done.heads;
    }
    for (; old; old = old_entries.next())
        add(old->name, old->head);
    return old_entries.ok();
}

int index_writer::write_blocks(MDB_txn* txn, const index_tables& tables, progress& done) {
    const auto parts = entries_.size() <= most_entry_bytes
                           ? std::size_t{1}
                           : (entries_.size() + wanted_entry_bytes - 1) / wanted_entry_bytes;
    const auto wanted = (entries_.size() + parts - 1) / parts;
    const auto end_of = [this](std::size_t entry) {
        return entry + 1 < begins_.size() ? begins_[entry + 1] : entries_.size();
    };
    const auto name_at = [this](std::size_t begin) {
        return block_entries(bytes_view(entries_).subspan(begin)).next()->name;
    };
    std::string_view low = low_;
    for (std::size_t entry = 0, begin = 0;;) {
        auto end = begin;
        while (
            entry != begins_.size() &&
            (end == begin || (end - begin < wanted && end_of(entry) - begin <= most_entry_bytes)))
            end = end_of(entry++);
        const auto high = end == entries_.size() ? std::string_view(high_) : name_at(end);
        const auto crc =
            encode_block(low, high, bytes_view(entries_).subspan(begin, end - begin), block_);
        if (const auto rc = put_block(txn, tables, low, block_, crc); rc != 0)
            return rc;
        done.bytes += block_.size();
        if (end == entries_.size())
            return 0;
        low = high;
        begin = end;
    }
}

result<stream_head> load_head(const log_table& log, const stream_index& index,
                              std::string_view stream, bool& index_damaged) {
    auto head = index.find(stream);
    if (!head) {
        index_damaged = index_damaged || head.error().code == errc::corrupt;
        return head;
    }
    if (head->version() == 0)
        return head;
    const auto found = log.at(head->last());
    if (!found) {
        const auto last = log.last();
        index_damaged = index_damaged || (last && head->last() > *last);
        return found.error();
    }
    if (found->event.stream == stream && found->event.version == head->version())
        return head;
    index_damaged = true;
    return damaged_index(stream);
}

} // namespace annals::lmdb
