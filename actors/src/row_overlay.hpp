#pragma once

#include "annals/projection_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace annals {

/// Memory handed out piece by piece and taken back all at once; large pieces also one by one. Pieces
/// stay where they are.
class byte_arena {
public:
    [[nodiscard]] std::byte* take(std::size_t size);
    /// `piece`, of `size` bytes, is not used any more. A small one keeps its room until `clear`.
    void give_back(const std::byte* piece, std::size_t size) noexcept;
    void clear() noexcept;
    /// In pieces taken since `clear`, without large ones that were given back.
    [[nodiscard]] std::size_t held_bytes() const noexcept { return held_; }

private:
    static constexpr std::size_t block_bytes = std::size_t{64} << 10;
    static constexpr std::size_t large_bytes = block_bytes / 4;
    std::vector<std::unique_ptr<std::byte[]>> blocks_; ///< kept when cleared
    std::unordered_map<const std::byte*, std::unique_ptr<std::byte[]>> large_;
    std::size_t block_ = 0; ///< the one in use
    std::size_t used_ = block_bytes;
    std::size_t held_ = 0;
};

/// Changes of rows on their way to the store, to be laid over what the store holds. Point reads and
/// writes go through a hash table and allocate nothing but arena memory; the order of the keys is made
/// when someone asks for it, and once more when the changes are written. Not thread-safe.
///
/// What was changed since `begin_event` can be taken back: a row changed for the first time by an
/// event keeps the value from before in its second buffer.
class row_overlay {
public:
    enum class saying : std::uint8_t {
        silence, ///< about this key: look below
        value,
        erased,
    };
    struct found {
        saying what = saying::silence;
        bytes_view value;
    };
    /// A key about which something is said.
    struct place {
        bytes_view key;
        found row;
    };

    [[nodiscard]] static std::uint32_t hash_of(bytes_view key) noexcept;

    /// `hash` is that of `key`, here and below.
    [[nodiscard]] found get(bytes_view key, std::uint32_t hash) const noexcept;
    void put(bytes_view key, std::uint32_t hash, bytes_view value);
    void erase(bytes_view key, std::uint32_t hash);

    void begin_event() noexcept;
    void undo_event() noexcept;

    /// The first key that is not less than `from`, or greater, about which something is said.
    [[nodiscard]] std::optional<place> first_from(bytes_view from, bool or_equal);
    /// The last such key that is less than `end`.
    [[nodiscard]] std::optional<place> last_before(bytes_view end);

    /// Of the keys and values that there are to write.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
    /// What it takes in memory for that: also values that were replaced, or are kept to be taken back.
    [[nodiscard]] std::size_t held_bytes() const noexcept {
        return arena_.held_bytes() + entries_.size() * sizeof(entry);
    }
    /// Adds everything to `into`, in order.
    void write(row_changes& into, row_space space) const;
    /// Says nothing about any key. Keeps memory for the next changes.
    void clear() noexcept;

private:
    using index = std::uint32_t;
    struct entry {
        const std::byte* key;
        std::byte* value;
        std::byte* before; ///< where the value from before the event is, or may be put
        std::uint32_t key_bytes;
        std::uint32_t value_bytes;
        std::uint32_t value_room;
        std::uint32_t before_room;
        std::uint32_t hash;
        std::uint32_t event; ///< that changed it last
        saying what;
    };
    struct undo {
        index of;
        std::uint32_t value_bytes;
        saying what;
    };

    [[nodiscard]] static bytes_view key_of(const entry& e) noexcept { return {e.key, e.key_bytes}; }
    [[nodiscard]] static std::size_t size_of(const entry& e) noexcept;
    [[nodiscard]] static place place_of(const entry& e) noexcept;
    [[nodiscard]] const entry* find(bytes_view key, std::uint32_t hash) const noexcept;
    /// The entry of `key`, which the present event is about to change.
    [[nodiscard]] entry& touch(bytes_view key, std::uint32_t hash);
    [[nodiscard]] entry& add(bytes_view key, std::uint32_t hash);
    /// Room for `size` bytes in `e.value`; what is there need not be kept.
    void make_room(entry& e, std::size_t size);
    void grow();
    void insert_slot(index of, std::uint32_t hash) noexcept;
    void bring_order();
    void merge_recent();

    std::vector<entry> entries_;
    std::vector<index> slots_; ///< hash table with open addressing; 0 is free, else index + 1
    std::vector<undo> undo_;
    std::vector<index> order_;  ///< entries by key, without those in
    std::vector<index> recent_; ///< this short one, also by key
    std::size_t ordered_ = 0;   ///< how many entries are in either
    std::uint32_t event_ = 1;
    std::size_t size_bytes_ = 0;
    byte_arena arena_;
};

/// Less than, equal to or greater than 0, as memcmp.
[[nodiscard]] int compare_row_keys(bytes_view a, bytes_view b) noexcept;

} // namespace annals
