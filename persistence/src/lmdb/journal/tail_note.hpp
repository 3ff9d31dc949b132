#pragma once

#include "lmdb/file/store_identity.hpp"
#include "lmdb/journal/log_table.hpp"

#include <optional>

/// The file `journal.tail`, beside the data file: where the log ended when it was last known to be
/// durable. If the log ends before that, its tail is missing: a page of LMDB was damaged or lost, or
/// an older file was put back.
///
///     magic        8 bytes  "annals", "t", line feed
///     store        16 bytes the store's id
///     position     u64      of the last event
///     transaction  u64      LMDB's number of the commit
///     record       u32      the CRC-32C that the record at `position` begins with
///     meta         u32      CRC-32C over LMDB's meta page of that commit
///     crc          u32      CRC-32C over everything before it
///
/// It is written after each commit and not synced, so it may be old or missing, but what it says was
/// durable before it was said. One that is missing or torn proves nothing.
namespace annals::lmdb {

inline constexpr auto tail_file_name = "journal.tail";
inline constexpr std::size_t tail_bytes = 8 + 16 + 8 + 8 + 4 + 4 + 4;

struct log_tail {
    uuid store;
    log_position position = 0;
    std::uint64_t transaction = 0;
    std::uint32_t record_crc = 0;
    std::uint32_t meta_crc = 0;
};

[[nodiscard]] std::array<std::byte, tail_bytes> encode_tail(const log_tail& tail);
/// Nothing if the bytes are not what `encode_tail` wrote.
[[nodiscard]] std::optional<log_tail> decode_tail(bytes_view stored);

/// The note in `directory`, if there is a whole one. `errc::not_a_store` if something that is no regular
/// file has its name.
[[nodiscard]] result<std::optional<log_tail>> read_tail(const std::filesystem::path& directory);

/// Whether the store in `directory`, which is open within `txn`, holds everything that the note says
/// and its counts agree. `errc::corrupt` says which positions are missing and what to do.
[[nodiscard]] result<void> check_tail(const std::filesystem::path& directory, MDB_txn* txn,
                                      const tables& table, const store_identity& identity);

/// Writes the note. Used by the writer thread only.
class tail_note {
public:
    tail_note(const std::filesystem::path& directory, const uuid& store);
    ~tail_note();
    tail_note(const tail_note&) = delete;
    tail_note& operator=(const tail_note&) = delete;

    /// The last commit of `env` is durable, and the log ends at `position` with a record that begins
    /// with `record_crc`. A note that cannot be written is an old one, which does no harm.
    void write(MDB_env* env, log_position position, std::uint32_t record_crc) noexcept;
    /// A commit followed that added nothing to the log.
    void renew(MDB_env* env) noexcept;

private:
    std::filesystem::path path_;
    uuid store_;
    log_position position_ = 0;
    std::uint32_t record_crc_ = 0;
    int file_ = -1;
};

} // namespace annals::lmdb
