#pragma once

#include "annals/row_checking.hpp"
#include "lmdb/file/store_lock.hpp"
#include "lmdb/projection_store/opening.hpp"
#include "lmdb/projection_store/queue.hpp"
#include "lmdb/projection_store/readers.hpp"
#include "projection_store/space_numbers.hpp"

namespace annals::lmdb {

/// Everything that an open projection store consists of. The store, its writer thread and its
/// snapshots share it, so that each may be the last to go.
struct views_store {
    views_store(open_views opened, const projection_store_options& chosen);

    /// Nothing, or why this store may not be used now: after a fork.
    [[nodiscard]] std::optional<error> unusable() const;

    /// The writer thread: until the store is closed; then everything is released.
    void run_writer();

    const projection_store_options options;
    const std::uint64_t born_in = fork_generation();

    open_views files; ///< released by the writer thread
    space_numbers spaces;
    views_queue queue;
    views_readers readers;
};

/// A snapshot of what `of` holds now; `closed`, or what LMDB says.
[[nodiscard]] result<std::unique_ptr<row_snapshot>>
take_snapshot(const std::shared_ptr<views_store>& of);

/// As `row_checking::check_rows`.
[[nodiscard]] result<void> check_rows_of(const std::shared_ptr<views_store>& of, row_space space,
                                         space_check& at);

/// Spaces with rows, in order, that were not dropped.
[[nodiscard]] result<std::vector<row_space>>
spaces_with_rows(const std::shared_ptr<views_store>& of);

} // namespace annals::lmdb
