#include "lmdb/opening.hpp"

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
/// What LMDB 0.9 maps for `max_readers`: a slot of 64 bytes each and a head of two more.
constexpr std::size_t lmdb_lock_bytes = 64 * (max_readers + 2);
/// Pages that LMDB may count at the end of the file without ever having written them.
constexpr std::uint64_t max_unwritten_pages = 256;

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

result<store_identity> read_identity(MDB_env* env, tables& table) {
    txn_handle txn;
    if (const auto rc = begin_txn(env, MDB_RDONLY, txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    if (const auto rc = open_tables(txn.get(), 0, table); rc != 0)
        return error{errc::not_a_store, "the file is an LMDB environment of another program"};
    auto key = as_value(identity_key);
    MDB_val value{};
    if (const auto rc = mdb_get(txn.get(), table.meta, &key, &value); rc != 0)
        return error{errc::not_a_store, "the file is an LMDB environment of another program"};
    auto identity = decode_identity(as_bytes(value));
    // Handles of tables outlive a read transaction only if it ends in this way.
    if (const auto rc = commit_txn(txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return identity;
}

/// Looks whether `file` is a store that this version can open. Leaves no trace.
result<store_identity> inspect(const fs::path& file, const lmdb_options& options) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed))
        return not_a_store(file, "is not a regular file");
    if (::access(file.c_str(), R_OK | W_OK) != 0)
        return system_error(errno, "cannot open", file);
    auto env = open_env(file, options.max_store_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env) {
        if (env.error().code == errc::io_error && fs::file_size(file, failed) == 0)
            return not_a_store(file, "is empty");
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

/// Under another name first, so that the store's file is either whole or not there.
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

result<void> check_options(const lmdb_options& options) {
    constexpr std::size_t most = std::size_t{16} << 20;
    const auto out_of_range = [](std::string_view name, std::string_view range) {
        return error{errc::invalid_argument, std::string(name) + " must be " + std::string(range)};
    };
    if (options.max_event_bytes == 0 || options.max_event_bytes > most)
        return out_of_range("max_event_bytes", "from 1 byte to 16 MiB");
    if (options.max_batch_bytes == 0 || options.max_batch_bytes > most)
        return out_of_range("max_batch_bytes", "from 1 byte to 16 MiB");
    if (options.max_batch_commits == 0)
        return out_of_range("max_batch_commits", "at least 1");
    if (options.max_store_bytes < (std::size_t{1} << 20))
        return out_of_range("max_store_bytes", "at least 1 MiB");
    return {};
}

/// Takes the lock; a lock file made for it goes again unless the opening succeeds.
result<std::unique_ptr<store_lock>> lock_new(const fs::path& directory) {
    auto lock = store_lock::acquire(directory);
    if (lock && (*lock)->created())
        (*lock)->remove_file_on_release();
    return lock;
}

/// Takes the lock, and looks at the store before anything is created beside it.
result<std::unique_ptr<store_lock>> lock_existing(const fs::path& directory,
                                                  const lmdb_options& options) {
    const auto file = directory / data_file_name;
    std::error_code ignored;
    if (!fs::exists(directory / lock_file_name, ignored))
        if (auto identity = inspect(file, options); !identity)
            return identity.error();
    auto lock = lock_new(directory);
    if (!lock)
        return lock;
    if (auto identity = inspect(file, options); !identity)
        return identity.error();
    return lock;
}

/// What an opening has made so far. Destroyed from the last member to the first: files go while the
/// store is still locked, the directory goes last.
struct opening {
    new_paths directories;
    open_store store;
    new_paths files;

    void keep() {
        directories.keep();
        files.keep();
        store.lock->keep_file();
    }
};

result<void> lock_or_create(const fs::path& directory, const lmdb_options& options, opening& made) {
    const auto file = directory / data_file_name;
    std::error_code failed;
    const bool exists = fs::exists(file, failed);
    if (failed && failed != std::errc::not_a_directory)
        return system_error(failed.value(), "cannot look at", file);
    if (fs::exists(directory, failed) && !fs::is_directory(directory, failed))
        return not_a_store(directory, "is not a directory; a store is a directory");
    if (!exists && !options.create)
        return not_a_store(directory, "holds no store; set `create` to make one");
    if (!exists)
        if (auto created = made.directories.create_directory(directory); !created)
            return created.error();
    auto lock = exists ? lock_existing(directory, options) : lock_new(directory);
    if (!lock)
        return lock.error();
    made.store.lock = std::move(*lock);
    if (exists)
        return {};
    if (fs::exists(file, failed)) { // another process was faster, and has closed it again
        const auto identity = inspect(file, options);
        return identity ? result<void>() : identity.error();
    }
    made.files.expect(file);
    return create_store(file, !options.unsafe_no_sync);
}

} // namespace

result<open_store> open_or_create(const fs::path& directory, const lmdb_options& options) {
    if (auto checked = check_options(options); !checked)
        return checked.error();
    if (auto checked = check_file_system(directory); !checked)
        return checked.error();
    opening made;
    if (auto locked = lock_or_create(directory, options, made); !locked)
        return locked.error();

    const auto file = directory / data_file_name;
    auto lmdb_lock_file = file;
    lmdb_lock_file += "-lock";
    made.files.expect(lmdb_lock_file);
    if (auto reserved = reserve_file(lmdb_lock_file, lmdb_lock_bytes); !reserved)
        return reserved.error();
    auto env = open_env(file, options.max_store_bytes, options.unsafe_no_sync ? MDB_NOSYNC : 0U);
    if (!env)
        return env.error();
    made.store.env = std::move(*env);
    auto identity = read_identity(made.store.env.get(), made.store.table);
    if (!identity)
        return identity.error();
    made.store.identity = *identity;
    // After a crash between writing and syncing, the file shows more than the disk holds.
    if (const auto rc = mdb_env_sync(made.store.env.get(), 1); rc != 0)
        return lmdb_error(rc, "cannot sync \"" + file.string() + "\"");
    if (auto synced = sync_directory(directory); !synced)
        return synced.error();
    made.keep();
    return std::move(made.store);
}

result<open_store> open_to_verify(const fs::path& directory, const lmdb_options& options) {
    const auto file = directory / data_file_name;
    std::error_code failed;
    if (!fs::exists(file, failed))
        return not_a_store(directory, "holds no store");
    auto lock = lock_existing(directory, options);
    if (!lock)
        return lock.error();
    auto env = open_env(file, options.max_store_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env)
        return env.error();
    open_store store{std::move(*lock), std::move(*env), {}, {}};
    auto identity = read_identity(store.env.get(), store.table);
    if (!identity)
        return identity.error();
    store.identity = *identity;
    return store;
}

} // namespace annals::lmdb
