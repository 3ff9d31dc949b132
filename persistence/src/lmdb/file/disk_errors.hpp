#pragma once

#include "lmdb/file/env.hpp"

#include <optional>

namespace annals::lmdb {

/// What a failed write means for the store.
class disk_errors {
public:
    explicit disk_errors(MDB_env* env) noexcept : env_(env) {}

    /// `disk_full`, with what is full and what to do, if LMDB's error number `rc`, from a transaction
    /// of about `bytes`, says that there is no room: on the disk, in a quota, in the process's file size
    /// limit, or in the map. Nothing of the transaction is stored then, and a later one may succeed.
    /// `doing` begins the sentence. Precondition: no transaction is open on this thread.
    [[nodiscard]] std::optional<error> full(int rc, std::size_t bytes,
                                            std::string_view doing) const;

    /// Whether it is that.
    [[nodiscard]] bool is_full(int rc, std::size_t bytes) const noexcept {
        return number_of_full(rc, bytes) != 0;
    }

    /// As `lmdb_error`, but `disk_full` where the disk is.
    [[nodiscard]] error error_of(int rc, std::size_t bytes, std::string_view doing) const;

private:
    /// The error number that says what is full; 0 if nothing is.
    [[nodiscard]] int number_of_full(int rc, std::size_t bytes) const noexcept;
    [[nodiscard]] bool environment_is_sound() const noexcept;

    MDB_env* env_;
};

/// Why the file that is open as `file` cannot grow by about `bytes`: EFBIG, ENOSPC or EDQUOT; 0 if it
/// can. The system reports a write that stopped half-way without saying what stopped it.
[[nodiscard]] int lack_of_room(int file, std::size_t bytes) noexcept;

} // namespace annals::lmdb
