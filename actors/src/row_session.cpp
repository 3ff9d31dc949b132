#include "row_session.hpp"

#include <algorithm>
#include <utility>

namespace annals {

// --- the store's rows ----------------------------------------------------------------------------

namespace {

template <class T>
T value_or_throw(result<T> from) {
    if (!from)
        throw bad_result(from.error());
    return *std::move(from);
}

} // namespace

std::optional<bytes_view> snapshot_rows::get(bytes_view key) {
    return value_or_throw(snapshot_->get(space_, key));
}

bool snapshot_rows::stands_at(bytes_view key) const noexcept {
    return !place_.empty() && compare_row_keys(place_, key) == 0;
}

std::optional<row> snapshot_rows::arrived(result<std::optional<row>> at) {
    place_ = {};
    auto found = value_or_throw(std::move(at));
    if (found)
        place_ = found->key;
    return found;
}

std::optional<row> snapshot_rows::first_from(bytes_view from, bool or_equal) {
    if (!or_equal && stands_at(from))
        return arrived(snapshot_->next());
    auto found = arrived(snapshot_->at_or_after(space_, from));
    if (found && !or_equal && compare_row_keys(found->key, from) == 0)
        return arrived(snapshot_->next());
    return found;
}

std::optional<row> snapshot_rows::last_before(bytes_view end) {
    if (stands_at(end))
        return arrived(snapshot_->previous());
    return arrived(snapshot_->last_before(space_, end));
}

// --- reading -------------------------------------------------------------------------------------

void reading_rows::put(bytes_view, bytes_view) {
    throw bad_result({errc::invalid_argument,
                      "a stored map was written while a query was answered; an answer only reads, "
                      "rows are changed in evolve"});
}

bool reading_rows::erase(bytes_view) {
    put({}, {});
    return false;
}

// --- writing -------------------------------------------------------------------------------------

writing_rows::writing_rows(std::shared_ptr<projection_store> store, row_space space)
    : store_(std::move(store)),
      space_(space),
      stored_(space),
      newest_(std::make_unique<row_overlay>()) {}

template <class Read>
auto writing_rows::read(Read&& how) -> decltype(how()) {
    try {
        return how();
    } catch (const bad_result& e) {
        failure_ = e.error();
        throw;
    }
}

snapshot_rows& writing_rows::stored() {
    if (snapshot_)
        return stored_;
    snapshot_ = value_or_throw(store_->snapshot());
    stored_.look_at(snapshot_.get());
    events_ = 0;
    taken_ = std::chrono::steady_clock::now();
    return stored_;
}

void writing_rows::release() noexcept {
    stored_.look_at(nullptr);
    snapshot_.reset();
}

std::optional<bytes_view> writing_rows::get(bytes_view key) {
    const std::uint32_t hash = row_overlay::hash_of(key);
    auto said = newest_->get(key, hash);
    for (auto layer = sealed_.rbegin();
         said.what == row_overlay::saying::silence && layer != sealed_.rend(); ++layer)
        said = (*layer)->get(key, hash);
    switch (said.what) {
    case row_overlay::saying::value:
        return said.value;
    case row_overlay::saying::erased:
        return std::nullopt;
    case row_overlay::saying::silence:
        break;
    }
    return read([&] { return stored().get(key); });
}

void writing_rows::put(bytes_view key, bytes_view value) {
    if (newest_->size_bytes() + key.size() + value.size() > before_event_ + most_event_bytes)
        throw bad_result({errc::too_large,
                          "one event changes more than " + std::to_string(most_event_bytes) +
                              " bytes of stored rows; let it change less, or keep smaller rows"});
    newest_->put(key, row_overlay::hash_of(key), value);
}

bool writing_rows::erase(bytes_view key) {
    if (!get(key))
        return false;
    newest_->erase(key, row_overlay::hash_of(key));
    return true;
}

std::optional<row> writing_rows::first_from(bytes_view from, bool or_equal) {
    row_key at; // what `from` points to may go while rows are read
    at.append(from);
    for (;;) {
        auto nearest = newest_->first_from(at.view(), or_equal);
        for (auto layer = sealed_.rbegin(); layer != sealed_.rend(); ++layer)
            if (auto next = (*layer)->first_from(at.view(), or_equal);
                next && (!nearest || compare_row_keys(next->key, nearest->key) < 0))
                nearest = next;
        const auto below = read([&] { return stored().first_from(at.view(), or_equal); });
        if (!nearest || (below && compare_row_keys(below->key, nearest->key) < 0))
            return below;
        if (nearest->row.what == row_overlay::saying::value)
            return row{nearest->key, nearest->row.value};
        at.clear();
        at.append(nearest->key); // erased: go on behind it
        or_equal = false;
    }
}

std::optional<row> writing_rows::before(bytes_view end) {
    row_key at;
    at.append(end);
    for (;;) {
        auto nearest = newest_->last_before(at.view());
        for (auto layer = sealed_.rbegin(); layer != sealed_.rend(); ++layer)
            if (auto next = (*layer)->last_before(at.view());
                next && (!nearest || compare_row_keys(next->key, nearest->key) > 0))
                nearest = next;
        const auto below = read([&] { return stored().last_before(at.view()); });
        if (!nearest || (below && compare_row_keys(below->key, nearest->key) > 0))
            return below;
        if (nearest->row.what == row_overlay::saying::value)
            return row{nearest->key, nearest->row.value};
        at.clear();
        at.append(nearest->key);
    }
}

void writing_rows::begin_event() {
    newest_->begin_event();
    before_event_ = newest_->size_bytes();
    if (snapshot_ &&
        (++events_ > most_events || std::chrono::steady_clock::now() - taken_ > most_time))
        release();
}

// --- changes on their way ------------------------------------------------------------------------

std::unique_ptr<row_overlay> writing_rows::fresh_overlay() {
    if (unused_.empty())
        return std::make_unique<row_overlay>();
    auto taken = std::move(unused_.back());
    unused_.pop_back();
    return taken;
}

row_changes writing_rows::seal() {
    row_changes changes;
    newest_->write(changes, space_);
    sealed_.push_back(std::exchange(newest_, fresh_overlay()));
    before_event_ = 0;
    return changes;
}

void writing_rows::settle() {
    if (sealed_.empty())
        return;
    release(); // the snapshot may be older than the change
    sealed_.front()->clear();
    unused_.push_back(std::move(sealed_.front()));
    sealed_.erase(sealed_.begin());
}

void writing_rows::forget() {
    release();
    newest_->clear();
    sealed_.clear();
    before_event_ = 0;
    failure_.reset();
}

} // namespace annals
