#pragma once

#include "annals/lmdb_journal.hpp"
#include "annals/projection_store.hpp"

namespace annals {

/// The two files of a store on disk.
struct lmdb_stores {
    std::shared_ptr<annals::journal> journal;
    std::shared_ptr<projection_store> projections;
};

/// Opens or creates both, as `open_lmdb_journal` and `open_lmdb_projection_store` do, with their
/// errors. It looks at both before it touches one: whether `views.mdb` is whole, belongs to this log and
/// may be opened is known before the journal is written to. That look is repeated when it is opened.
[[nodiscard]] result<lmdb_stores> open_lmdb_stores(const std::filesystem::path& directory,
                                                   const lmdb_options& options,
                                                   const projection_store_options& views);

} // namespace annals
