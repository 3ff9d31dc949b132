#pragma once

// What lies in a directory, to see whether anything has changed.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <sys/stat.h>

namespace annals::test {

/// Name and content of every file below `directory`.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        auto& content = all[entry.path().lexically_relative(directory).string()];
        if (entry.is_directory())
            content = "directory";
        if (!entry.is_regular_file())
            continue; // to open a FIFO would take for ever
        std::ifstream file(entry.path(), std::ios::binary);
        content.assign(std::istreambuf_iterator<char>(file), {});
    }
    return all;
}

/// Everything that `stat` says of each entry below a directory, the directory included, and what each
/// file holds.
inline std::map<std::string, std::string> files_of(const std::filesystem::path& directory) {
    auto all = contents_of(directory);
    all["."] = "directory";
    for (auto& [name, content] : all) {
        struct stat status {};
        if (::lstat((directory / name).c_str(), &status) != 0)
            continue;
        for (const auto number :
             {std::uint64_t{status.st_ino}, std::uint64_t{status.st_mode},
              std::uint64_t{status.st_nlink}, static_cast<std::uint64_t>(status.st_size),
              static_cast<std::uint64_t>(status.st_blocks),
              static_cast<std::uint64_t>(status.st_mtim.tv_sec),
              static_cast<std::uint64_t>(status.st_mtim.tv_nsec),
              static_cast<std::uint64_t>(status.st_ctim.tv_sec),
              static_cast<std::uint64_t>(status.st_ctim.tv_nsec)})
            content += "/" + std::to_string(number);
    }
    return all;
}

} // namespace annals::test
