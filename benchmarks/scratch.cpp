#include "scratch.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <system_error>

namespace bench {

scratch::scratch(const std::filesystem::path& parent, std::string_view name) {
    std::string pattern = (parent / name).string() + ".XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::system_error(errno, std::generic_category(),
                                "cannot make a directory " + pattern);
    path_ = pattern;
}

scratch::~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::uintmax_t scratch::bytes_on_disk() const {
    constexpr std::uintmax_t block_bytes = 512; // of st_blocks, whatever the file system's own
    std::uintmax_t total = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
        struct stat about {};
        if (entry.is_regular_file() && ::stat(entry.path().c_str(), &about) == 0)
            total += static_cast<std::uintmax_t>(about.st_blocks) * block_bytes;
    }
    return total;
}

} // namespace bench
