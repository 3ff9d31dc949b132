#pragma once

#include "annals/lmdb_journal.hpp"
#include "lmdb/journal/opening.hpp"

namespace annals::lmdb {

/// `open_lmdb_journal`, with a look at what lies beside an existing store before it is touched.
[[nodiscard]] result<std::shared_ptr<journal>> open_journal(const std::filesystem::path& directory,
                                                            const lmdb_options& options,
                                                            const look_beside& look);

} // namespace annals::lmdb
