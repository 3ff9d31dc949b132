#include "lmdb/store_file.hpp"

#include "lmdb/file_system.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/random.h>
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

result<store_identity> new_identity() {
    store_identity identity;
    if (::getrandom(identity.id.bytes.data(), identity.id.bytes.size(), 0) !=
        static_cast<ssize_t>(identity.id.bytes.size()))
        return error{errc::io_error, "the operating system gives no random numbers"};
    identity.created =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    return identity;
}

result<void> write_new_store(const fs::path& file, bool sync) {
    auto env = open_env(file, std::size_t{1} << 20, MDB_NOLOCK | (sync ? 0U : MDB_NOSYNC));
    if (!env)
        return env.error();
    auto identity = new_identity();
    if (!identity)
        return identity.error();
    txn_handle txn;
    tables table;
    auto rc = begin_txn(env->get(), 0, txn);
    if (rc == 0)
        rc = open_tables(txn.get(), MDB_CREATE, table);
    const auto stored_identity = encode_identity(*identity);
    const auto stored_reach = encode_heads_reach(0);
    for (const auto& [name, stored] : {std::pair{identity_key, bytes_view(stored_identity)},
                                       std::pair{heads_reach_key, bytes_view(stored_reach)}}) {
        auto key = as_value(name);
        auto value = as_value(stored);
        if (rc == 0)
            rc = mdb_put(txn.get(), table.meta, &key, &value, 0);
    }
    if (rc == 0)
        rc = commit_txn(txn);
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

result<store_identity> read_identity(MDB_env* env, tables& table) {
    txn_handle txn;
    if (const auto rc = begin_txn(env, MDB_RDONLY, txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    auto key = as_value(identity_key);
    MDB_val value{};
    auto rc = open_tables(txn.get(), 0, table);
    if (rc == 0)
        rc = mdb_get(txn.get(), table.meta, &key, &value);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
        return error{
            errc::not_a_store,
            "the file is an LMDB environment of another program; choose another directory"};
    if (rc != 0)
        return lmdb_error(rc, "cannot read the store");
    auto identity = decode_identity(as_bytes(value));
    // Handles of tables outlive a read transaction only if it ends in this way.
    rc = commit_txn(txn);
    if (rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return identity;
}

result<store_identity> inspect(const fs::path& file, const lmdb_options& options) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed))
        return not_a_store(file, "is not a regular file; choose another directory");
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        return system_error(errno, "cannot open", file);
    auto env = open_env(file, options.max_store_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env) {
        if (env.error().code == errc::io_error && fs::file_size(file, failed) == 0)
            return not_a_store(file, "is empty; choose another directory");
        return env.error();
    }
    if (auto length = check_length(env->get(), file); !length)
        return length.error();
    tables table;
    auto identity = read_identity(env->get(), table);
    if (!identity)
        return error{identity.error().code,
                     "\"" + file.string() + "\": " + identity.error().message};
    return identity;
}

result<void> create_store(const fs::path& file, bool sync) {
    auto unfinished = file;
    unfinished += ".new";
    ::unlink(unfinished.c_str());
    new_paths made;
    made.expect(unfinished);
    if (auto written = write_new_store(unfinished, sync); !written)
        return written.error();
    if (::rename(unfinished.c_str(), file.c_str()) != 0)
        return system_error(errno, "cannot create", file);
    return {};
}

} // namespace annals::lmdb
