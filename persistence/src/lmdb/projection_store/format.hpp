#pragma once

#include "annals/projection_store.hpp"
#include "lmdb/file/env.hpp"

#include <array>

/// The byte layout of the projection store, `views.mdb`; docs/storage_format.md shows all of it.
namespace annals::lmdb {

inline constexpr std::uint32_t views_format_version = 2;
/// Rows without links, and no notes about spaces: made into the present version at opening.
inline constexpr std::uint32_t views_format_without_links = 1;

/// The two tables.
struct views_tables {
    MDB_dbi rows = 0; ///< space and key of a row -> its checksum, its link and value
    MDB_dbi meta = 0; ///< the three entries below, and that of views_notes.hpp
};
[[nodiscard]] int open_tables(MDB_txn* txn, unsigned flags, views_tables& into) noexcept;

/// `errc::corrupt`: what of the store is damaged, and what to do about it.
[[nodiscard]] error views_damaged(std::string_view what);
/// The same for rows of one space.
[[nodiscard]] error rows_damaged(row_space space, std::string_view what);
/// The error for LMDB's error number `rc`.
[[nodiscard]] error views_error(int rc, std::string_view doing);

// --- the table `rows` ------------------------------------------------------------------------------

/// A row's key in the table: the space as u32, big-endian, then the key within the space. Also any
/// place between two rows: of a longer key, as much as decides where it would stand.
class row_place {
public:
    row_place(row_space space, bytes_view key) noexcept;
    [[nodiscard]] bytes_view bytes() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<std::byte, sizeof(row_space) + max_row_key_bytes + 1> bytes_;
    std::size_t size_;
};

/// A row's value in the table: CRC-32C, u32, over its key in the table and the value; its link, u32 (see
/// `link_between`); the value.
inline constexpr std::size_t row_overhead_bytes = 4 + 4;
[[nodiscard]] std::uint32_t checksum_of(bytes_view place, bytes_view value) noexcept;
/// Writes it to `to`, which has room for `row_overhead_bytes` and the value.
void write_row(std::byte* to, std::uint32_t checksum, std::uint32_t link,
               bytes_view value) noexcept;
/// Changes the link of a row that stands at `to`.
void write_link(std::byte* to, std::uint32_t link) noexcept;

struct stored_row {
    row_space space;
    row content;
    std::uint32_t checksum; ///< as stored
    std::uint32_t link;
};
/// The space of a row with key `place` in the table, or `corrupt`.
[[nodiscard]] result<row_space> space_of(bytes_view place);
/// Parts what the table holds, or `corrupt`; does not look at the checksum.
[[nodiscard]] result<stored_row> part_row(bytes_view place, bytes_view stored);
/// The same, and compares the checksum.
[[nodiscard]] result<stored_row> read_row(bytes_view place, bytes_view stored);

// --- the table `meta` ------------------------------------------------------------------------------

/// The identity has the form of the journal's (lmdb/file/store_identity.hpp); its id is that of the log.
inline constexpr std::string_view views_identity_key = "views";

/// The lowest number of a space that was never handed out: u32, and the CRC-32C over it. Missing: 1.
inline constexpr std::string_view next_space_key = "next_space";
[[nodiscard]] std::array<std::byte, 8> encode_next_space(row_space next);
[[nodiscard]] result<row_space> decode_next_space(bytes_view stored);

/// Spaces whose rows nobody sees any more and that are being erased: CRC-32C over what follows, then
/// each as u32, in order. Missing: none.
inline constexpr std::string_view dropped_key = "dropped";
[[nodiscard]] bytes encode_dropped(std::span<const row_space> spaces);
[[nodiscard]] result<std::vector<row_space>> decode_dropped(bytes_view stored);

} // namespace annals::lmdb
