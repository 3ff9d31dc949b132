#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/env.hpp"
#include "lmdb/meta_format.hpp"
#include "lmdb/store_lock.hpp"

namespace annals::lmdb {

/// A store that is open for this process alone. Members are destroyed in the right order: the
/// environment before the lock.
struct open_store {
    std::unique_ptr<store_lock> lock;
    env_handle env;
    tables table;
    store_identity identity;
};

/// Opens or creates; the errors are those of `open_lmdb_journal`. What it returns is durable.
[[nodiscard]] result<open_store> open_or_create(const std::filesystem::path& directory,
                                                const lmdb_options& options);

/// Opens an existing store to read it, and keeps others from opening it.
[[nodiscard]] result<open_store> open_to_verify(const std::filesystem::path& directory,
                                                const lmdb_options& options);

} // namespace annals::lmdb
