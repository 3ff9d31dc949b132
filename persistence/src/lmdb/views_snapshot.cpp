#include "lmdb/views_store.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

constexpr std::string_view reading = "cannot read the projection store";

class views_snapshot final : public row_snapshot {
public:
    explicit views_snapshot(std::shared_ptr<views_store> store) : store_(std::move(store)) {}
    ~views_snapshot() override {
        if (!inside_)
            return;
        if (store_->unusable())
            abandon();
        else
            store_->readers.leave(std::move(reader_));
    }
    views_snapshot(const views_snapshot&) = delete;
    views_snapshot& operator=(const views_snapshot&) = delete;

    /// Before anything else.
    [[nodiscard]] result<void> enter() {
        auto reader = store_->readers.enter();
        if (!reader)
            return reader.error();
        reader_ = *std::move(reader);
        inside_ = true;
        return look_around();
    }

    [[nodiscard]] result<std::optional<bytes_view>> get(row_space space, bytes_view key) override;
    [[nodiscard]] result<std::optional<row>> at_or_after(row_space space, bytes_view from) override;
    [[nodiscard]] result<std::optional<row>> last_before(row_space space,
                                                         bytes_view before) override;
    [[nodiscard]] result<std::optional<row>> last(row_space space) override;
    [[nodiscard]] result<std::optional<row>> next() override { return step(MDB_NEXT); }
    [[nodiscard]] result<std::optional<row>> previous() override { return step(MDB_PREV); }
    [[nodiscard]] result<void> renew() override;

    [[nodiscard]] result<std::vector<row_space>> spaces();

private:
    [[nodiscard]] result<void> look_around();
    [[nodiscard]] result<void> usable() const;
    [[nodiscard]] bool is_dropped(row_space space) const noexcept {
        return std::ranges::binary_search(dropped_, space);
    }
    /// Moves the cursor to the last row before `place`; LMDB's error number.
    [[nodiscard]] int move_before(const row_place& place, MDB_val& key, MDB_val& value);
    /// Makes of where the cursor went what a call returns.
    [[nodiscard]] result<std::optional<row>> arrived(int rc, row_space space, const MDB_val& key,
                                                     const MDB_val& value);
    [[nodiscard]] result<std::optional<row>> search_ended() {
        place_ = {};
        return std::optional<row>();
    }
    [[nodiscard]] result<std::optional<row>> step(MDB_cursor_op way);
    /// In a forked child: the transaction's slot in LMDB's lock file is the parent's.
    void abandon() {
        static_cast<void>(reader_.cursor.release());
        static_cast<void>(reader_.txn.release());
        new std::shared_ptr<views_store>(store_); // house_style: never to be released
    }

    std::shared_ptr<views_store> store_;
    views_reader reader_;
    bool inside_ = false;
    std::vector<row_space> dropped_; ///< at the snapshot's own moment

    bytes_view place_; ///< of the row returned last, as the table has it; empty: none
    bool cursor_is_there_ = false;
};

result<void> views_snapshot::usable() const {
    if (auto why = store_->unusable())
        return *why;
    if (!reader_.cursor)
        return error{errc::unavailable, "the snapshot could not be renewed; take another one"};
    return {};
}

result<void> views_snapshot::look_around() {
    auto dropped = read_dropped(reader_.txn.get(), store_->files.table);
    if (!dropped)
        return dropped.error();
    dropped_ = *std::move(dropped);
    return {};
}

result<void> views_snapshot::renew() {
    place_ = {};
    if (auto why = store_->unusable())
        return *why;
    if (auto renewed = store_->readers.renew(reader_); !renewed)
        return renewed;
    return look_around();
}

result<std::optional<bytes_view>> views_snapshot::get(row_space space, bytes_view key) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (is_dropped(space) || key.empty() || key.size() > max_row_key_bytes)
        return std::optional<bytes_view>();
    const row_place place(space, key);
    auto wanted = as_value(place.bytes());
    MDB_val stored{};
    const auto rc = mdb_get(reader_.txn.get(), store_->files.table.rows, &wanted, &stored);
    if (rc == MDB_NOTFOUND)
        return std::optional<bytes_view>();
    if (rc != 0)
        return views_error(rc, reading);
    const auto found = read_row(place.bytes(), as_bytes(stored));
    if (!found)
        return found.error();
    return std::optional(found->content.value);
}

result<std::optional<row>> views_snapshot::at_or_after(row_space space, bytes_view from) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (is_dropped(space))
        return search_ended();
    const row_place place(space, from);
    auto key = as_value(place.bytes());
    MDB_val value{};
    place_ = {};
    const auto rc = mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_SET_RANGE);
    return arrived(rc, space, key, value);
}

result<std::optional<row>> views_snapshot::last_before(row_space space, bytes_view before) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (is_dropped(space))
        return search_ended();
    MDB_val key{};
    MDB_val value{};
    place_ = {};
    const auto rc = move_before(row_place(space, before), key, value);
    return arrived(rc, space, key, value);
}

result<std::optional<row>> views_snapshot::last(row_space space) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (is_dropped(space))
        return search_ended();
    MDB_val key{};
    MDB_val value{};
    place_ = {};
    const auto rc = space == ~row_space{0}
                        ? mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_LAST)
                        : move_before(row_place(space + 1, {}), key, value);
    return arrived(rc, space, key, value);
}

int views_snapshot::move_before(const row_place& place, MDB_val& key, MDB_val& value) {
    key = as_value(place.bytes());
    const auto rc = mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_LAST);
    return rc == 0 ? mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_PREV) : rc;
}

result<std::optional<row>> views_snapshot::arrived(int rc, row_space space, const MDB_val& key,
                                                   const MDB_val& value) {
    cursor_is_there_ = false;
    if (rc == MDB_NOTFOUND)
        return std::optional<row>();
    if (rc != 0)
        return views_error(rc, reading);
    const auto found = space_of(as_bytes(key));
    if (!found)
        return found.error();
    if (*found != space)
        return std::optional<row>();
    const auto checked = read_row(as_bytes(key), as_bytes(value));
    if (!checked)
        return checked.error();
    place_ = as_bytes(key);
    cursor_is_there_ = true;
    return std::optional(checked->content);
}

result<std::optional<row>> views_snapshot::step(MDB_cursor_op way) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (place_.empty())
        return std::optional<row>();
    auto key = as_value(place_);
    MDB_val value{};
    const auto space = space_of(place_);
    if (!space)
        return space.error();
    auto rc = 0;
    if (!cursor_is_there_) // it went on and found nothing
        rc = mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_SET_KEY);
    if (rc == 0)
        rc = mdb_cursor_get(reader_.cursor.get(), &key, &value, way);
    return arrived(rc, *space, key, value);
}

result<std::vector<row_space>> views_snapshot::spaces() {
    std::vector<row_space> all;
    for (row_space from = catalog_space;;) {
        const row_place place(from, {});
        auto key = as_value(place.bytes());
        MDB_val value{};
        const auto rc = mdb_cursor_get(reader_.cursor.get(), &key, &value, MDB_SET_RANGE);
        if (rc == MDB_NOTFOUND)
            return all;
        if (rc != 0)
            return views_error(rc, reading);
        const auto found = space_of(as_bytes(key));
        if (!found)
            return found.error();
        if (!is_dropped(*found))
            all.push_back(*found);
        if (*found == ~row_space{0})
            return all;
        from = *found + 1;
    }
}

} // namespace

result<std::unique_ptr<row_snapshot>> take_snapshot(const std::shared_ptr<views_store>& of) {
    auto snapshot = std::make_unique<views_snapshot>(of);
    if (auto entered = snapshot->enter(); !entered)
        return entered.error();
    return std::unique_ptr<row_snapshot>(std::move(snapshot));
}

result<std::vector<row_space>> spaces_with_rows(const std::shared_ptr<views_store>& of) {
    views_snapshot snapshot(of);
    if (auto entered = snapshot.enter(); !entered)
        return entered.error();
    return snapshot.spaces();
}

} // namespace annals::lmdb
