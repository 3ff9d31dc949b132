#include "lmdb/file/file_system.hpp"

#include "lmdb/file/env.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

struct refused_file_system {
    std::uint32_t magic;
    std::string_view name;
};

/// The numbers are those of statfs(2).
constexpr std::array<refused_file_system, 14> refused = {{
    {0x00006969, "NFS"},
    {0x0000517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},
    {0x0000564c, "NCP"},
    {0x5346414f, "AFS"},
    {0x6b414653, "kAFS"},
    {0x73757245, "Coda"},
    {0x01021997, "9P"},
    {0x65735546, "FUSE"},
    {0x00c36400, "Ceph"},
    {0x0bd00bd0, "Lustre"},
    {0x7461636f, "OCFS2"},
    {0x01161970, "GFS2"},
}};

std::string_view kind_of(mode_t mode) noexcept {
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "a symbolic link";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

std::filesystem::path nearest_existing(const std::filesystem::path& path) {
    std::error_code ignored;
    auto at = std::filesystem::absolute(path, ignored);
    while (!std::filesystem::exists(at, ignored) && at.has_relative_path())
        at = at.parent_path();
    return at;
}

} // namespace

result<void> check_file_system(const std::filesystem::path& path) {
    struct statfs status {};
    const auto existing = nearest_existing(path);
    if (::statfs(existing.c_str(), &status) != 0)
        return system_error(errno, "cannot look at", existing);
    const auto* const found = std::ranges::find(refused, static_cast<std::uint32_t>(status.f_type),
                                                &refused_file_system::magic);
    if (found == refused.end())
        return {};
    return error{errc::unsupported_filesystem,
                 "\"" + path.string() + "\" is on " + std::string(found->name) +
                     ", where locks and memory maps are not reliable; use a local disk"};
}

result<void> sync_directory(const std::filesystem::path& directory) {
    const auto file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return system_error(errno, "cannot open directory", directory);
    const auto failed = ::fsync(file) != 0 ? errno : 0;
    ::close(file);
    if (failed != 0)
        return system_error(failed, "cannot sync directory", directory);
    return {};
}

int open_own_file(const std::filesystem::path& path, int flags) noexcept {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        errno = ENXIO; // to open a device may already do something
        return -1;
    }
    const auto file =
        ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (file < 0 || (::fstat(file, &status) == 0 && S_ISREG(status.st_mode)))
        return file;
    ::close(file);
    errno = ENXIO; // it took the file's place since the first look
    return -1;
}

std::optional<error> not_a_file(const std::filesystem::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode))
        return std::nullopt;
    return error{errc::not_a_store, "\"" + path.string() + "\" is " +
                                        std::string(kind_of(status.st_mode)) +
                                        ", where the store keeps a regular file; move it away, "
                                        "and open the store again"};
}

error own_file_error(int number, std::string_view doing, const std::filesystem::path& path) {
    if (auto wrong = not_a_file(path))
        return *std::move(wrong);
    return system_error(number, doing, path);
}

result<void> reserve_file(int file, const std::filesystem::path& path, std::size_t bytes) {
    struct stat status {};
    if (::fstat(file, &status) != 0)
        return system_error(errno, "cannot look at", path);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size >= bytes && static_cast<std::uint64_t>(status.st_blocks) * 512 >= size)
        return {};
    if (const auto failed = ::posix_fallocate(file, 0, static_cast<off_t>(bytes)); failed != 0)
        return system_error(failed, "cannot reserve space for", path);
    return {};
}

new_paths::~new_paths() {
    for (auto i = paths_.size(); i-- != 0;) {
        std::error_code ignored;
        std::filesystem::remove(paths_[i], ignored);
    }
}

void new_paths::expect(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
        paths_.push_back(path);
}

result<void> new_paths::create_directory(const std::filesystem::path& directory) {
    std::error_code failed;
    std::vector<std::filesystem::path> missing;
    for (auto at = std::filesystem::absolute(directory, failed).lexically_normal();
         !std::filesystem::exists(at, failed) && at.has_relative_path(); at = at.parent_path())
        missing.push_back(at);
    std::ranges::reverse(missing);
    for (const auto& path : missing) {
        if (::mkdir(path.c_str(), 0700) == 0)
            paths_.push_back(path);
        else if (errno != EEXIST || !std::filesystem::is_directory(path, failed))
            return system_error(errno == EEXIST ? ENOTDIR : errno, "cannot create directory", path);
        if (auto synced = sync_directory(path.parent_path()); !synced)
            return synced.error();
    }
    return {};
}

} // namespace annals::lmdb
