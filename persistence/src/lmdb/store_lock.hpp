#pragma once

#include "annals/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace annals::lmdb {

/// Changes in a child process at fork; compare with the value at opening.
[[nodiscard]] std::uint64_t fork_generation() noexcept;

/// `errc::after_fork` as a sentence.
[[nodiscard]] error after_fork_error();

/// Exclusive use of a store, against other processes and against this one. Held by an open file
/// lock on a file beside it, which the system releases when the process ends, however it ends. A
/// forked child gives up its copy, so that it does not keep the store locked.
class store_lock {
public:
    /// Locks the file `path`: `errc::in_use`, `errc::permission_denied` and the like. Creates it if it is
    /// missing; see `created`.
    [[nodiscard]] static result<std::unique_ptr<store_lock>>
    acquire(const std::filesystem::path& path);

    ~store_lock();
    store_lock(const store_lock&) = delete;
    store_lock& operator=(const store_lock&) = delete;

    /// The lock file was not there before.
    [[nodiscard]] bool created() const noexcept { return created_; }
    /// Removes the lock file again when the lock is released.
    void remove_file_on_release() noexcept { remove_ = true; }
    void keep_file() noexcept { remove_ = false; }

private:
    store_lock(std::filesystem::path path, int file, bool created)
        : path_(std::move(path)),
          file_(file),
          created_(created) {}

    std::filesystem::path path_;
    int file_;
    bool created_;
    bool remove_ = false;
};

} // namespace annals::lmdb
