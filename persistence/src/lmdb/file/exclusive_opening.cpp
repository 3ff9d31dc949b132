#include "lmdb/file/exclusive_opening.hpp"

#include "lmdb/file/file_system.hpp"
#include "lmdb/file/reader_table.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

/// One opening, step by step. Destroyed from the last member to the first: what it has made and not
/// kept goes while the store is still locked, the directory goes last.
///
/// Of the two locks, that of the data file comes first. Whoever makes a store has no data file yet and
/// begins with the one beside it. While it has that one it waits for nothing, so two openings that hold
/// one lock each never wait for each other.
class opening {
public:
    opening(const fs::path& directory, const file_kind& kind, const opening_options& options)
        : directory_(directory),
          kind_(kind),
          options_(options),
          wait_(options.wait_for_lock) {}

    /// Finds or creates the store, locks it and looks at it.
    [[nodiscard]] result<void> find();
    /// Opens what was found. From here on files change.
    [[nodiscard]] result<exclusive_file> open();

private:
    [[nodiscard]] result<void> look_for_store();
    /// Of what `look_for_store` found. Without a lock and without an error: another one was faster.
    [[nodiscard]] result<void> create();
    [[nodiscard]] result<void> check_missing();
    [[nodiscard]] result<void> make_file();
    [[nodiscard]] fs::path table_path() const; ///< of LMDB's table of readers
    [[nodiscard]] result<void> lock_beside(lock_wait& wait);
    [[nodiscard]] result<void> lock_and_inspect();
    [[nodiscard]] bool is_locked() const { return file_ && store_.lock.beside && store_.lock.data; }
    [[nodiscard]] result<void> complete_file() const;
    [[nodiscard]] fs::path lock_path() const { return directory_ / kind_.lock_file_name(); }

    const fs::path& directory_;
    const file_kind& kind_;
    const opening_options& options_;
    lock_wait wait_;
    std::optional<fs::path> file_; ///< nothing: it is missing
    checked_pages pages_;

    new_paths directories_;
    exclusive_file store_;
    new_paths files_;
};

result<void> opening::look_for_store() {
    auto found = find_store(directory_ / kind_.file_name());
    if (!found)
        return found.error();
    file_ = *std::move(found);
    return {};
}

result<void> opening::find() {
    std::error_code failed;
    if (fs::exists(directory_, failed) && !fs::is_directory(directory_, failed))
        return not_a_store(directory_, "is not a directory, as a store is; choose another path");
    while (!is_locked()) {
        store_.lock = {};
        if (auto looked = look_for_store(); !looked)
            return looked;
        if (!file_ && !options_.create)
            return not_a_store(
                directory_,
                "holds no store; set `create` to make one, or choose another directory");
        if (!file_) {
            if (auto created = create(); !created)
                return created;
        } else if (auto locked = lock_and_inspect(); !locked) {
            if (auto looked = look_for_store(); !looked || file_)
                return locked;
            // It was being made, and that has failed.
        }
    }
    return {};
}

result<void> opening::create() {
    if (auto checked = check_missing(); !checked || file_)
        return checked;
    for (const auto* const end : {".new", "-lock"})
        if (auto wrong = not_a_file(directory_ / (std::string(kind_.file_name()) + end)))
            return *std::move(wrong);
    if (auto created = directories_.create_directory(directory_); !created)
        return created;
    // Who has this lock may be making the store. Then it is the data file that is to be waited for.
    lock_wait once{std::chrono::milliseconds(0)};
    if (auto locked = lock_beside(once); !locked)
        return locked.error().code == errc::in_use && wait_.again() ? result<void>() : locked;
    if (auto looked = look_for_store(); !looked || file_)
        return looked;
    if (auto checked = check_missing(); !checked || file_)
        return checked;
    return make_file();
}

/// What belongs to a store is made after its data file. So if that is still missing after the look at
/// what lies beside it, nobody was making one, and no lock is needed to know that.
result<void> opening::check_missing() {
    auto checked = kind_.check_missing(directory_);
    if (checked)
        return checked;
    auto looked = look_for_store();
    return looked && !file_ ? checked : looked;
}

result<void> opening::make_file() {
    files_.expect(directory_ / kind_.file_name());
    auto made = create_store(directory_, kind_, !options_.unsafe_no_sync, wait_);
    if (!made)
        return made.error();
    store_.lock.data = *std::move(made);
    pages_ = {};
    pages_.complete = true;
    return look_for_store();
}

fs::path opening::table_path() const {
    auto table = *file_;
    table += "-lock";
    return table;
}

result<void> opening::lock_beside(lock_wait& wait) {
    auto beside = file_lock::take(lock_path(), file_lock::access::create, lock_path(), wait);
    if (!beside)
        return beside.error();
    store_.lock.beside = *std::move(beside);
    return {};
}

result<void> opening::lock_and_inspect() {
    if (::faccessat(AT_FDCWD, file_->c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        return system_error(errno, "cannot open", *file_);
    auto data = file_lock::take(*file_, file_lock::access::read, lock_path(), wait_);
    if (!data)
        return data.error();
    store_.lock.data = *std::move(data);
    auto pages = inspect(*file_, store_.lock.data->file(), kind_, options_.max_store_bytes);
    if (!pages)
        return pages.error();
    pages_ = *pages;
    if (auto wrong = not_a_file(table_path()))
        return *std::move(wrong);
    return lock_beside(wait_);
}

/// LMDB reads through a map, where a missing end of the file is a signal.
result<void> opening::complete_file() const {
    struct stat status {};
    if (::stat(file_->c_str(), &status) != 0)
        return system_error(errno, "cannot look at", *file_);
    if (static_cast<std::uint64_t>(status.st_size) < pages_.file_bytes &&
        ::truncate(file_->c_str(), static_cast<off_t>(pages_.file_bytes)) != 0)
        return system_error(errno, "cannot complete", *file_);
    return {};
}

result<exclusive_file> opening::open() {
    if (auto completed = complete_file(); !completed)
        return completed.error();
    const auto table = table_path();
    files_.expect(table);
    if (auto prepared = prepare_reader_table(table, pages_.last_txn); !prepared)
        return prepared.error();
    auto env =
        open_env(*file_, options_.max_store_bytes, options_.unsafe_no_sync ? MDB_NOSYNC : 0U);
    if (!env)
        return env.error();
    store_.env = *std::move(env);
    if (auto checked = kind_.check(store_.env.get()); !checked)
        return checked.error();
    // After a crash between writing and syncing, the file shows more than the disk holds.
    if (const auto rc = mdb_env_sync(store_.env.get(), 1); rc != 0)
        return lmdb_error(rc, "cannot sync \"" + file_->string() + "\"");
    if (auto synced = sync_directory(file_->parent_path()); !synced)
        return synced.error();
    auto watch = file_watch::on(*file_, store_.lock.data->file());
    if (!watch)
        return watch.error();
    store_.watch = *watch;
    store_.path = *file_;
    store_.pages_checked = pages_.complete;
    store_.damaged_tables = pages_.damaged_tables;
    store_.lock.beside->write_owner();
    store_.lock.beside->keep();
    directories_.keep();
    files_.keep();
    return std::move(store_);
}

} // namespace

result<exclusive_file> open_exclusively(const fs::path& directory, const file_kind& kind,
                                        const opening_options& options) {
    if (auto checked = check_file_system(directory); !checked)
        return checked.error();
    opening one(directory, kind, options);
    if (auto found = one.find(); !found)
        return found.error();
    return one.open();
}

result<exclusive_file> open_to_read(const fs::path& directory, const file_kind& kind,
                                    const opening_options& options) {
    const auto file = find_store(directory / kind.file_name());
    if (!file)
        return file.error();
    if (!*file)
        return not_a_store(directory, "holds no store; choose another directory");
    lock_wait wait(options.wait_for_lock);
    exclusive_file store;
    auto data =
        file_lock::take(**file, file_lock::access::read, directory / kind.lock_file_name(), wait);
    if (!data)
        return data.error();
    store.lock.data = *std::move(data);
    const auto pages = inspect(**file, store.lock.data->file(), kind, options.max_store_bytes);
    if (!pages)
        return pages.error();
    auto env = open_env(**file, options.max_store_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env)
        return env.error();
    store.env = *std::move(env);
    store.path = **file;
    store.pages_checked = pages->complete;
    store.damaged_tables = pages->damaged_tables;
    return store;
}

} // namespace annals::lmdb
