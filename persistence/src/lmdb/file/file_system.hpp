#pragma once

#include "annals/error.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace annals::lmdb {

/// `errc::unsupported_filesystem` if `path`, or what exists of it, is on a file system whose locks
/// and memory maps cannot be relied upon.
[[nodiscard]] result<void> check_file_system(const std::filesystem::path& path);

/// Makes the names in a directory durable.
[[nodiscard]] result<void> sync_directory(const std::filesystem::path& directory);

/// Opens a file that annals keeps beside the data file, readable by its owner alone if `flags` make it.
/// Follows no link, and takes nothing but a regular file: a FIFO would make its opener wait for ever.
/// Returns the descriptor, or -1 with errno.
[[nodiscard]] int open_own_file(const std::filesystem::path& path, int flags) noexcept;

/// `errc::not_a_store` if something that is no regular file is in the place of such a file.
[[nodiscard]] std::optional<error> not_a_file(const std::filesystem::path& path);

/// Why such a file could not be opened, with the errno of the attempt.
[[nodiscard]] error own_file_error(int number, std::string_view doing,
                                   const std::filesystem::path& path);

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
