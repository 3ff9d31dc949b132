#pragma once

#include "lmdb/store_file.hpp"
#include "lmdb/store_lock.hpp"

namespace annals::lmdb {

/// A file that is open for this process alone. Members are destroyed in the right order: the
/// environment before the lock.
struct exclusive_file {
    std::unique_ptr<store_lock> lock;
    env_handle env;
};

struct opening_options {
    std::size_t max_store_bytes;
    bool create = true; ///< if it is missing, with its directory
    bool unsafe_no_sync = false;
};

/// Opens or creates the file of this kind in `directory`. What it returns is durable, and passed
/// `kind.check`. An error changes nothing on disk.
[[nodiscard]] result<exclusive_file> open_exclusively(const std::filesystem::path& directory,
                                                      const file_kind& kind,
                                                      const opening_options& options);

/// Opens an existing one to read it, and keeps others from opening it.
[[nodiscard]] result<exclusive_file> open_to_read(const std::filesystem::path& directory,
                                                  const file_kind& kind, std::size_t map_bytes);

} // namespace annals::lmdb
