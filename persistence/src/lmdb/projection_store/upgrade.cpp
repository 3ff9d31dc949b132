#include "lmdb/projection_store/upgrade.hpp"

#include "lmdb/file/store_identity.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>
#include <array>

namespace annals::lmdb {
namespace {

constexpr std::string_view upgrading = "cannot bring the projection store to the present format";
/// Of a row without a link: the CRC-32C alone.
constexpr std::size_t overhead_without_link = 4;

int read_entry(MDB_txn* txn, const views_tables& table, std::string_view name, bytes& into) {
    auto key = as_value(name);
    MDB_val value{};
    const auto rc = mdb_get(txn, table.meta, &key, &value);
    if (rc == 0)
        into.assign(as_bytes(value).begin(), as_bytes(value).end());
    return rc;
}

int write_entry(MDB_txn* txn, const views_tables& table, std::string_view name, bytes_view stored) {
    auto key = as_value(name);
    auto value = as_value(stored);
    return mdb_put(txn, table.meta, &key, &value, 0);
}

/// Writes every row again, from the last to the first, so that the one behind it is known.
class rewriting {
public:
    rewriting(MDB_txn* txn, const views_tables& table, std::span<const row_space> dropped)
        : txn_(txn),
          table_(table),
          dropped_(dropped) {}

    [[nodiscard]] result<space_notes> all() {
        auto rc = open_cursor(txn_, table_.rows, cursor_);
        MDB_val key{};
        MDB_val value{};
        if (rc == 0)
            rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_LAST);
        while (rc == 0) {
            place_.assign(as_bytes(key).begin(), as_bytes(key).end());
            stored_.assign(as_bytes(value).begin(), as_bytes(value).end());
            if (auto written = one(); !written)
                return written.error();
            key = as_value(place_);
            rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_SET);
            if (rc == 0)
                rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_PREV);
        }
        if (rc != MDB_NOTFOUND)
            return views_error(rc, upgrading);
        return std::move(notes_);
    }

private:
    [[nodiscard]] result<void> one() {
        const auto space = space_of(place_);
        if (!space)
            return space.error();
        if (stored_.size() < overhead_without_link)
            return rows_damaged(*space, "a row");
        const auto value = bytes_view(stored_).subspan(overhead_without_link);
        const auto checksum = get_fixed<std::uint32_t>(stored_.data());
        if (checksum != checksum_of(place_, value))
            return rows_damaged(*space, "a row");
        const bool last = space_ != *space || next_.empty();
        const auto link = link_between(place_, last ? bytes_view() : bytes_view(next_));
        auto key = as_value(place_);
        MDB_val room{row_overhead_bytes + value.size(), nullptr};
        if (const auto rc = mdb_cursor_put(cursor_.get(), &key, &room, MDB_RESERVE); rc != 0)
            return views_error(rc, upgrading);
        write_row(static_cast<std::byte*>(room.mv_data), checksum, link, value);
        if (!std::ranges::binary_search(dropped_, *space)) {
            auto& note = notes_.about(*space);
            const row_place beginning(*space, {});
            ++note.rows;
            note.sum += mark_of(checksum);
            note.first = link_between(beginning.bytes(), place_); // until there is one before it
        }
        space_ = *space;
        next_ = place_;
        return {};
    }

    MDB_txn* txn_;
    const views_tables& table_;
    std::span<const row_space> dropped_;
    cursor_handle cursor_;
    bytes place_;  ///< of the present row
    bytes stored_; ///< and its value
    bytes next_;   ///< the place of the row behind it
    row_space space_ = 0;
    space_notes notes_;
};

} // namespace

result<void> upgrade_views(MDB_env* env) {
    txn_handle txn;
    views_tables table;
    bytes identity;
    auto rc = begin_txn(env, MDB_RDONLY, txn);
    if (rc == 0)
        rc = open_tables(txn.get(), 0, table);
    if (rc == 0)
        rc = read_entry(txn.get(), table, views_identity_key, identity);
    txn.reset();
    if (rc != 0)
        return views_error(rc, upgrading);
    const auto older = decode_identity(identity, views_format_without_links);
    if (!older)
        return {};

    rc = begin_txn(env, 0, txn);
    if (rc == 0)
        rc = open_tables(txn.get(), 0, table);
    if (rc != 0)
        return views_error(rc, upgrading);
    bytes listed;
    rc = read_entry(txn.get(), table, dropped_key, listed);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return views_error(rc, upgrading);
    auto dropped = rc == 0 ? decode_dropped(listed) : result(std::vector<row_space>());
    if (!dropped)
        return dropped.error();
    auto notes = rewriting(txn.get(), table, *dropped).all();
    if (!notes)
        return notes.error();
    rc = write_entry(txn.get(), table, views_identity_key,
                     encode_identity(*older, views_format_version));
    if (rc == 0)
        rc = write_entry(txn.get(), table, notes_key, encode_notes(*notes, listed));
    if (rc == 0)
        rc = commit_txn(txn);
    txn.reset();
    return rc == 0 ? result<void>() : views_error(rc, upgrading);
}

} // namespace annals::lmdb
