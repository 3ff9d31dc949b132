#include "lmdb/projection_store/rows.hpp"

#include "lmdb/file/varint.hpp"

#include <algorithm>

namespace annals::lmdb {
int row_writer::open(MDB_txn* txn, const views_tables& table, space_notes& notes) {
    table_ = &table;
    notes_ = &notes;
    return open_cursor(txn, table.rows, cursor_);
}

/// Makes of where the cursor went the row of `space` there, or none.
int row_writer::neighbour_at(int rc, row_space space, const MDB_val& key, const MDB_val& value,
                             neighbour& into) {
    into.there = false;
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    const auto found = part_row(as_bytes(key), as_bytes(value));
    if (!found)
        return damaged;
    if (found->space != space)
        return 0;
    into.there = true;
    into.place = row_place(space, found->content.key);
    into.link = found->link;
    into.stored = value;
    return 0;
}

/// The rows around `place`, which must be linked to each other; `after` only if it is wanted or there is
/// no row at `place`.
int row_writer::look(row_space space, const row_place& place, bool want_after, spot& at) {
    auto key = as_value(place.bytes());
    MDB_val value{};
    auto rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_SET_RANGE);
    const bool none = rc == MDB_NOTFOUND;
    at.found = rc == 0 && std::ranges::equal(as_bytes(key), place.bytes());
    if (at.found) {
        at.stored = value;
        if (value.mv_size < row_overhead_bytes || notes_->find(space) == nullptr)
            return damaged;
        if (!want_after)
            return 0;
        rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_NEXT);
        if (rc = neighbour_at(rc, space, key, value, at.after); rc != 0)
            return rc;
        key = as_value(place.bytes());
        rc = mdb_cursor_get(cursor_.get(), &key, &value, MDB_SET);
        if (rc != 0)
            return rc;
    } else if (rc = neighbour_at(rc, space, key, value, at.after); rc != 0) {
        return rc;
    }
    rc = mdb_cursor_get(cursor_.get(), &key, &value, none ? MDB_LAST : MDB_PREV);
    if (rc = neighbour_at(rc, space, key, value, at.before); rc != 0)
        return rc;

    const auto* const note = notes_->find(space);
    if (note == nullptr) // no row is there, and none was noted
        return at.found || at.before.there || at.after.there ? damaged : 0;
    const row_place beginning(space, {});
    const auto reaches = [](bytes_view from, std::uint32_t link, bytes_view to) {
        return link == link_between(from, to);
    };
    const auto from = at.before.there ? at.before.bytes() : beginning.bytes();
    const auto link = at.before.there ? at.before.link : note->first;
    if (!at.found)
        return reaches(from, link, at.after.bytes()) ? 0 : damaged;
    const auto own = get_fixed<std::uint32_t>(static_cast<std::byte*>(at.stored.mv_data) + 4);
    return reaches(from, link, place.bytes()) && reaches(place.bytes(), own, at.after.bytes())
               ? 0
               : damaged;
}

/// `before`, or the space's beginning, leads to another row from now on.
int row_writer::link(row_space space, const neighbour& before, std::uint32_t link) {
    if (!before.there) {
        notes_->about(space).first = link;
        return 0;
    }
    // A value that lies in the page itself stays there; one that has pages of its own gets new ones, or a
    // place in the page. Its size does not tell: a value that shrank in one transaction keeps its pages.
    moving_.assign(as_bytes(before.stored).begin(), as_bytes(before.stored).end());
    auto key = as_value(before.place.bytes());
    MDB_val room{before.stored.mv_size, nullptr};
    if (const auto rc = mdb_cursor_put(cursor_.get(), &key, &room, MDB_RESERVE); rc != 0)
        return rc;
    std::ranges::copy(moving_, static_cast<std::byte*>(room.mv_data));
    write_link(static_cast<std::byte*>(room.mv_data), link);
    return 0;
}

int row_writer::put(row_space space, bytes_view key, bytes_view value) {
    const row_place place(space, key);
    spot at;
    if (const auto rc = look(space, place, false, at); rc != 0)
        return rc;
    const auto checksum = checksum_of(place.bytes(), value);
    std::uint32_t own = 0;
    std::uint64_t replaced = 0;
    if (at.found) {
        const auto* const stored = static_cast<const std::byte*>(at.stored.mv_data);
        replaced = mark_of(get_fixed<std::uint32_t>(stored));
        own = get_fixed<std::uint32_t>(stored + 4);
    } else {
        own = link_between(place.bytes(), at.after.bytes());
        const row_place beginning(space, {});
        const auto from = at.before.there ? at.before.bytes() : beginning.bytes();
        if (const auto rc = link(space, at.before, link_between(from, place.bytes())); rc != 0)
            return rc;
    }
    auto name = as_value(place.bytes());
    MDB_val room{row_overhead_bytes + value.size(), nullptr};
    if (const auto rc = mdb_cursor_put(cursor_.get(), &name, &room, MDB_RESERVE); rc != 0)
        return rc;
    write_row(static_cast<std::byte*>(room.mv_data), checksum, own, value);
    auto& note = notes_->about(space);
    note.rows += at.found ? 0 : 1;
    note.sum += mark_of(checksum) - replaced;
    return 0;
}

int row_writer::erase(row_space space, bytes_view key) {
    const row_place place(space, key);
    spot at;
    if (const auto rc = look(space, place, true, at); rc != 0 || !at.found)
        return rc;
    const auto mark =
        mark_of(get_fixed<std::uint32_t>(static_cast<const std::byte*>(at.stored.mv_data)));
    const row_place beginning(space, {});
    const auto from = at.before.there ? at.before.bytes() : beginning.bytes();
    if (const auto rc = link(space, at.before, link_between(from, at.after.bytes())); rc != 0)
        return rc;
    auto name = as_value(place.bytes());
    MDB_val value{};
    auto rc = mdb_cursor_get(cursor_.get(), &name, &value, MDB_SET);
    if (rc == 0)
        rc = mdb_cursor_del(cursor_.get(), 0);
    if (rc != 0)
        return rc;
    auto& note = notes_->about(space);
    note.sum -= mark;
    if (--note.rows == 0)
        notes_->erase(space);
    return 0;
}

} // namespace annals::lmdb
