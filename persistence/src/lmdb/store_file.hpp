#pragma once

#include "lmdb/env.hpp"

/// A file of ours: an LMDB environment that says what it is.
namespace annals::lmdb {

/// What makes a file one of its kind: the journal, or the projection store.
class file_kind {
public:
    virtual ~file_kind() = default;

    [[nodiscard]] virtual const char* file_name() const noexcept = 0;
    /// Of the file whose lock says who has the store open.
    [[nodiscard]] virtual const char* lock_file_name() const noexcept = 0;

    /// Whether `env` is of this kind and may be used.
    [[nodiscard]] virtual result<void> check(MDB_env* env) const = 0;
    /// Makes an empty environment one of this kind.
    [[nodiscard]] virtual result<void> fill(MDB_txn* txn) const = 0;
};

/// What LMDB 0.9 maps of its lock file, beside the data file.
extern const std::size_t lmdb_lock_bytes;

/// Opens `file` with the flags that every store needs and `flags`.
[[nodiscard]] result<env_handle> open_env(const std::filesystem::path& file, std::size_t map_bytes,
                                          unsigned flags);

/// Looks whether `file` is a store of this kind that this version can open. Leaves no trace.
/// Precondition: no other process writes to it.
[[nodiscard]] result<void> inspect(const std::filesystem::path& file, const file_kind& kind,
                                   std::size_t map_bytes);

/// Makes an empty store, under another name first, so that `file` is either whole or not there.
[[nodiscard]] result<void> create_store(const std::filesystem::path& file, const file_kind& kind,
                                        bool sync);

/// "path" and why it is no store.
[[nodiscard]] error not_a_store(const std::filesystem::path& path, std::string_view why);

} // namespace annals::lmdb
