#pragma once

#include "annals/error.hpp"

#include <filesystem>
#include <optional>

#include <sys/types.h>

namespace annals::lmdb {

/// Notices that an open file was deleted, moved or replaced. Not thread-safe.
class file_watch {
public:
    file_watch() = default;
    /// `path` is absolute and leads to what is open as `file`, which the caller keeps open.
    [[nodiscard]] static result<file_watch> on(const std::filesystem::path& path, int file);

    /// `errc::unavailable` and what happened, once the path does not lead to the open file any more.
    /// Costs two system calls and no access to the disk.
    [[nodiscard]] std::optional<error> lost() const;

private:
    std::filesystem::path path_;
    int file_ = -1;
    dev_t device_{};
    ino_t inode_{};
};

} // namespace annals::lmdb
