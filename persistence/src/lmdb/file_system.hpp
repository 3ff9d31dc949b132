#pragma once

#include "annals/error.hpp"

#include <filesystem>
#include <vector>

namespace annals::lmdb {

/// `errc::unsupported_filesystem` if `path`, or what exists of it, is on a file system whose locks
/// and memory maps cannot be relied upon.
[[nodiscard]] result<void> check_file_system(const std::filesystem::path& path);

/// Makes the names in a directory durable.
[[nodiscard]] result<void> sync_directory(const std::filesystem::path& directory);

/// Makes what is open as `file` at least `bytes` long with all its blocks taken, so that writing to a
/// map of it cannot fail for want of space. Leaves it alone if it is.
[[nodiscard]] result<void> reserve_file(int file, const std::filesystem::path& path,
                                        std::size_t bytes);

/// Files and directories that come into being during an opening, and go again if it fails.
class new_paths {
public:
    new_paths() = default;
    new_paths(const new_paths&) = delete;
    new_paths& operator=(const new_paths&) = delete;
    ~new_paths();

    /// To be removed, if it does not exist yet.
    void expect(const std::filesystem::path& path);
    /// Creates a directory with those above it, and makes them durable.
    [[nodiscard]] result<void> create_directory(const std::filesystem::path& directory);
    void keep() noexcept { paths_.clear(); }

private:
    std::vector<std::filesystem::path> paths_;
};

} // namespace annals::lmdb
