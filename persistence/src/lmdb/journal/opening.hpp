#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/file/exclusive_opening.hpp"
#include "lmdb/file/store_identity.hpp"

#include <functional>

/// The file `journal.mdb`: an LMDB environment whose table `meta` says that it is a store.
namespace annals::lmdb {

inline constexpr auto data_file_name = "journal.mdb";

/// A store that is open for this process alone.
struct open_store : exclusive_file {
    tables table;
    store_identity identity;
    std::filesystem::path directory;
    bool earlier_format = false; ///< the store has `earlier_format_version`
};

/// Looks at what lies beside the log with this id, and changes nothing.
using look_beside = std::function<result<void>(const uuid&)>;

/// Opens or creates; the errors are those of `open_lmdb_journal`. What it returns is durable. An existing
/// store is touched only if `look` finds nothing wrong.
[[nodiscard]] result<open_store> open_or_create(const std::filesystem::path& directory,
                                                const lmdb_options& options,
                                                const look_beside& look = {});

/// Opens the file of a store that somebody else keeps locked, after a look at every page of it.
[[nodiscard]] result<open_store> open_locked_to_verify(const std::filesystem::path& directory,
                                                       const std::filesystem::path& file,
                                                       const lmdb_options& options);

/// Opens an existing store to read it, and keeps others from opening it.
[[nodiscard]] result<open_store> open_to_verify(const std::filesystem::path& directory,
                                                const lmdb_options& options);

} // namespace annals::lmdb
