#include "lmdb/file_watch.hpp"

#include "lmdb/env.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace annals::lmdb {
namespace {

error lost_because(const std::filesystem::path& path, std::string_view what) {
    return {errc::unavailable, "\"" + path.string() + "\" was " + std::string(what) +
                                   ", then close the store and open it again"};
}

} // namespace

result<file_watch> file_watch::on(const std::filesystem::path& path, int file) {
    struct stat status {};
    if (::fstat(file, &status) != 0)
        return system_error(errno, "cannot look at", path);
    file_watch watch;
    watch.path_ = path;
    watch.file_ = file;
    watch.device_ = status.st_dev;
    watch.inode_ = status.st_ino;
    return watch;
}

std::optional<error> file_watch::lost() const {
    struct stat status {};
    if (::fstat(file_, &status) == 0 && status.st_nlink == 0)
        return lost_because(path_, "deleted while it was open; restore it from a backup");
    const bool there = ::stat(path_.c_str(), &status) == 0;
    // A path that may not be looked at any more proves nothing.
    const bool led_elsewhere = there && (status.st_dev != device_ || status.st_ino != inode_);
    if (led_elsewhere || (!there && (errno == ENOENT || errno == ENOTDIR)))
        return lost_because(path_, "moved or replaced while it was open; put it back");
    return std::nullopt;
}

} // namespace annals::lmdb
