#include "lmdb/file/file_watch.hpp"

#include "lmdb/file/env.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace annals::lmdb {
namespace {

/// Asks for no time: since Linux 6.13 who asks for the time of a file makes its next write change that
/// time, and the sync of that write costs half as much again.
int look_at(int directory, const char* path, int flags, struct statx& found) noexcept {
    return ::statx(directory, path, flags, STATX_INO | STATX_NLINK, &found);
}

error lost_because(const std::filesystem::path& path, std::string_view happened) {
    return {errc::unavailable, "\"" + path.string() + "\" was " + std::string(happened)};
}

} // namespace

result<file_watch> file_watch::on(const std::filesystem::path& path, int file) {
    struct statx found {};
    if (look_at(file, "", AT_EMPTY_PATH, found) != 0)
        return system_error(errno, "cannot look at", path);
    file_watch watch;
    watch.path_ = path;
    watch.file_ = file;
    watch.device_ = makedev(found.stx_dev_major, found.stx_dev_minor);
    watch.inode_ = found.stx_ino;
    return watch;
}

std::optional<error> file_watch::lost() const {
    struct statx found {};
    const bool deleted = look_at(file_, "", AT_EMPTY_PATH, found) == 0 && found.stx_nlink == 0;
    const bool there = look_at(AT_FDCWD, path_.c_str(), 0, found) == 0;
    // A path that may not be looked at any more proves nothing.
    const bool missing = !there && (errno == ENOENT || errno == ENOTDIR);
    const bool another = there && (makedev(found.stx_dev_major, found.stx_dev_minor) != device_ ||
                                   found.stx_ino != inode_);
    if (another)
        return lost_because(
            path_,
            std::string(deleted ? "deleted or replaced" : "moved or replaced") +
                " while it was open, and another file is in its place; close the store, then "
                "open it again if that file is meant; otherwise first " +
                (deleted ? "restore it from a backup" : "put it back"));
    if (deleted)
        return lost_because(path_, "deleted while it was open; close the store, restore it from a "
                                   "backup, then open it again");
    if (missing)
        return lost_because(path_, "moved while it was open; close the store, put it back, then "
                                   "open it again");
    return std::nullopt;
}

} // namespace annals::lmdb
