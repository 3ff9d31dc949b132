#pragma once

#include "lmdb/file/env.hpp"

#include <optional>
#include <string>

/// LMDB's table of readers, in the file beside the data file. Pages that the oldest reader can see
/// are not used again, so one that died or that does not end lets the file grow with each commit.
namespace annals::lmdb {

/// Makes the table's file if it is missing, with all its blocks, readable by its owner alone; and
/// brings it up to `last_txn`, the last transaction in the data file. A process that was killed between
/// writing a transaction and noting it in the table leaves the table one behind, and as long as another
/// program has it mapped, whoever opens the store would go on from the transaction before. Call it
/// before the environment is opened, with the store locked.
[[nodiscard]] result<void> prepare_reader_table(const std::filesystem::path& table,
                                                std::size_t last_txn);

/// Number of the last transaction in the data file.
[[nodiscard]] std::size_t last_txn_of(MDB_env* env) noexcept;

/// Frees what readers hold that have died. The writer's thread calls it.
class reader_sweep {
public:
    /// Sweeps at once.
    explicit reader_sweep(MDB_env* env) noexcept;
    /// After a commit: sweeps if the file has grown since the last time, for a dead reader may be why.
    void committed() noexcept;

private:
    void sweep() noexcept;

    MDB_env* env_;
    std::size_t sweep_at_page_ = 0;
};

/// A sentence about the oldest reader if it has held its snapshot for so many commits that the file
/// grows by it. Any thread, while the environment is open.
[[nodiscard]] std::optional<std::string> warn_of_old_reader(MDB_env* env,
                                                            const std::filesystem::path& file);

} // namespace annals::lmdb
