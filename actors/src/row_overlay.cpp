#include "row_overlay.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

namespace annals {

int compare_row_keys(bytes_view a, bytes_view b) noexcept {
    const std::size_t common = std::min(a.size(), b.size());
    if (const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common); order != 0)
        return order;
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

// --- memory --------------------------------------------------------------------------------------

std::byte* byte_arena::take(std::size_t size) {
    held_ += size;
    if (size > large_bytes) {
        auto piece = std::make_unique_for_overwrite<std::byte[]>(size);
        std::byte* const taken = piece.get();
        large_.emplace(taken, std::move(piece));
        return taken;
    }
    if (size > block_bytes - used_) {
        if (!blocks_.empty() && block_ + 1 < blocks_.size()) {
            ++block_;
        } else {
            blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_bytes));
            block_ = blocks_.size() - 1;
        }
        used_ = 0;
    }
    std::byte* const taken = blocks_[block_].get() + used_;
    used_ += size;
    return taken;
}

void byte_arena::give_back(const std::byte* piece, std::size_t size) noexcept {
    if (size > large_bytes && large_.erase(piece) != 0)
        held_ -= size;
}

void byte_arena::clear() noexcept {
    large_.clear();
    held_ = 0;
    block_ = 0;
    used_ = blocks_.empty() ? block_bytes : 0;
}

// --- points --------------------------------------------------------------------------------------

std::uint32_t row_overlay::hash_of(bytes_view key) noexcept {
    const std::string_view text(reinterpret_cast<const char*>(key.data()), key.size());
    const std::size_t hash = std::hash<std::string_view>{}(text);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::size_t row_overlay::size_of(const entry& e) noexcept {
    return e.what == saying::silence ? 0 : std::size_t{e.key_bytes} + e.value_bytes;
}

const row_overlay::entry* row_overlay::find(bytes_view key, std::uint32_t hash) const noexcept {
    if (slots_.empty())
        return nullptr;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
        const entry& e = entries_[slots_[at] - 1];
        if (e.hash == hash && compare_row_keys(key_of(e), key) == 0)
            return &e;
    }
    return nullptr;
}

row_overlay::found row_overlay::get(bytes_view key, std::uint32_t hash) const noexcept {
    const entry* const e = find(key, hash);
    return e == nullptr ? found{} : place_of(*e).row;
}

row_overlay::place row_overlay::place_of(const entry& e) noexcept {
    return {key_of(e),
            {e.what, e.what == saying::value ? bytes_view(e.value, e.value_bytes) : bytes_view()}};
}

void row_overlay::put(bytes_view key, std::uint32_t hash, bytes_view value) {
    entry& e = touch(key, hash);
    if (value.size() > e.value_room)
        make_room(e, value.size());
    if (!value.empty())
        std::memmove(e.value, value.data(), value.size());
    size_bytes_ -= size_of(e);
    e.value_bytes = static_cast<std::uint32_t>(value.size());
    e.what = saying::value;
    size_bytes_ += size_of(e);
}

/// A value that has grown will grow again: by a part of its size, so that all the room it ever took is
/// a small multiple of the last one.
void row_overlay::make_room(entry& e, std::size_t size) {
    const bool has_grown = e.value != nullptr;
    const std::size_t room = ((has_grown ? size + size / 4 : size) + 15) & ~std::size_t{7};
    std::byte* const fresh = arena_.take(room);
    if (has_grown)
        arena_.give_back(e.value, e.value_room);
    e.value = fresh;
    e.value_room = static_cast<std::uint32_t>(room);
}

void row_overlay::erase(bytes_view key, std::uint32_t hash) {
    entry& e = touch(key, hash);
    size_bytes_ -= size_of(e);
    e.value_bytes = 0;
    e.what = saying::erased;
    size_bytes_ += size_of(e);
}

row_overlay::entry& row_overlay::touch(bytes_view key, std::uint32_t hash) {
    const entry* const known = find(key, hash);
    entry& e = known == nullptr ? add(key, hash)
                                : entries_[static_cast<std::size_t>(known - entries_.data())];
    if (e.event != event_) {
        undo_.push_back({static_cast<index>(&e - entries_.data()), e.value_bytes, e.what});
        e.event = event_;
        std::swap(e.value, e.before);
        std::swap(e.value_room, e.before_room);
    }
    return e;
}

row_overlay::entry& row_overlay::add(bytes_view key, std::uint32_t hash) {
    if ((entries_.size() + 1) * 2 > slots_.size())
        grow();
    std::byte* const kept = arena_.take(key.size());
    std::memcpy(kept, key.data(), key.size());
    entries_.push_back({kept, nullptr, nullptr, static_cast<std::uint32_t>(key.size()), 0, 0, 0,
                        hash, 0, saying::silence});
    insert_slot(static_cast<index>(entries_.size() - 1), hash);
    return entries_.back();
}

void row_overlay::grow() {
    slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), 0);
    for (std::size_t i = 0; i != entries_.size(); ++i)
        insert_slot(static_cast<index>(i), entries_[i].hash);
}

void row_overlay::insert_slot(index of, std::uint32_t hash) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != 0)
        at = (at + 1) & mask;
    slots_[at] = of + 1;
}

// --- events --------------------------------------------------------------------------------------

void row_overlay::begin_event() noexcept {
    ++event_;
    undo_.clear();
}

void row_overlay::undo_event() noexcept {
    for (const undo& one : undo_) { // each entry occurs once
        entry& e = entries_[one.of];
        size_bytes_ -= size_of(e);
        std::swap(e.value, e.before);
        std::swap(e.value_room, e.before_room);
        e.value_bytes = one.value_bytes;
        e.what = one.what;
        e.event = 0;
        size_bytes_ += size_of(e);
    }
    undo_.clear();
}

// --- order ---------------------------------------------------------------------------------------

void row_overlay::bring_order() {
    constexpr std::size_t most_recent = 256;
    const auto less = [this](index a, index b) {
        return compare_row_keys(key_of(entries_[a]), key_of(entries_[b])) < 0;
    };
    const std::size_t added = entries_.size() - ordered_;
    if (added > most_recent) {
        merge_recent();
        const auto sorted = static_cast<std::ptrdiff_t>(order_.size());
        for (; ordered_ != entries_.size(); ++ordered_)
            order_.push_back(static_cast<index>(ordered_));
        std::sort(order_.begin() + sorted, order_.end(), less);
        std::inplace_merge(order_.begin(), order_.begin() + sorted, order_.end(), less);
        return;
    }
    for (; ordered_ != entries_.size(); ++ordered_) {
        const auto next = static_cast<index>(ordered_);
        recent_.insert(std::upper_bound(recent_.begin(), recent_.end(), next, less), next);
    }
    if (recent_.size() > most_recent)
        merge_recent();
}

void row_overlay::merge_recent() {
    const auto less = [this](index a, index b) {
        return compare_row_keys(key_of(entries_[a]), key_of(entries_[b])) < 0;
    };
    const auto sorted = static_cast<std::ptrdiff_t>(order_.size());
    order_.insert(order_.end(), recent_.begin(), recent_.end());
    std::inplace_merge(order_.begin(), order_.begin() + sorted, order_.end(), less);
    recent_.clear();
}

std::optional<row_overlay::place> row_overlay::first_from(bytes_view from, bool or_equal) {
    bring_order();
    const entry* nearest = nullptr;
    for (const auto* run : {&order_, &recent_}) {
        auto at = std::partition_point(run->begin(), run->end(), [&](index i) {
            const int order = compare_row_keys(key_of(entries_[i]), from);
            return or_equal ? order < 0 : order <= 0;
        });
        while (at != run->end() && entries_[*at].what == saying::silence)
            ++at;
        if (at == run->end())
            continue;
        const entry& e = entries_[*at];
        if (nearest == nullptr || compare_row_keys(key_of(e), key_of(*nearest)) < 0)
            nearest = &e;
    }
    return nearest == nullptr ? std::nullopt : std::optional(place_of(*nearest));
}

std::optional<row_overlay::place> row_overlay::last_before(bytes_view end) {
    bring_order();
    const entry* nearest = nullptr;
    for (const auto* run : {&order_, &recent_}) {
        auto at = std::partition_point(run->begin(), run->end(), [&](index i) {
            return compare_row_keys(key_of(entries_[i]), end) < 0;
        });
        while (at != run->begin() && entries_[*std::prev(at)].what == saying::silence)
            --at;
        if (at == run->begin())
            continue;
        const entry& e = entries_[*std::prev(at)];
        if (nearest == nullptr || compare_row_keys(key_of(e), key_of(*nearest)) > 0)
            nearest = &e;
    }
    return nearest == nullptr ? std::nullopt : std::optional(place_of(*nearest));
}

// --- all of it -----------------------------------------------------------------------------------

void row_overlay::write(row_changes& into, row_space space) const {
    // The beginning of a key decides most comparisons, without a look at the key itself.
    struct item {
        std::uint64_t beginning;
        index of;
    };
    std::vector<item> items;
    items.reserve(entries_.size());
    for (std::size_t i = 0; i != entries_.size(); ++i) {
        const entry& e = entries_[i];
        if (e.what == saying::silence)
            continue;
        std::uint64_t beginning = 0;
        for (std::size_t b = 0; b != sizeof beginning; ++b)
            beginning =
                beginning << 8 | (b < e.key_bytes ? std::to_integer<std::uint64_t>(e.key[b]) : 0);
        items.push_back({beginning, static_cast<index>(i)});
    }
    std::sort(items.begin(), items.end(), [this](const item& a, const item& b) {
        return a.beginning != b.beginning
                   ? a.beginning < b.beginning
                   : compare_row_keys(key_of(entries_[a.of]), key_of(entries_[b.of])) < 0;
    });
    for (const item& one : items) {
        const place at = place_of(entries_[one.of]);
        if (at.row.what == saying::value)
            into.put(space, at.key, at.row.value);
        else
            into.erase(space, at.key);
    }
}

void row_overlay::clear() noexcept {
    entries_.clear();
    std::fill(slots_.begin(), slots_.end(), 0);
    undo_.clear();
    order_.clear();
    recent_.clear();
    ordered_ = 0;
    event_ = 1;
    size_bytes_ = 0;
    arena_.clear();
}

} // namespace annals
