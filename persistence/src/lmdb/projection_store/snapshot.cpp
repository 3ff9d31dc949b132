#include "lmdb/projection_store/notes.hpp"
#include "lmdb/projection_store/store.hpp"
#include "projection_store/row_check.hpp"

#include "lmdb/file/varint.hpp"

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

    [[nodiscard]] result<std::vector<row_space>> spaces() const;
    /// See `row_checking::check_rows`.
    [[nodiscard]] result<void> check(row_space space, space_check& at);

private:
    [[nodiscard]] result<void> look_around();
    [[nodiscard]] result<void> usable() const;
    /// Where a cursor went within a space: a row, or none.
    struct stop {
        bytes_view place; ///< as the table has it; empty: no row of the space
        bytes_view stored;
        std::uint32_t link = 0;

        [[nodiscard]] bool there() const noexcept { return !place.empty(); }
    };
    [[nodiscard]] static result<stop> stop_at(int rc, row_space space, const MDB_val& key,
                                              const MDB_val& value);
    /// The rows around a place.
    struct surroundings {
        stop before; ///< the last row before it
        stop at;     ///< the first row that is not
    };
    /// LMDB's error number. After one of damage the cursor would go on from the page where it met it.
    [[nodiscard]] int go(MDB_cursor* cursor, MDB_val* key, MDB_val* value, MDB_cursor_op to) const {
        const auto rc = mdb_cursor_get(cursor, key, value, to);
        const bool usual = rc == 0 || rc == MDB_NOTFOUND;
        const auto renewed = usual ? 0 : mdb_cursor_renew(reader_.txn.get(), cursor);
        return usual || renewed == 0 ? rc : renewed;
    }
    enum class wanted { row, row_before };
    /// Moves `cursor` to the one that is wanted. The one before is looked for only if it is wanted, or
    /// if there is no row at `place` itself: then it has to say that nothing is missing there.
    [[nodiscard]] result<surroundings> look(MDB_cursor* cursor, row_space space,
                                            const row_place& place, wanted which) const;
    /// Whether `before`, or the space's beginning, leads to `after`, or to the end.
    [[nodiscard]] result<void> check_gap(row_space space, const stop& before,
                                         const stop& after) const;
    /// Makes of where the cursor went what a call returns.
    [[nodiscard]] result<std::optional<row>> arrived(const stop& at);
    [[nodiscard]] result<std::optional<row>> search_ended() {
        place_ = {};
        return std::optional<row>();
    }
    [[nodiscard]] result<std::optional<row>> step(MDB_cursor_op way);
    /// In a forked child: the transaction's slot in LMDB's lock file is the parent's.
    void abandon() {
        static_cast<void>(reader_.cursor.release());
        static_cast<void>(reader_.probe.release());
        static_cast<void>(reader_.txn.release());
        new std::shared_ptr<views_store>(store_); // house_style: never to be released
    }

    std::shared_ptr<views_store> store_;
    views_reader reader_;
    bool inside_ = false;
    space_notes notes_; ///< at the snapshot's own moment

    stop place_; ///< of the row returned last
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
    auto seen = read_outline(reader_.txn.get(), store_->files.table);
    if (!seen)
        return seen.error();
    notes_ = std::move(seen->notes);
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

// --- around a place --------------------------------------------------------------------------------

result<views_snapshot::stop> views_snapshot::stop_at(int rc, row_space space, const MDB_val& key,
                                                     const MDB_val& value) {
    if (rc == MDB_NOTFOUND)
        return stop{};
    if (rc != 0)
        return views_error(rc, reading);
    const auto found = space_of(as_bytes(key));
    if (!found)
        return found.error();
    if (*found != space)
        return stop{};
    const auto parts = part_row(as_bytes(key), as_bytes(value));
    if (!parts)
        return parts.error();
    return stop{as_bytes(key), as_bytes(value), parts->link};
}

result<views_snapshot::surroundings> views_snapshot::look(MDB_cursor* cursor, row_space space,
                                                          const row_place& place,
                                                          wanted which) const {
    auto key = as_value(place.bytes());
    MDB_val value{};
    auto rc = go(cursor, &key, &value, MDB_SET_RANGE);
    const bool at_end = rc == MDB_NOTFOUND;
    const auto at = stop_at(rc, space, key, value);
    if (!at)
        return at.error();
    const int order = at->there() ? compare_keys(at->place, place.bytes()) : 1;
    if (order == 0 && which == wanted::row)
        return surroundings{{}, *at};
    rc = go(cursor, &key, &value, at_end ? MDB_LAST : MDB_PREV);
    const auto before = stop_at(rc, space, key, value);
    if (!before)
        return before.error();
    // A damaged page that leads to others may have led to the wrong one.
    if (order < 0 || (before->there() && compare_keys(before->place, place.bytes()) >= 0))
        return rows_damaged(space, "the order of the rows");
    if (auto checked = check_gap(space, *before, *at); !checked)
        return checked.error();
    if (which == wanted::row && at->there()) {
        key = as_value(at->place);
        if (rc = go(cursor, &key, &value, MDB_SET_KEY); rc != 0)
            return views_error(rc, reading);
    }
    return surroundings{*before, *at};
}

result<void> views_snapshot::check_gap(row_space space, const stop& before,
                                       const stop& after) const {
    const auto* const note = notes_.find(space);
    const row_place beginning(space, {});
    const auto from = before.there() ? before.place : beginning.bytes();
    const auto link = before.there() ? before.link : note->first;
    if (link != link_between(from, after.place))
        return rows_damaged(space, "a row that should be there is missing: the store");
    return {};
}

// --- searching -------------------------------------------------------------------------------------

result<std::optional<bytes_view>> views_snapshot::get(row_space space, bytes_view key) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (notes_.find(space) == nullptr || key.empty() || key.size() > max_row_key_bytes)
        return std::optional<bytes_view>();
    const row_place place(space, key);
    const auto around = look(reader_.probe.get(), space, place, wanted::row);
    if (!around)
        return around.error();
    if (!around->at.there() || !std::ranges::equal(around->at.place, place.bytes()))
        return std::optional<bytes_view>();
    const auto found = read_row(around->at.place, around->at.stored);
    if (!found)
        return found.error();
    return std::optional(found->content.value);
}

result<std::optional<row>> views_snapshot::at_or_after(row_space space, bytes_view from) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (notes_.find(space) == nullptr)
        return search_ended();
    place_ = {};
    const auto around = look(reader_.cursor.get(), space, row_place(space, from), wanted::row);
    return around ? arrived(around->at) : around.error();
}

result<std::optional<row>> views_snapshot::last_before(row_space space, bytes_view before) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (notes_.find(space) == nullptr)
        return search_ended();
    place_ = {};
    const auto around =
        look(reader_.cursor.get(), space, row_place(space, before), wanted::row_before);
    return around ? arrived(around->before) : around.error();
}

result<std::optional<row>> views_snapshot::last(row_space space) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (notes_.find(space) == nullptr)
        return search_ended();
    place_ = {};
    if (space != ~row_space{0}) {
        const auto around =
            look(reader_.cursor.get(), space, row_place(space + 1, {}), wanted::row_before);
        return around ? arrived(around->before) : around.error();
    }
    MDB_val key{};
    MDB_val value{};
    const auto rc = go(reader_.cursor.get(), &key, &value, MDB_LAST);
    const auto at = stop_at(rc, space, key, value);
    if (!at)
        return at.error();
    if (auto checked = check_gap(space, *at, {}); !checked)
        return checked.error();
    return arrived(*at);
}

result<std::optional<row>> views_snapshot::arrived(const stop& at) {
    cursor_is_there_ = false;
    if (!at.there())
        return std::optional<row>();
    const auto checked = read_row(at.place, at.stored);
    if (!checked)
        return checked.error();
    place_ = at;
    cursor_is_there_ = true;
    return std::optional(checked->content);
}

result<std::optional<row>> views_snapshot::step(MDB_cursor_op way) {
    if (auto checked = usable(); !checked)
        return checked.error();
    if (!place_.there())
        return std::optional<row>();
    auto key = as_value(place_.place);
    MDB_val value{};
    const auto space = space_of(place_.place);
    if (!space)
        return space.error();
    auto rc = 0;
    if (!cursor_is_there_) // it went on and found nothing
        rc = go(reader_.cursor.get(), &key, &value, MDB_SET_KEY);
    if (rc == 0)
        rc = go(reader_.cursor.get(), &key, &value, way);
    cursor_is_there_ = false;
    const auto next = stop_at(rc, *space, key, value);
    if (!next)
        return next.error();
    const bool forward = way == MDB_NEXT;
    if (next->there() && (compare_keys(next->place, place_.place) > 0) != forward)
        return rows_damaged(*space, "the order of the rows");
    if (auto checked =
            forward ? check_gap(*space, place_, *next) : check_gap(*space, *next, place_);
        !checked)
        return checked.error();
    return arrived(*next);
}

// --- all of a space ----------------------------------------------------------------------------------

result<std::vector<row_space>> views_snapshot::spaces() const {
    std::vector<row_space> all;
    for (const auto& each : notes_.all())
        all.push_back(each.space);
    return all;
}

result<void> views_snapshot::check(row_space space, space_check& at) {
    constexpr std::size_t most_rows = 4'096;
    constexpr std::size_t most_bytes = std::size_t{4} << 20;
    const auto* const found = notes_.find(space);
    const space_note note = found != nullptr ? *found : space_note{};
    if (at.rows == 0) {
        at = {};
        at.noted_rows = note.rows;
        at.noted_sum = note.sum;
    }
    at.changed = at.changed || at.noted_rows != note.rows || at.noted_sum != note.sum;
    auto next = at_or_after(space, at.after);
    if (next && *next && at.rows != 0 && std::ranges::equal((*next)->key, at.after))
        next = this->next();
    std::size_t bytes = 0;
    for (std::size_t rows = 0; next && *next; next = this->next()) {
        if (rows++ == most_rows || bytes > most_bytes)
            return {};
        // From the top, as the way there may be damaged where going from row to row does not lead.
        auto key = as_value(place_.place);
        MDB_val value{};
        if (mdb_get(reader_.txn.get(), store_->files.table.rows, &key, &value) != 0 ||
            value.mv_data != place_.stored.data())
            return rows_damaged(space, "the way to a row");
        at.after.assign((*next)->key.begin(), (*next)->key.end());
        ++at.rows;
        at.sum += mark_of(get_fixed<std::uint32_t>(place_.stored.data()));
        bytes += place_.stored.size();
    }
    if (!next)
        return next.error();
    at.done = true;
    if (!at.changed && (at.rows != at.noted_rows || at.sum != at.noted_sum))
        return rows_damaged(space, "the sum of the rows does not fit: something");
    return {};
}

} // namespace

result<std::unique_ptr<row_snapshot>> take_snapshot(const std::shared_ptr<views_store>& of) {
    auto snapshot = std::make_unique<views_snapshot>(of);
    if (auto entered = snapshot->enter(); !entered)
        return entered.error();
    return std::unique_ptr<row_snapshot>(std::move(snapshot));
}

result<void> check_rows_of(const std::shared_ptr<views_store>& of, row_space space,
                           space_check& at) {
    views_snapshot snapshot(of);
    if (auto entered = snapshot.enter(); !entered)
        return entered.error();
    return snapshot.check(space, at);
}

result<std::vector<row_space>> spaces_with_rows(const std::shared_ptr<views_store>& of) {
    views_snapshot snapshot(of);
    if (auto entered = snapshot.enter(); !entered)
        return entered.error();
    return snapshot.spaces();
}

} // namespace annals::lmdb
