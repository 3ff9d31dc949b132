#pragma once

#include "lmdb/file/env.hpp"
#include "lmdb/journal/head_block.hpp"
#include "lmdb/journal/head_table.hpp"
#include "lmdb/journal/log_table.hpp"

#include <span>

/// The index of streams: where each stream ends, as far as the index reaches in the log.
///
/// It is derived from the log and proves what it says. Two tables have the same keys: `heads.<n>`
/// holds blocks (see head_block.hpp), `sums.<n>` the checksum of each, so that a block that is sound
/// but old, because a write of its page was lost, is found as well. Blocks are small enough to lie
/// within LMDB's leaf pages. Once anything in an index was found damaged, it is never written to
/// again: its tree may name pages that belong to others by now. Another one, of the next number, is
/// made from the log.
namespace annals::lmdb {

struct index_tables {
    MDB_dbi heads = 0; ///< where a range begins -> block
    MDB_dbi sums = 0;  ///< the same -> CRC-32C of the block
};

/// Opens the tables of index `generation` within `txn`. LMDB's error number.
[[nodiscard]] int open_index(MDB_txn* txn, std::uint32_t generation, index_tables& into) noexcept;

/// Makes the tables of an index that has no stream. LMDB's error number.
[[nodiscard]] int create_index(MDB_txn* txn, std::uint32_t generation, index_tables& into);

/// Whether `name` is that of one of its tables.
[[nodiscard]] bool is_index_table(std::string_view name, std::uint32_t generation);

/// The lowest generation of which `txn` has no table.
[[nodiscard]] std::uint32_t next_generation(MDB_txn* txn);

/// The sentence for an index that is damaged at `name`.
[[nodiscard]] error damaged_index(std::string_view name);

/// An index within one transaction, which must outlive it.
class stream_index {
public:
    stream_index(MDB_txn* txn, const index_tables& tables) noexcept : txn_(txn), tables_(tables) {}

    /// The head of `stream`; version 0 if it is proved that the index has none. `errc::corrupt` if
    /// the index is damaged there.
    [[nodiscard]] result<stream_head> find(std::string_view stream) const;

    /// The checked block after `previous` in the order of the names, the first one after nothing.
    /// Its views are valid until the transaction ends or writes.
    [[nodiscard]] result<head_block> block_after(const head_block* previous) const;

    /// The number of blocks, and whether there are as many checksums.
    [[nodiscard]] result<std::size_t> count_blocks() const;

private:
    /// The checked block that covers `name`.
    [[nodiscard]] result<head_block> locate(std::string_view name) const;
    [[nodiscard]] result<head_block> check(std::string_view name, const MDB_val& key,
                                           const MDB_val& value) const;

    friend class index_writer;
    MDB_txn* txn_;
    index_tables tables_;
};

/// Puts heads into an index.
class index_writer {
public:
    /// How much was written.
    struct progress {
        std::size_t heads = 0;
        std::size_t new_streams = 0;
        std::size_t bytes = 0;
    };

    /// Puts the first heads of `sorted`, by name, into the block that covers them, which becomes
    /// several if it grows too large. LMDB's error number; MDB_CORRUPTED if the block is damaged.
    /// Precondition: `sorted` is not empty.
    [[nodiscard]] int put_first(MDB_txn* txn, const index_tables& tables,
                                std::span<cached_head* const> sorted, progress& done);

private:
    /// False if the block holds what is no entry.
    [[nodiscard]] bool merge(const head_block& block, std::span<cached_head* const> sorted,
                             progress& done);
    void add(std::string_view name, bytes_view head);
    void add(const cached_head& entry);
    [[nodiscard]] int write_blocks(MDB_txn* txn, const index_tables& tables, progress& done);

    // Of the block being written; kept for their memory.
    std::string low_;
    std::string high_;
    bytes entries_;
    std::vector<std::size_t> begins_; ///< where in `entries_` each begins
    bytes block_;
};

/// Reads the head of `stream` from the index and checks it against the log: the record at its
/// position must be the stream's event of its version. `index_damaged` is set if the index is to
/// blame for an error.
[[nodiscard]] result<stream_head> load_head(const log_table& log, const stream_index& index,
                                            std::string_view stream, bool& index_damaged);

} // namespace annals::lmdb
