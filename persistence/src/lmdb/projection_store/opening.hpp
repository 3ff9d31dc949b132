#pragma once

#include "lmdb/file/exclusive_opening.hpp"
#include "lmdb/projection_store/notes.hpp"

/// The file `views.mdb`: an LMDB environment whose table `meta` says which log it belongs to.
namespace annals::lmdb {

/// A projection store that is open for this process alone, and what it says about itself.
struct open_views {
    exclusive_file file;
    views_tables table;
    row_space next_space = 0; ///< as stored
    row_space used_to = 0;    ///< no space above it has rows or was dropped
    std::vector<row_space> dropped;
    space_notes notes;
};

/// Opens or creates; the errors are those of `open_lmdb_projection_store`. What it returns is durable.
[[nodiscard]] result<open_views> open_or_create_views(const std::filesystem::path& directory,
                                                      const uuid& log,
                                                      const projection_store_options& options);

/// Options that no opening accepts, whatever is on the disk.
[[nodiscard]] result<void> check_views_options(const projection_store_options& options);

/// What `open_or_create_views` would refuse by looking, found without a change. A missing file is none.
[[nodiscard]] result<void> look_at_views(const std::filesystem::path& directory, const uuid& log,
                                         const projection_store_options& options);

} // namespace annals::lmdb
