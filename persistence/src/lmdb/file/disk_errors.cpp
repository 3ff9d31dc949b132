#include "lmdb/file/disk_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace annals::lmdb {

int disk_errors::number_of_full(int rc, std::size_t bytes) const noexcept {
    int number = 0;
    if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG) {
        number = rc;
    } else if (rc == EIO) {
        int file = -1;
        mdb_env_get_fd(env_, &file);
        number = lack_of_room(file, bytes);
    }
    // An error while writing LMDB's meta page leaves open what is stored.
    return number != 0 && environment_is_sound() ? number : 0;
}

std::optional<error> disk_errors::full(int rc, std::size_t bytes, std::string_view doing) const {
    const auto number = number_of_full(rc, bytes);
    return number != 0 ? std::optional(lmdb_error(number, doing)) : std::nullopt;
}

error disk_errors::error_of(int rc, std::size_t bytes, std::string_view doing) const {
    auto no_room = full(rc, bytes, doing);
    return no_room ? *std::move(no_room) : lmdb_error(rc, doing);
}

bool disk_errors::environment_is_sound() const noexcept {
    txn_handle txn;
    return begin_txn(env_, 0, txn) == 0;
}

int lack_of_room(int file, std::size_t bytes) noexcept {
    struct stat status {};
    if (::fstat(file, &status) != 0)
        return 0;
    constexpr auto endless = std::numeric_limits<std::uint64_t>::max();
    const auto size = static_cast<std::uint64_t>(status.st_size);
    auto below_limit = endless;
    if (rlimit limit{}; ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        below_limit = limit.rlim_cur - std::min<std::uint64_t>(size, limit.rlim_cur);
    auto on_disk = endless;
    if (struct statvfs disk{}; ::fstatvfs(file, &disk) == 0)
        on_disk = disk.f_bavail * disk.f_frsize;
    if (below_limit <= bytes && below_limit <= on_disk)
        return EFBIG;
    if (on_disk < bytes)
        return ENOSPC;
    // Blocks behind the end do no harm, the next transactions use them.
    const bool grows =
        ::fallocate(file, FALLOC_FL_KEEP_SIZE, status.st_size, static_cast<off_t>(bytes)) == 0;
    return !grows && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) ? errno : 0;
}

} // namespace annals::lmdb
