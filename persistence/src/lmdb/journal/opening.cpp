#include "lmdb/journal/opening.hpp"

#include "lmdb/journal/recovery.hpp"
#include "lmdb/journal/tail_note.hpp"

#include <array>
#include <utility>

#include <sys/random.h>

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
    if (options.max_queued_bytes == 0)
        return out_of_range("max_queued_bytes", "at least 1 byte");
    if (options.wait_for_lock < std::chrono::milliseconds(0))
        return out_of_range("wait_for_lock", "0 or more");
    if (options.max_store_bytes < (std::size_t{1} << 20))
        return out_of_range("max_store_bytes", "at least 1 MiB");
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

result<store_identity> read_identity(const fs::path& directory, MDB_env* env, tables& table,
                                     bool& earlier_format) {
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
    auto identity = decode_identity(as_bytes(value), format_version);
    if (!identity)
        if (auto earlier = decode_identity(as_bytes(value), earlier_format_version)) {
            identity = std::move(earlier);
            earlier_format = true;
        }
    if (identity)
        if (auto whole = check_tail(directory, txn.get(), table, *identity); !whole)
            return whole.error();
    // Handles of tables outlive a read transaction only if it ends in this way.
    rc = commit_txn(txn);
    if (rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return identity;
}

error log_is_missing(const fs::path& directory, const std::string& beside) {
    return not_a_store(directory, "holds " + beside +
                                      ", but the log that it belongs to, journal.mdb, is missing; "
                                      "put the log back, or move " +
                                      beside + " away to begin a new log");
}

class journal_file final : public file_kind {
public:
    explicit journal_file(fs::path directory, look_beside look = {})
        : directory_(std::move(directory)),
          look_(std::move(look)) {}

    /// What was found wrong with another file than this one.
    [[nodiscard]] const std::optional<error>& wrong_beside() const noexcept {
        return wrong_beside_;
    }

    [[nodiscard]] const char* file_name() const noexcept override { return data_file_name; }
    [[nodiscard]] const char* lock_file_name() const noexcept override { return "annals.lock"; }

    [[nodiscard]] std::string_view remedy() const noexcept override {
        return "restore the store from a backup";
    }

    [[nodiscard]] std::span<const expected_table> tables() const noexcept override {
        static constexpr std::array<expected_table, 4> all = {
            {{.name = "log", .flags = MDB_INTEGERKEY},
             {.name = "meta", .flags = 0},
             {.name = "heads",
              .flags = 0,
              .derived = true}, // with a number, or of format version 1
             {.name = "sums", .flags = 0, .derived = true}}};
        return all;
    }

    [[nodiscard]] result<void> check_missing(const fs::path& directory) const override {
        const auto note = read_tail(directory);
        if (!note)
            return note.error();
        if (*note)
            return log_is_missing(directory, tail_file_name);
        std::error_code ignored;
        if (fs::exists(fs::symlink_status(directory / "views.mdb", ignored)))
            return log_is_missing(directory, "views.mdb");
        return {};
    }

    [[nodiscard]] result<void> check(MDB_env* env) const override {
        lmdb::tables table;
        bool earlier_format = false;
        const auto identity = read_identity(directory_, env, table, earlier_format);
        if (!identity)
            return identity.error();
        if (const auto state = read_state(env, table, {}); !state)
            return state.error();
        return look_ ? look_once(identity->id) : result<void>();
    }

    [[nodiscard]] result<void> fill(MDB_txn* txn) const override {
        const auto identity = new_identity();
        if (!identity)
            return identity.error();
        lmdb::tables table;
        auto rc = open_tables(txn, MDB_CREATE, table);
        store_state state;
        if (rc == 0)
            rc = begin_index(txn, table, *identity, state);
        if (rc != 0)
            return lmdb_error(rc, "cannot write a new store");
        return {};
    }

private:
    /// The first check is the look before the file is touched.
    [[nodiscard]] result<void> look_once(const uuid& log) const {
        if (auto looked = std::exchange(look_, {})(log); !looked) {
            wrong_beside_ = looked.error();
            return looked;
        }
        return {};
    }

    fs::path directory_;
    mutable look_beside look_;
    mutable std::optional<error> wrong_beside_;
};

result<open_store> with_identity(const fs::path& directory, result<exclusive_file> file) {
    if (!file)
        return file.error();
    open_store store{*std::move(file), {}, {}, directory, false};
    auto identity = read_identity(directory, store.env.get(), store.table, store.earlier_format);
    if (!identity)
        return identity.error();
    store.identity = *identity;
    return store;
}

} // namespace

result<open_store> open_or_create(const fs::path& directory, const lmdb_options& options,
                                  const look_beside& look) {
    if (auto checked = check_options(options); !checked)
        return checked.error();
    const journal_file kind(directory, look);
    auto file = open_exclusively(directory, kind,
                                 {.max_store_bytes = options.max_store_bytes,
                                  .create = options.create,
                                  .wait_for_lock = options.wait_for_lock,
                                  .unsafe_no_sync = options.unsafe_no_sync});
    if (!file && kind.wrong_beside())
        return *kind.wrong_beside();
    return with_identity(directory, std::move(file));
}

result<open_store> open_to_verify(const fs::path& directory, const lmdb_options& options) {
    return with_identity(directory, open_to_read(directory, journal_file(directory),
                                                 {.max_store_bytes = options.max_store_bytes,
                                                  .create = false,
                                                  .wait_for_lock = options.wait_for_lock}));
}

result<open_store> open_locked_to_verify(const fs::path& directory, const fs::path& file,
                                         const lmdb_options& options) {
    auto pages = inspect_every_page(file, journal_file(directory));
    if (!pages)
        return pages.error();
    auto env = open_env(file, options.max_store_bytes, MDB_RDONLY | MDB_NOLOCK);
    if (!env)
        return env.error();
    exclusive_file opened;
    opened.env = *std::move(env);
    opened.path = file;
    opened.pages_checked = true;
    opened.damaged_tables = std::move(pages->damaged_tables);
    return with_identity(directory, std::move(opened));
}

} // namespace annals::lmdb
