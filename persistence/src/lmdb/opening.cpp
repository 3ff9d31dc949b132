#include "lmdb/opening.hpp"

#include "lmdb/tail_note.hpp"

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

result<store_identity> read_identity(const fs::path& directory, MDB_env* env, tables& table) {
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
    if (identity)
        if (auto whole = check_tail(directory, txn.get(), table, *identity); !whole)
            return whole.error();
    // Handles of tables outlive a read transaction only if it ends in this way.
    rc = commit_txn(txn);
    if (rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return identity;
}

/// A note without the store that it speaks of: the data file is gone, which is no reason to begin
/// a new one.
result<void> check_not_gone(const fs::path& directory) {
    std::error_code failed;
    if (fs::exists(directory / data_file_name, failed) || !read_tail(directory))
        return {};
    return not_a_store(
        directory / data_file_name,
        "is missing, but the note beside it speaks of a store; put the file back, or "
        "delete \"" +
            (directory / tail_file_name).string() + "\" to begin a new store");
}

class journal_file final : public file_kind {
public:
    explicit journal_file(fs::path directory) : directory_(std::move(directory)) {}

    [[nodiscard]] const char* file_name() const noexcept override { return data_file_name; }
    [[nodiscard]] const char* lock_file_name() const noexcept override { return "annals.lock"; }

    [[nodiscard]] result<void> check(MDB_env* env) const override {
        tables table;
        const auto identity = read_identity(directory_, env, table);
        return identity ? result<void>() : identity.error();
    }

    [[nodiscard]] result<void> fill(MDB_txn* txn) const override {
        const auto identity = new_identity();
        if (!identity)
            return identity.error();
        tables table;
        auto rc = open_tables(txn, MDB_CREATE, table);
        const auto stored_identity = encode_identity(*identity);
        const auto stored_reach = encode_heads_reach(0);
        for (const auto& [name, stored] : {std::pair{identity_key, bytes_view(stored_identity)},
                                           std::pair{heads_reach_key, bytes_view(stored_reach)}}) {
            auto key = as_value(name);
            auto value = as_value(stored);
            if (rc == 0)
                rc = mdb_put(txn, table.meta, &key, &value, 0);
        }
        if (rc != 0)
            return lmdb_error(rc, "cannot write a new store");
        return {};
    }

private:
    fs::path directory_;
};

result<open_store> with_identity(const fs::path& directory, result<exclusive_file> file) {
    if (!file)
        return file.error();
    open_store store{std::move(file->lock), std::move(file->env), {}, {}, directory};
    auto identity = read_identity(directory, store.env.get(), store.table);
    if (!identity)
        return identity.error();
    store.identity = *identity;
    return store;
}

} // namespace

result<open_store> open_or_create(const fs::path& directory, const lmdb_options& options) {
    if (auto checked = check_options(options); !checked)
        return checked.error();
    if (auto there = check_not_gone(directory); !there)
        return there.error();
    return with_identity(directory, open_exclusively(directory, journal_file(directory),
                                                     {.max_store_bytes = options.max_store_bytes,
                                                      .create = options.create,
                                                      .unsafe_no_sync = options.unsafe_no_sync}));
}

result<open_store> open_to_verify(const fs::path& directory, const lmdb_options& options) {
    return with_identity(directory,
                         open_to_read(directory, journal_file(directory), options.max_store_bytes));
}

} // namespace annals::lmdb
