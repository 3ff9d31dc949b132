#pragma once

#include "lmdb/journal/stream_head.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace annals::lmdb {

/// A stream whose head is in memory. One allocation: the name follows the entry.
struct cached_head {
    stream_head head;
    /// Index of the stream's tentative head in the batch being written, or `not_in_batch`.
    std::uint32_t batch_index;
    std::uint8_t name_size;
    bool dirty : 1;  ///< newer than the index of streams; in a list of head_flush, so it must stay
    bool recent : 1; ///< used since the eviction last came by

    static constexpr std::uint32_t not_in_batch = ~std::uint32_t{0};

    [[nodiscard]] std::string_view name() const noexcept {
        return {reinterpret_cast<const char*>(this + 1), name_size};
    }
};

/// The heads in memory: all that are newer than the index of streams, and as many others as there is
/// room for.
///
/// One thread (the writer) changes it; `find` is for that thread, `read` is safe from any. What
/// `read` sees is durable. An entry of version 0 stands for a stream that is not known to exist.
class head_table {
public:
    head_table() = default;
    ~head_table();
    head_table(const head_table&) = delete;
    head_table& operator=(const head_table&) = delete;

    /// A copy of the head; nothing if it is not in memory.
    [[nodiscard]] std::optional<stream_head> read(std::string_view stream) const;

    [[nodiscard]] cached_head* find(std::string_view stream) noexcept;
    /// Two steps that bring a head near before `find` is called for it: its slot, then its entry.
    /// Each costs a cache miss that other work can hide.
    void prefetch_slot(std::string_view stream) const noexcept;
    void prefetch_entry(std::string_view stream) const noexcept;
    /// Precondition: find(stream) is null and the name has at most 255 bytes.
    cached_head& insert(std::string_view stream, stream_head head);
    /// Replaces the head of `entry`, for readers too.
    void publish(cached_head& entry, stream_head head);
    /// Precondition: the entry is not dirty.
    void erase(cached_head& entry);

    /// Looks at about `steps` entries and drops those that are neither dirty nor in use, until at
    /// most `limit` are left.
    void evict(std::size_t limit, std::size_t steps);

    /// Drops everything that is not dirty. Not within a batch.
    void drop_clean();

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Every stream of the store is here, so that one which is not does not exist. True from
    /// `expect_all` until the first eviction.
    [[nodiscard]] bool holds_all() const noexcept { return holds_all_; }
    /// Precondition: the index of streams holds nothing that is not here.
    void expect_all() noexcept { holds_all_ = true; }

private:
    struct slot {
        std::uint64_t hash = 0;
        cached_head* entry = nullptr;
    };
    /// Open addressing with linear probing.
    struct alignas(64) shard {
        mutable std::mutex mutex;
        std::vector<slot> slots;
        std::size_t used = 0;

        [[nodiscard]] std::size_t index_of(std::uint64_t hash,
                                           std::string_view stream) const noexcept;
        void place(slot entry) noexcept;
        void grow();
        void remove(std::size_t index) noexcept;
    };
    static constexpr std::size_t shard_bits = 6;

    [[nodiscard]] static std::uint64_t hash_of(std::string_view stream) noexcept;
    [[nodiscard]] shard& shard_of(std::uint64_t hash) noexcept {
        return shards_[hash >> (64 - shard_bits)];
    }
    [[nodiscard]] const shard& shard_of(std::uint64_t hash) const noexcept {
        return shards_[hash >> (64 - shard_bits)];
    }
    static void destroy(cached_head* entry) noexcept;

    std::array<shard, std::size_t{1} << shard_bits> shards_;
    std::size_t size_ = 0;
    bool holds_all_ = false;
    std::size_t hand_shard_ = 0; ///< where the eviction goes on
    std::size_t hand_slot_ = 0;
};

} // namespace annals::lmdb
