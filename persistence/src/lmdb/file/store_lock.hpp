#pragma once

#include "annals/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace annals::lmdb {

/// Changes in a child process at fork; compare with the value at opening.
[[nodiscard]] std::uint64_t fork_generation() noexcept;

/// `errc::after_fork` as a sentence.
[[nodiscard]] error after_fork_error();

/// How long one opening may wait for locks, all of them together.
class lock_wait {
public:
    explicit lock_wait(std::chrono::milliseconds longest) noexcept : longest_(longest) {}

    /// False once the time is over; otherwise true, after a moment.
    [[nodiscard]] bool again() noexcept;

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds pause_{1};
};

/// An open file that nobody else has locked in this way: no other process, and nobody in this one,
/// by whatever path. The lock is the file's (its inode's), so links, mounts and renamed directories
/// lead to the same one, and deleting the file frees nothing. It is an flock: what LMDB opens and
/// closes itself does not loosen it, and the system releases it when the process ends, however it
/// ends. A forked child gives up its copy, so that it does not keep the store locked.
class file_lock {
public:
    enum class access { read, create };

    /// Locks the file at `path`; `create`: makes it if it is missing, readable by its owner alone, and
    /// follows no link. Errors: `in_use`, `permission_denied` and the like; `in_use` names the
    /// process whose number is in the file `owner`. Changes no file that exists.
    [[nodiscard]] static result<std::unique_ptr<file_lock>> take(const std::filesystem::path& path,
                                                                 access how,
                                                                 const std::filesystem::path& owner,
                                                                 lock_wait& wait);
    ~file_lock();
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;

    [[nodiscard]] int file() const noexcept { return file_; }
    /// Writes this process's number into the file, for people who look; nothing depends on it.
    void write_owner() const noexcept;
    /// Removes the file when the lock is released, if `take` made it and `keep` is not called.
    void keep() noexcept { created_ = false; }

private:
    file_lock(std::filesystem::path path, int file, bool created)
        : path_(std::move(path)),
          file_(file),
          created_(created) {}

    std::filesystem::path path_;
    int file_;
    bool created_;
};

/// Exclusive use of a store: its data file is locked, and a file beside it, which keeps others from
/// creating a store where the data file is missing.
struct store_lock {
    std::unique_ptr<file_lock> beside;
    std::unique_ptr<file_lock> data;
};

} // namespace annals::lmdb
