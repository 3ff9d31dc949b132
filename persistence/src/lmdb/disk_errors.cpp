#include "lmdb/disk_errors.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace annals::lmdb {

bool disk_errors::is_full(int rc, std::size_t bytes) const noexcept {
    const bool says_so = rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG ||
                         (rc == EIO && lacks_room_for(bytes));
    // An error while writing LMDB's meta page leaves open what is stored.
    return says_so && environment_is_sound();
}

error disk_errors::error_of(int rc, std::size_t bytes, std::string_view doing) const {
    return lmdb_error(is_full(rc, bytes) ? ENOSPC : rc, doing);
}

bool disk_errors::environment_is_sound() const noexcept {
    txn_handle txn;
    return begin_txn(env_, 0, txn) == 0;
}

bool disk_errors::lacks_room_for(std::size_t bytes) const noexcept {
    int file = -1;
    mdb_env_get_fd(env_, &file);
    struct stat status {};
    if (::fstat(file, &status) != 0)
        return false;
    rlimit limit{};
    const auto end = static_cast<rlim_t>(status.st_size) + bytes;
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        end >= limit.rlim_cur)
        return true;
    struct statvfs disk {};
    if (::fstatvfs(file, &disk) == 0 && disk.f_bavail * disk.f_frsize < bytes)
        return true;
    // Blocks behind the end do no harm, the next transactions use them.
    return ::fallocate(file, FALLOC_FL_KEEP_SIZE, status.st_size, static_cast<off_t>(bytes)) != 0 &&
           (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
}

} // namespace annals::lmdb
