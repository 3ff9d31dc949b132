#include "lmdb/opening.hpp"

#include "lmdb/file_system.hpp"
#include "lmdb/store_file.hpp"

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

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
        return not_a_store(directory, "is not a directory, as a store is; choose another path");
    if (!exists && !options.create)
        return not_a_store(directory,
                           "holds no store; set `create` to make one, or choose another directory");
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
        return not_a_store(directory, "holds no store; choose another directory");
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
