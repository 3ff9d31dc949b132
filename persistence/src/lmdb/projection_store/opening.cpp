#include "lmdb/projection_store/opening.hpp"

#include "lmdb/file/file_system.hpp"
#include "lmdb/file/store_identity.hpp"
#include "lmdb/projection_store/upgrade.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

/// The value under `name` in the table `meta`; a view that lives as long as the transaction.
result<std::optional<bytes_view>> read_meta(MDB_txn* txn, const views_tables& table,
                                            std::string_view name) {
    auto key = as_value(name);
    MDB_val value{};
    const auto rc = mdb_get(txn, table.meta, &key, &value);
    if (rc == MDB_NOTFOUND)
        return std::optional<bytes_view>();
    if (rc != 0)
        return views_error(rc, "cannot read the projection store");
    return std::optional(as_bytes(value));
}

int write_meta(MDB_txn* txn, const views_tables& table, std::string_view name, bytes_view stored) {
    auto key = as_value(name);
    auto value = as_value(stored);
    return mdb_put(txn, table.meta, &key, &value, 0);
}

error another_program() {
    return {errc::not_a_store, "the file is an LMDB environment of another program; move it away, "
                               "or choose another directory"};
}

class views_file final : public file_kind {
public:
    explicit views_file(const uuid& log) noexcept : log_(log) {}

    [[nodiscard]] const char* file_name() const noexcept override { return "views.mdb"; }
    [[nodiscard]] const char* lock_file_name() const noexcept override { return "views.lock"; }

    [[nodiscard]] std::string_view remedy() const noexcept override {
        return "delete it: views are built again from the log, reactions lose their checkpoints";
    }

    [[nodiscard]] std::span<const expected_table> tables() const noexcept override {
        static constexpr std::array<expected_table, 2> all = {{{"rows", 0}, {"meta", 0}}};
        return all;
    }

    [[nodiscard]] result<void>
    check_missing(const std::filesystem::path& /*directory*/) const override {
        return {}; // views are built again from the log
    }

    [[nodiscard]] result<void> check(MDB_env* env) const override {
        txn_handle txn;
        auto rc = begin_txn(env, MDB_RDONLY, txn);
        if (rc != 0)
            return views_error(rc, "cannot read the projection store");
        views_tables table;
        rc = open_tables(txn.get(), 0, table);
        if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
            return another_program();
        if (rc != 0)
            return views_error(rc, "cannot read the projection store");
        const auto stored = read_meta(txn.get(), table, views_identity_key);
        if (!stored)
            return stored.error();
        return *stored ? check_identity(**stored) : another_program();
    }

    [[nodiscard]] result<void> fill(MDB_txn* txn) const override {
        const auto now = std::chrono::system_clock::now();
        const auto identity = encode_identity(
            {log_, std::chrono::floor<std::chrono::microseconds>(now)}, views_format_version);
        views_tables table;
        auto rc = open_tables(txn, MDB_CREATE, table);
        if (rc == 0)
            rc = write_meta(txn, table, views_identity_key, identity);
        if (rc == 0)
            rc = write_meta(txn, table, notes_key, encode_notes({}, {}));
        if (rc != 0)
            return views_error(rc, "cannot write a new projection store");
        return {};
    }

private:
    [[nodiscard]] result<void> check_identity(bytes_view stored) const {
        auto identity = decode_identity(stored, views_format_version);
        if (!identity && identity.error().code == errc::incompatible_format)
            if (auto older = decode_identity(stored, views_format_without_links);
                older || older.error().code != errc::incompatible_format)
                identity = std::move(older);
        if (!identity)
            return identity.error().code == errc::corrupt ? views_damaged("the identity")
                                                          : identity.error();
        if (identity->id != log_)
            return error{errc::not_a_store,
                         "the projection store belongs to another log (" +
                             identity->id.to_string() + ", not " + log_.to_string() +
                             "); put it beside its own log again, or delete it: views are built "
                             "again from this log"};
        return {};
    }

    uuid log_;
};

result<void> read_spaces(MDB_txn* txn, open_views& views) {
    const auto stored = read_meta(txn, views.table, next_space_key);
    if (!stored)
        return stored.error();
    auto next = *stored ? decode_next_space(**stored) : result<row_space>(catalog_space + 1);
    if (!next)
        return next.error();
    auto seen = read_outline(txn, views.table);
    if (!seen)
        return seen.error();
    views.next_space = *next;
    views.dropped = std::move(seen->dropped);
    views.notes = std::move(seen->notes);
    const auto& noted = views.notes.all();
    views.used_to = std::max(noted.empty() ? catalog_space : noted.back().space,
                             views.dropped.empty() ? catalog_space : views.dropped.back());
    return {};
}

} // namespace

result<void> check_views_options(const projection_store_options& options) {
    if (options.max_batch_bytes == 0 || options.max_batch_bytes > (std::size_t{64} << 20))
        return error{errc::invalid_argument, "max_batch_bytes must be from 1 byte to 64 MiB"};
    if (options.max_store_bytes < (std::size_t{1} << 20))
        return error{errc::invalid_argument, "max_store_bytes must be at least 1 MiB"};
    if (options.wait_for_lock < std::chrono::milliseconds(0))
        return error{errc::invalid_argument, "wait_for_lock must be 0 or more"};
    return {};
}

result<void> look_at_views(const std::filesystem::path& directory, const uuid& log,
                           const projection_store_options& options) {
    const views_file kind(log);
    const auto there = find_store(directory / kind.file_name());
    if (!there)
        return there.error();
    auto table = there->value_or(directory / kind.file_name());
    table += "-lock";
    for (const auto& own : {table, directory / kind.lock_file_name()})
        if (auto wrong = not_a_file(own))
            return *std::move(wrong);
    if (!*there)
        return {};
    const auto looked = open_to_read(
        directory, kind,
        {.max_store_bytes = options.max_store_bytes, .wait_for_lock = options.wait_for_lock});
    return looked ? result<void>() : looked.error();
}

result<open_views> open_or_create_views(const std::filesystem::path& directory, const uuid& log,
                                        const projection_store_options& options) {
    if (log.is_nil())
        return error{errc::invalid_argument, "the id of the log must not be nil; see journal::id"};
    if (auto checked = check_views_options(options); !checked)
        return checked.error();
    auto file = open_exclusively(directory, views_file(log),
                                 {.max_store_bytes = options.max_store_bytes,
                                  .wait_for_lock = options.wait_for_lock,
                                  .unsafe_no_sync = options.unsafe_no_sync});
    if (!file)
        return file.error();
    open_views views;
    views.file = *std::move(file);
    if (auto upgraded = upgrade_views(views.file.env.get()); !upgraded)
        return upgraded.error();
    txn_handle txn;
    auto rc = begin_txn(views.file.env.get(), MDB_RDONLY, txn);
    if (rc == 0)
        rc = open_tables(txn.get(), 0, views.table);
    if (rc != 0)
        return views_error(rc, "cannot read the projection store");
    if (auto read = read_spaces(txn.get(), views); !read)
        return read.error();
    // Handles of tables outlive a read transaction only if it ends in this way.
    if (rc = commit_txn(txn); rc != 0)
        return views_error(rc, "cannot read the projection store");
    return views;
}

} // namespace annals::lmdb
