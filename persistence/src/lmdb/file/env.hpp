#pragma once

#include "annals/codec.hpp"
#include "annals/error.hpp"
#include "lmdb/file/guarded_calls.hpp"

#include <bit>
#include <filesystem>
#include <memory>
#include <string_view>

#include <lmdb.h>

/// LMDB's handles with owners, and its error numbers as annals errors.
namespace annals::lmdb {

static_assert(std::endian::native == std::endian::little && sizeof(std::size_t) == 8,
              "LMDB's files, and so annals' stores, have the machine's byte order and word size; "
              "annals is built and tested on 64-bit little-endian machines only");

/// The error for LMDB's or the system's error number `rc`; `doing` begins the sentence.
[[nodiscard]] error lmdb_error(int rc, std::string_view doing);

/// The same for an errno of the operating system about `path`.
[[nodiscard]] error system_error(int number, std::string_view doing,
                                 const std::filesystem::path& path);

[[nodiscard]] inline MDB_val as_value(bytes_view bytes) noexcept {
    return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}
[[nodiscard]] inline MDB_val as_value(std::string_view text) noexcept {
    return {text.size(), const_cast<char*>(text.data())};
}
/// A view of a number as the key of an MDB_INTEGERKEY table. It must outlive the value.
[[nodiscard]] inline MDB_val as_value(std::size_t& number) noexcept {
    return {sizeof number, &number};
}
[[nodiscard]] inline bytes_view as_bytes(const MDB_val& value) noexcept {
    return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}
[[nodiscard]] inline std::string_view as_text(const MDB_val& value) noexcept {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

struct env_closer {
    void operator()(MDB_env* env) const noexcept { mdb_env_close(env); }
};
using env_handle = std::unique_ptr<MDB_env, env_closer>;

struct txn_aborter {
    void operator()(MDB_txn* txn) const noexcept { mdb_txn_abort(txn); }
};
/// Aborted if it is dropped.
using txn_handle = std::unique_ptr<MDB_txn, txn_aborter>;

struct cursor_closer {
    void operator()(MDB_cursor* cursor) const noexcept { mdb_cursor_close(cursor); }
};
/// In a write transaction, drop it before the transaction ends.
using cursor_handle = std::unique_ptr<MDB_cursor, cursor_closer>;

/// Begins a transaction; returns LMDB's error number.
[[nodiscard]] int begin_txn(MDB_env* env, unsigned flags, txn_handle& txn) noexcept;
/// Commits and releases `txn`, also on failure.
[[nodiscard]] int commit_txn(txn_handle& txn) noexcept;
[[nodiscard]] int open_cursor(MDB_txn* txn, MDB_dbi table, cursor_handle& cursor) noexcept;

/// The tables of a store besides those of its index (stream_index.hpp). docs/storage_format.md
/// describes their keys and values.
struct tables {
    MDB_dbi log = 0;  ///< position -> record
    MDB_dbi meta = 0; ///< what the store is, and which index belongs to it
};

/// Opens the tables within `txn`, creating them if `flags` has MDB_CREATE.
[[nodiscard]] int open_tables(MDB_txn* txn, unsigned flags, tables& into) noexcept;

} // namespace annals::lmdb
