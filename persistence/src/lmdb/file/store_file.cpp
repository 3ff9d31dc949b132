#include "lmdb/file/store_file.hpp"

#include "lmdb/file/disk_errors.hpp"
#include "lmdb/file/file_system.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

constexpr unsigned env_flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
constexpr unsigned max_readers = 1024;
/// Handles of one opening. Each index of the log that is made anew takes two.
constexpr MDB_dbi max_tables = 64;
constexpr mdb_mode_t file_mode = 0600;
/// Pages with entries that are looked at before a store is opened; 256 MiB, in about 0.2 s. Of a larger one they are
/// looked at by `verify_store` only.
constexpr std::uint64_t most_checked_pages = 65'536;

/// A new store is smaller.
constexpr std::size_t new_store_bytes = std::size_t{64} << 10;

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
    txn.reset();
    if (rc != 0)
        return disk_errors(env->get())
            .error_of(rc, new_store_bytes, "cannot create \"" + file.string() + "\"");
    return {};
}

/// LMDB calls a new file that could be written in part only a full disk, also if it may not grow.
int cause_of(int rc, const fs::path& file, unsigned flags) {
    if ((rc != ENOSPC && rc != EIO) || (flags & MDB_RDONLY) != 0)
        return rc;
    const auto opened = open_own_file(file, O_RDWR);
    if (opened < 0)
        return rc;
    const auto found = lack_of_room(opened, new_store_bytes);
    ::close(opened);
    return found != 0 ? found : rc;
}

error no_address_space(std::size_t bytes) {
    return {errc::invalid_argument,
            "there is not enough address space for max_store_bytes (" + std::to_string(bytes) +
                "); lower it, or raise the limit on address space (ulimit -v)"};
}

error with_remedy(error why, const file_kind& kind) {
    if (why.code == errc::corrupt)
        why.message += "; " + std::string(kind.remedy());
    return why;
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
    auto rc = mdb_env_set_assert(raw, page_contradicts_itself);
    if (rc == 0)
        rc = mdb_env_set_mapsize(raw, map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(raw, max_tables);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(raw, max_readers);
    if (rc == 0)
        rc = mdb_env_open(raw, file.c_str(), env_flags | flags, file_mode);
    if (rc == ENOMEM)
        return no_address_space(map_bytes);
    if (rc != 0)
        return lmdb_error(cause_of(rc, file, flags), "cannot open \"" + file.string() + "\"");
    // LMDB leaves this one file open in programs that the host starts.
    int data_file = -1;
    mdb_env_get_fd(raw, &data_file);
    if (::fcntl(data_file, F_SETFD, FD_CLOEXEC) != 0)
        return system_error(errno, "cannot mark as close-on-exec", file);
    return env;
}

result<void> check_address_space(std::size_t bytes) {
    auto* const tried =
        ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (tried == MAP_FAILED)
        return no_address_space(bytes);
    ::munmap(tried, bytes);
    return {};
}

result<std::optional<fs::path>> find_store(const fs::path& path) {
    std::error_code failed;
    const auto there = fs::symlink_status(path, failed).type();
    if (there == fs::file_type::not_found)
        return std::optional<fs::path>();
    if (failed)
        return system_error(failed.value(), "cannot look at", path);
    auto file = fs::canonical(path, failed);
    if (failed && there == fs::file_type::symlink)
        return not_a_store(path,
                           "is a link that leads nowhere; restore what it led to, or remove it");
    if (failed == std::errc::no_such_file_or_directory) // removed since the first look
        return std::optional<fs::path>();
    if (failed)
        return system_error(failed.value(), "cannot look at", path);
    if (!fs::is_regular_file(file, failed))
        return not_a_store(path, "is not a regular file; choose another directory");
    return std::optional(std::move(file));
}

result<checked_pages> inspect(const fs::path& file, int descriptor, const file_kind& kind,
                              std::size_t map_bytes) {
    const auto pages = check_pages(descriptor, file, kind.tables(), most_checked_pages);
    if (!pages)
        return with_remedy(pages.error(), kind);
    std::error_code failed;
    auto env = open_env(file, map_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env) {
        if (env.error().code == errc::io_error && fs::file_size(file, failed) == 0)
            return not_a_store(file, "is empty; choose another directory");
        return env.error();
    }
    if (auto checked = kind.check(env->get()); !checked)
        return error{checked.error().code, "\"" + file.string() + "\": " + checked.error().message};
    return pages;
}

result<checked_pages> inspect_every_page(const fs::path& file, const file_kind& kind) {
    const auto opened = open_own_file(file, O_RDONLY);
    if (opened < 0)
        return own_file_error(errno, "cannot open", file);
    const auto pages = check_pages(opened, file, kind.tables(), ~std::uint64_t{0});
    ::close(opened);
    return pages ? pages : with_remedy(pages.error(), kind);
}

result<std::unique_ptr<file_lock>> create_store(const fs::path& directory, const file_kind& kind,
                                                bool sync, lock_wait& wait) {
    const auto file = directory / kind.file_name();
    auto unfinished = file;
    unfinished += ".new";
    ::unlink(unfinished.c_str());
    new_paths made;
    made.expect(unfinished);
    if (auto written = write_new_store(unfinished, kind, sync); !written)
        return written.error();
    auto lock = file_lock::take(unfinished, file_lock::access::read,
                                directory / kind.lock_file_name(), wait);
    if (!lock)
        return lock;
    if (::rename(unfinished.c_str(), file.c_str()) != 0)
        return system_error(errno, "cannot create", file);
    return lock;
}

} // namespace annals::lmdb
