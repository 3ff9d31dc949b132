#include "annals/lmdb_stores.hpp"

#include "lmdb/file/store_file.hpp"
#include "lmdb/journal/journal.hpp"
#include "lmdb/projection_store/opening.hpp"

#include <algorithm>
#include <limits>

namespace annals {

result<lmdb_stores> open_lmdb_stores(const std::filesystem::path& directory,
                                     const lmdb_options& options,
                                     const projection_store_options& views) {
    if (auto checked = lmdb::check_views_options(views); !checked)
        return checked.error();
    // Otherwise a new log would stay there when there is no room for the map of the other one.
    const auto rest = std::numeric_limits<std::size_t>::max() - options.max_store_bytes;
    if (auto room = lmdb::check_address_space(options.max_store_bytes +
                                              std::min(views.max_store_bytes, rest));
        !room)
        return room.error();
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
