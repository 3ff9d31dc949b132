#include "lmdb/journal/head_table.hpp"

#include <cstring>
#include <new>

namespace annals::lmdb {
namespace {

constexpr std::size_t nowhere = ~std::size_t{0};

} // namespace

std::uint64_t head_table::hash_of(std::string_view stream) noexcept {
    // The standard hash, mixed once more: the high bits choose the shard, the low ones the slot.
    auto hash = static_cast<std::uint64_t>(std::hash<std::string_view>{}(stream));
    hash *= 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 32);
}

void head_table::destroy(cached_head* entry) noexcept {
    entry->~cached_head();
    ::operator delete(entry);
}

head_table::~head_table() {
    for (auto& part : shards_)
        for (const auto& taken : part.slots)
            if (taken.entry != nullptr)
                destroy(taken.entry);
}

std::size_t head_table::shard::index_of(std::uint64_t hash,
                                        std::string_view stream) const noexcept {
    if (slots.empty())
        return nowhere;
    const auto mask = slots.size() - 1;
    for (auto i = hash & mask; slots[i].entry != nullptr; i = (i + 1) & mask)
        if (slots[i].hash == hash && slots[i].entry->name() == stream)
            return i;
    return nowhere;
}

void head_table::shard::place(slot entry) noexcept {
    const auto mask = slots.size() - 1;
    auto i = entry.hash & mask;
    while (slots[i].entry != nullptr)
        i = (i + 1) & mask;
    slots[i] = entry;
}

void head_table::shard::grow() {
    // At most three quarters full, so that a search ends soon.
    if (4 * (used + 1) <= 3 * slots.size())
        return;
    std::vector<slot> old(slots.empty() ? 16 : 2 * slots.size());
    old.swap(slots);
    for (const auto& entry : old)
        if (entry.entry != nullptr)
            place(entry);
}

void head_table::shard::remove(std::size_t index) noexcept {
    // Entries after the gap move up if the gap lies on their way from where they belong.
    const auto mask = slots.size() - 1;
    auto gap = index;
    for (auto i = (gap + 1) & mask; slots[i].entry != nullptr; i = (i + 1) & mask) {
        const auto home = slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            slots[gap] = slots[i];
            gap = i;
        }
    }
    slots[gap] = {};
    --used;
}

std::optional<stream_head> head_table::read(std::string_view stream) const {
    const auto hash = hash_of(stream);
    const auto& part = shard_of(hash);
    const std::lock_guard lock(part.mutex);
    const auto index = part.index_of(hash, stream);
    if (index == nowhere || part.slots[index].entry->head.version() == 0)
        return std::nullopt;
    return part.slots[index].entry->head;
}

cached_head* head_table::find(std::string_view stream) noexcept {
    const auto hash = hash_of(stream);
    const auto& part = shard_of(hash);
    const auto index = part.index_of(hash, stream);
    return index == nowhere ? nullptr : part.slots[index].entry;
}

void head_table::prefetch_slot(std::string_view stream) const noexcept {
    const auto hash = hash_of(stream);
    const auto& slots = shard_of(hash).slots;
    if (!slots.empty())
        __builtin_prefetch(&slots[hash & (slots.size() - 1)]);
}

void head_table::prefetch_entry(std::string_view stream) const noexcept {
    const auto hash = hash_of(stream);
    const auto& slots = shard_of(hash).slots;
    if (!slots.empty())
        __builtin_prefetch(slots[hash & (slots.size() - 1)].entry);
}

cached_head& head_table::insert(std::string_view stream, stream_head head) {
    auto* const memory = ::operator new(sizeof(cached_head) + stream.size());
    auto* const entry = new (memory) cached_head{
        .head = std::move(head),
        .batch_index = cached_head::not_in_batch,
        .name_size = static_cast<std::uint8_t>(stream.size()),
        .dirty = false,
        .recent = true,
    };
    std::memcpy(static_cast<void*>(entry + 1), stream.data(), stream.size());
    const auto hash = hash_of(stream);
    auto& part = shard_of(hash);
    const std::lock_guard lock(part.mutex);
    part.grow();
    part.place({hash, entry});
    ++part.used;
    ++size_;
    return *entry;
}

void head_table::publish(cached_head& entry, stream_head head) {
    entry.recent = true;
    const std::lock_guard lock(shard_of(hash_of(entry.name())).mutex);
    entry.head = std::move(head);
}

void head_table::erase(cached_head& entry) {
    if (entry.head.version() != 0)
        holds_all_ = false;
    const auto hash = hash_of(entry.name());
    auto& part = shard_of(hash);
    {
        const std::lock_guard lock(part.mutex);
        part.remove(part.index_of(hash, entry.name()));
    }
    --size_;
    destroy(&entry);
}

void head_table::drop_clean() {
    for (auto& part : shards_)
        for (std::size_t i = 0; i < part.slots.size();) {
            auto* const entry = part.slots[i].entry;
            if (entry != nullptr && !entry->dirty)
                erase(*entry); // another entry may move into the slot: look at it again
            else
                ++i;
        }
}

void head_table::evict(std::size_t limit, std::size_t steps) {
    while (size_ > limit && steps != 0) {
        auto& part = shards_[hand_shard_];
        if (hand_slot_ >= part.slots.size()) {
            hand_slot_ = 0;
            hand_shard_ = (hand_shard_ + 1) % shards_.size();
            --steps;
            continue;
        }
        --steps;
        auto* const entry = part.slots[hand_slot_].entry;
        if (entry != nullptr && !entry->dirty && !entry->recent &&
            entry->batch_index == cached_head::not_in_batch) {
            erase(*entry); // another entry may move into the slot: look at it again
            continue;
        }
        if (entry != nullptr)
            entry->recent = false;
        ++hand_slot_;
    }
}

} // namespace annals::lmdb
