#pragma once

#include "lmdb/projection_store/notes.hpp"

namespace annals::lmdb {

/// Makes of a projection store without links one of the present version, in one transaction: every row
/// is read and written again. Does nothing to one of the present version. `corrupt` if a row is damaged.
[[nodiscard]] result<void> upgrade_views(MDB_env* env);

} // namespace annals::lmdb
