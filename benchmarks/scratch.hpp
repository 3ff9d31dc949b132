#pragma once

#include <filesystem>
#include <string_view>

namespace bench {

/// A fresh directory that goes away with this object, and everything in it.
class scratch {
public:
    /// `<parent>/<name>.XXXXXX`. Throws std::system_error.
    scratch(const std::filesystem::path& parent, std::string_view name);
    ~scratch();
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// In bytes on disk; a store's file has holes.
    [[nodiscard]] std::uintmax_t bytes_on_disk() const;

private:
    std::filesystem::path path_;
};

} // namespace bench
