#include "lmdb/store_file.hpp"

#include "lmdb/file_system.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

constexpr unsigned env_flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
constexpr unsigned max_readers = 1024;
constexpr mdb_mode_t file_mode = 0640;
/// Pages that LMDB may count at the end of the file without ever having written them.
constexpr std::uint64_t max_unwritten_pages = 256;

/// LMDB reads through a map, where a missing end of the file is a signal. A short end is filled
/// with zeros, which LMDB and the checksums recognise as damage if anything refers to it.
result<void> check_length(MDB_env* env, const fs::path& path) {
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0)
        return system_error(errno, "cannot look at", path);
    const auto size = static_cast<std::uint64_t>(file.st_size);
    const auto expected = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
    if (size >= expected)
        return {};
    if (expected - size > max_unwritten_pages * stat.ms_psize)
        return error{errc::corrupt, "\"" + path.string() + "\" is cut off at " +
                                        std::to_string(size) + " of " + std::to_string(expected) +
                                        " bytes; restore the store from a backup"};
    if (::truncate(path.c_str(), static_cast<off_t>(expected)) != 0)
        return system_error(errno, "cannot complete", path);
    return {};
}

result<void> write_new_store(const fs::path& file, const file_kind& kind, bool sync) {
    auto env = open_env(file, std::size_t{1} << 20, MDB_NOLOCK | (sync ? 0U : MDB_NOSYNC));
    if (!env)
        return env.error();
    txn_handle txn;
    auto rc = begin_txn(env->get(), 0, txn);
    if (rc == 0) {
        if (auto filled = kind.fill(txn.get()); !filled)
            return filled;
        rc = commit_txn(txn);
    }
    if (rc == 0 && sync)
        rc = mdb_env_sync(env->get(), 1);
    if (rc != 0)
        return lmdb_error(rc, "cannot create \"" + file.string() + "\"");
    return {};
}

} // namespace

// A slot of 64 bytes for each reader, and a head of two more.
const std::size_t lmdb_lock_bytes = 64 * (max_readers + 2);

error not_a_store(const fs::path& path, std::string_view why) {
    return {errc::not_a_store, "\"" + path.string() + "\" " + std::string(why)};
}

result<env_handle> open_env(const fs::path& file, std::size_t map_bytes, unsigned flags) {
    MDB_env* raw = nullptr;
    if (const auto rc = mdb_env_create(&raw); rc != 0)
        return lmdb_error(rc, "cannot create an LMDB environment");
    env_handle env(raw);
    auto rc = mdb_env_set_mapsize(raw, map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(raw, 8);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(raw, max_readers);
    if (rc == 0)
        rc = mdb_env_open(raw, file.c_str(), env_flags | flags, file_mode);
    if (rc == ENOMEM)
        return error{errc::invalid_argument,
                     "there is not enough address space for max_store_bytes (" +
                         std::to_string(map_bytes) + "); lower it"};
    if (rc != 0)
        return lmdb_error(rc, "cannot open \"" + file.string() + "\"");
    // LMDB leaves this one file open in programs that the host starts.
    int data_file = -1;
    mdb_env_get_fd(raw, &data_file);
    if (::fcntl(data_file, F_SETFD, FD_CLOEXEC) != 0)
        return system_error(errno, "cannot mark as close-on-exec", file);
    return env;
}

result<void> inspect(const fs::path& file, const file_kind& kind, std::size_t map_bytes) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed))
        return not_a_store(file, "is not a regular file; choose another directory");
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        return system_error(errno, "cannot open", file);
    auto env = open_env(file, map_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env) {
        if (env.error().code == errc::io_error && fs::file_size(file, failed) == 0)
            return not_a_store(file, "is empty; choose another directory");
        return env.error();
    }
    if (auto length = check_length(env->get(), file); !length)
        return length.error();
    if (auto checked = kind.check(env->get()); !checked)
        return error{checked.error().code, "\"" + file.string() + "\": " + checked.error().message};
    return {};
}

result<void> create_store(const fs::path& file, const file_kind& kind, bool sync) {
    auto unfinished = file;
    unfinished += ".new";
    ::unlink(unfinished.c_str());
    new_paths made;
    made.expect(unfinished);
    if (auto written = write_new_store(unfinished, kind, sync); !written)
        return written.error();
    if (::rename(unfinished.c_str(), file.c_str()) != 0)
        return system_error(errno, "cannot create", file);
    return {};
}

} // namespace annals::lmdb
