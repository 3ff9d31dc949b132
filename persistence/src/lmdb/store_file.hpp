#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/env.hpp"
#include "lmdb/meta_format.hpp"

/// The file `journal.mdb`: an LMDB environment whose table `meta` says that it is a store.
namespace annals::lmdb {

inline constexpr auto data_file_name = "journal.mdb";

/// What LMDB 0.9 maps of its lock file, beside the data file.
extern const std::size_t lmdb_lock_bytes;

/// Opens `file` with the flags that every store needs and `flags`.
[[nodiscard]] result<env_handle> open_env(const std::filesystem::path& file, std::size_t map_bytes,
                                          unsigned flags);

/// Opens the tables, and reads what the store is.
[[nodiscard]] result<store_identity> read_identity(MDB_env* env, tables& table);

/// Looks whether `file` is a store that this version can open. Leaves no trace.
/// Precondition: no other process writes to it.
[[nodiscard]] result<store_identity> inspect(const std::filesystem::path& file,
                                             const lmdb_options& options);

/// Makes an empty store, under another name first, so that `file` is either whole or not there.
[[nodiscard]] result<void> create_store(const std::filesystem::path& file, bool sync);

/// "path" and why it is no store.
[[nodiscard]] error not_a_store(const std::filesystem::path& path, std::string_view why);

} // namespace annals::lmdb
