#pragma once

#include "lmdb/env.hpp"

namespace annals::lmdb {

/// What a failed write means for the store.
class disk_errors {
public:
    explicit disk_errors(MDB_env* env) noexcept : env_(env) {}

    /// True if LMDB's error number `rc`, from a transaction of about `bytes`, says that there is no
    /// room: on the disk, in a quota, in the process's file size limit, or in the map. Nothing of
    /// the transaction is stored then, and a later one may succeed.
    [[nodiscard]] bool is_full(int rc, std::size_t bytes) const noexcept;

    /// As `lmdb_error`, but `disk_full` where the disk is. Precondition: no transaction is open on this
    /// thread.
    [[nodiscard]] error error_of(int rc, std::size_t bytes, std::string_view doing) const;

private:
    [[nodiscard]] bool environment_is_sound() const noexcept;
    /// The system reports a write that stopped half-way as EIO, whatever stopped it.
    [[nodiscard]] bool lacks_room_for(std::size_t bytes) const noexcept;

    MDB_env* env_;
};

} // namespace annals::lmdb
