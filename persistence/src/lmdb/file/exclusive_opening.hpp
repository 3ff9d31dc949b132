#pragma once

#include "lmdb/file/file_watch.hpp"
#include "lmdb/file/store_file.hpp"
#include "lmdb/file/store_lock.hpp"

namespace annals::lmdb {

/// A file that is open for this process alone. Members are destroyed in the right order: the
/// environment before the lock.
struct exclusive_file {
    store_lock lock;
    env_handle env;
    std::filesystem::path path; ///< of the data file, absolute and without links
    file_watch watch;
    bool pages_checked = false; ///< all of them; otherwise not those with entries
    std::vector<damaged_table> damaged_tables;
};

struct opening_options {
    std::size_t max_store_bytes;
    bool create = true; ///< if it is missing, with its directory
    std::chrono::milliseconds wait_for_lock{0};
    bool unsafe_no_sync = false;
};

/// Opens or creates the file of this kind in `directory`. What it returns is durable, and passed
/// `kind.check`. It looks before it touches: an error changes nothing on disk, unless the system fails
/// an operation after everything was found to be well.
[[nodiscard]] result<exclusive_file> open_exclusively(const std::filesystem::path& directory,
                                                      const file_kind& kind,
                                                      const opening_options& options);

/// Opens an existing one to read it, and keeps others from opening it. Needs no right to write, and
/// changes nothing.
[[nodiscard]] result<exclusive_file> open_to_read(const std::filesystem::path& directory,
                                                  const file_kind& kind,
                                                  const opening_options& options);

} // namespace annals::lmdb
