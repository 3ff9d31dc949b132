#include "lmdb/exclusive_opening.hpp"

#include "lmdb/file_system.hpp"

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

/// Takes the lock; a lock file made for it goes again unless the opening succeeds.
result<std::unique_ptr<store_lock>> lock_new(const fs::path& directory, const file_kind& kind) {
    auto lock = store_lock::acquire(directory / kind.lock_file_name());
    if (lock && (*lock)->created())
        (*lock)->remove_file_on_release();
    return lock;
}

/// Takes the lock, and looks at the store before anything is created beside it.
result<std::unique_ptr<store_lock>> lock_existing(const fs::path& directory, const file_kind& kind,
                                                  std::size_t map_bytes) {
    const auto file = directory / kind.file_name();
    std::error_code ignored;
    if (!fs::exists(directory / kind.lock_file_name(), ignored))
        if (auto inspected = inspect(file, kind, map_bytes); !inspected)
            return inspected.error();
    auto lock = lock_new(directory, kind);
    if (!lock)
        return lock;
    if (auto inspected = inspect(file, kind, map_bytes); !inspected)
        return inspected.error();
    return lock;
}

/// What an opening has made so far. Destroyed from the last member to the first: files go while the
/// store is still locked, the directory goes last.
struct opening {
    new_paths directories;
    exclusive_file store;
    new_paths files;

    void keep() {
        directories.keep();
        files.keep();
        store.lock->keep_file();
    }
};

result<void> lock_or_create(const fs::path& directory, const file_kind& kind,
                            const opening_options& options, opening& made) {
    const auto file = directory / kind.file_name();
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
    auto lock = exists ? lock_existing(directory, kind, options.max_store_bytes)
                       : lock_new(directory, kind);
    if (!lock)
        return lock.error();
    made.store.lock = std::move(*lock);
    if (exists)
        return {};
    if (fs::exists(file, failed)) // another process was faster, and has closed it again
        return inspect(file, kind, options.max_store_bytes);
    made.files.expect(file);
    return create_store(file, kind, !options.unsafe_no_sync);
}

} // namespace

result<exclusive_file> open_exclusively(const fs::path& directory, const file_kind& kind,
                                        const opening_options& options) {
    if (auto checked = check_file_system(directory); !checked)
        return checked.error();
    opening made;
    if (auto locked = lock_or_create(directory, kind, options, made); !locked)
        return locked.error();

    const auto file = directory / kind.file_name();
    auto lmdb_lock_file = file;
    lmdb_lock_file += "-lock";
    made.files.expect(lmdb_lock_file);
    if (auto reserved = reserve_file(lmdb_lock_file, lmdb_lock_bytes); !reserved)
        return reserved.error();
    auto env = open_env(file, options.max_store_bytes, options.unsafe_no_sync ? MDB_NOSYNC : 0U);
    if (!env)
        return env.error();
    made.store.env = std::move(*env);
    if (auto checked = kind.check(made.store.env.get()); !checked)
        return checked.error();
    // After a crash between writing and syncing, the file shows more than the disk holds.
    if (const auto rc = mdb_env_sync(made.store.env.get(), 1); rc != 0)
        return lmdb_error(rc, "cannot sync \"" + file.string() + "\"");
    if (auto synced = sync_directory(directory); !synced)
        return synced.error();
    made.keep();
    return std::move(made.store);
}

result<exclusive_file> open_to_read(const fs::path& directory, const file_kind& kind,
                                    std::size_t map_bytes) {
    const auto file = directory / kind.file_name();
    std::error_code failed;
    if (!fs::exists(file, failed))
        return not_a_store(directory, "holds no store; choose another directory");
    auto lock = lock_existing(directory, kind, map_bytes);
    if (!lock)
        return lock.error();
    auto env = open_env(file, map_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env)
        return env.error();
    return exclusive_file{std::move(*lock), std::move(*env)};
}

} // namespace annals::lmdb
