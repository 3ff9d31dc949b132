#include "annals/lmdb_stores.hpp"

#include "lmdb/journal/journal.hpp"
#include "lmdb/projection_store/opening.hpp"

namespace annals {

result<lmdb_stores> open_lmdb_stores(const std::filesystem::path& directory,
                                     const lmdb_options& options,
                                     const projection_store_options& views) {
    if (auto checked = lmdb::check_views_options(views); !checked)
        return checked.error();
    auto log = lmdb::open_journal(directory, options, [&](const uuid& id) {
        return lmdb::look_at_views(directory, id, views);
    });
    if (!log)
        return log.error();
    auto projections = open_lmdb_projection_store(directory, (*log)->id(), views);
    if (!projections)
        return projections.error();
    return lmdb_stores{*std::move(log), *std::move(projections)};
}

} // namespace annals
