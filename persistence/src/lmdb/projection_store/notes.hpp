#pragma once

#include "lmdb/projection_store/format.hpp"

/// What the projection store notes about the rows of each space, so that rows that damage hides are
/// missed. docs/storage_format.md has the bytes.
namespace annals::lmdb {

/// A row says which row follows it in its space: CRC-32C over both keys in the table. At the end of the
/// space the second is empty; of the first row, `before` is the space alone.
[[nodiscard]] std::uint32_t link_between(bytes_view before, bytes_view after) noexcept;

/// What a row adds to the sum of its space, from its checksum.
[[nodiscard]] std::uint64_t mark_of(std::uint32_t checksum) noexcept;

/// About one space that has rows.
struct space_note {
    row_space space = 0;
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;   ///< of the rows' marks, modulo 2^64
    std::uint32_t first = 0; ///< link from the space's beginning to its first row
    friend bool operator==(const space_note&, const space_note&) = default;
};

/// The notes about all spaces, in order of their numbers. A space without rows has none.
class space_notes {
public:
    [[nodiscard]] const space_note* find(row_space space) const noexcept;
    /// Made if there is none. Valid until the next call.
    [[nodiscard]] space_note& about(row_space space);
    void erase(row_space space);
    [[nodiscard]] const std::vector<space_note>& all() const noexcept { return all_; }

private:
    friend result<space_notes> decode_notes(bytes_view stored, bytes_view dropped);
    std::vector<space_note> all_;
};

/// CRC-32C over what follows; the checksum of the entry `dropped`, u32, 0 if it is missing; then for
/// each space: its number, u32; rows, u64; sum, u64; first, u32.
inline constexpr std::string_view notes_key = "spaces";
/// `dropped` is the entry of that name as it is stored, or nothing.
[[nodiscard]] bytes encode_notes(const space_notes& notes, bytes_view dropped);
[[nodiscard]] result<space_notes> decode_notes(bytes_view stored, bytes_view dropped);

/// What a transaction sees of the table `meta`.
struct views_outline {
    std::vector<row_space> dropped;
    space_notes notes;
};
[[nodiscard]] result<views_outline> read_outline(MDB_txn* txn, const views_tables& table);

} // namespace annals::lmdb
