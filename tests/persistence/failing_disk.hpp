#pragma once

// Disks that are small, and disks that fail.

#include "lmdb_store_verbs.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace annals::test {

/// What a child process returns if it may not do what the test needs.
inline constexpr int skipped = 77;

inline void write_bytes(const std::filesystem::path& path, std::size_t count) {
    std::ofstream(path, std::ios::binary) << std::string(count, 'x');
}

/// A file system of `bytes` in memory at `path`, for this process and until it ends.
inline bool mount_small_disk(const std::filesystem::path& path, const std::string& bytes) {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + bytes).c_str()) == 0;
}

/// Whether the sentence names what is full, with what to do, and nothing that does not help.
inline bool names_full(const error& why, const std::string& full) {
    const auto says = [&](const std::string& text) {
        return why.message.find(text) != std::string::npos;
    };
    for (const std::string other : {"free space on the disk", "ulimit -f", "max_store_bytes"})
        if (says(other) != (other == full))
            return false;
    return why.code == errc::disk_full && !says("Input/output") && !says("open the store again");
}

/// Runs `test` in a child process, with a small disk or limits of its own. It returns 0, or a number
/// that says what was wrong, or `skipped`.
inline void require_in_child(const std::function<int()>& test) {
    const int came = in_child(test);
    if (came == skipped)
        WARN("skipped: mounting a small disk, or setting a limit, is not permitted here");
    else
        REQUIRE(came == 0);
}

/// Opens by `refusal` (what opening was refused with, `errc{}` if it was not) in a directory of a disk
/// with room for more and more of what an opening creates, until it succeeds. A refused one must have
/// left nothing.
inline int open_on_full_disks(const std::filesystem::path& mounted,
                              const std::function<errc(const std::filesystem::path&)>& refusal) {
    if (!mount_small_disk(mounted, "1m"))
        return skipped;
    for (std::size_t room = 0; room <= 200'000; room += 4'096) {
        write_bytes(mounted / "filler", (std::size_t{1} << 20) - room);
        const auto code = refusal(mounted / "store");
        if (code == errc{})
            return room > 0 ? 0 : 1;
        if (code != errc::disk_full && code != errc::io_error)
            return 2;
        if (std::filesystem::exists(mounted / "store"))
            return 3;
        std::filesystem::remove(mounted / "filler");
    }
    return 4;
}

/// So many bytes at most in any file of this process. False if that is not permitted.
inline bool limit_files(rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/// LMDB writes pages by a descriptor that may read, and its meta page by one that may not.
enum class written_by { pages_descriptor, meta_descriptor };

/// Makes LMDB's next write to `file` fail: puts a read-only descriptor in the place of its own.
inline void fail_writes(const std::filesystem::path& file, written_by which) {
    namespace fs = std::filesystem;
    const auto wanted = which == written_by::pages_descriptor ? O_RDWR : O_WRONLY;
    std::vector<int> found;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (fs::read_symlink(entry.path(), ignored) != fs::canonical(file))
            continue;
        const auto descriptor = std::stoi(entry.path().filename());
        if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == wanted)
            found.push_back(descriptor);
    }
    REQUIRE(found.size() == 1);
    const auto read_only = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(read_only >= 0);
    REQUIRE(::dup3(read_only, found[0], O_CLOEXEC) == found[0]);
    ::close(read_only);
}

} // namespace annals::test
