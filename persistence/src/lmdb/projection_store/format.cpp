#include "lmdb/projection_store/format.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

std::uint32_t crc_of(bytes_view first, bytes_view second = {}) noexcept {
    return crc32c().add(first.data(), first.size()).add(second.data(), second.size()).value();
}

std::byte* put_space(std::byte* to, row_space space) noexcept {
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = static_cast<std::byte>((space >> shift) & 0xff);
    return to;
}

row_space get_space(const std::byte* from) noexcept {
    row_space space = 0;
    for (std::size_t i = 0; i != sizeof space; ++i)
        space = (space << 8) | static_cast<row_space>(from[i]);
    return space;
}

} // namespace

int open_tables(MDB_txn* txn, unsigned flags, views_tables& into) noexcept {
    auto rc = mdb_dbi_open(txn, "rows", flags, &into.rows);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "meta", flags, &into.meta);
    return rc;
}

error views_damaged(std::string_view what) {
    return {errc::corrupt,
            std::string(what) +
                " in the projection store is damaged; close the store and delete "
                "views.mdb: views are built again from the log, reactions lose their "
                "checkpoints"};
}

error rows_damaged(row_space space, std::string_view what) {
    if (space == catalog_space)
        return views_damaged(what);
    return {errc::corrupt,
            std::string(what) + " of a projection (space " + std::to_string(space) +
                " of the projection store) is damaged; rebuild that projection, or close the "
                "store and delete views.mdb: views are built again from the log, reactions lose "
                "their checkpoints"};
}

error views_error(int rc, std::string_view doing) {
    auto why = lmdb_error(rc, doing);
    if (why.code == errc::corrupt)
        return views_damaged("LMDB says \"" + std::string(mdb_strerror(rc)) + "\": something");
    return why;
}

row_place::row_place(row_space space, bytes_view key) noexcept {
    key = key.first(std::min(key.size(), max_row_key_bytes + 1));
    auto* const end = std::ranges::copy(key, put_space(bytes_.data(), space)).out;
    size_ = static_cast<std::size_t>(end - bytes_.data());
}

std::uint32_t checksum_of(bytes_view place, bytes_view value) noexcept {
    return crc_of(place, value);
}

void write_row(std::byte* to, std::uint32_t checksum, std::uint32_t link,
               bytes_view value) noexcept {
    std::ranges::copy(value, put_fixed(put_fixed(to, checksum), link));
}

void write_link(std::byte* to, std::uint32_t link) noexcept {
    put_fixed(to + 4, link);
}

result<row_space> space_of(bytes_view place) {
    if (place.size() <= sizeof(row_space))
        return views_damaged("the key of a row");
    return get_space(place.data());
}

result<stored_row> part_row(bytes_view place, bytes_view stored) {
    const auto space = space_of(place);
    if (!space)
        return space.error();
    if (stored.size() < row_overhead_bytes)
        return rows_damaged(*space, "a row");
    return stored_row{*space,
                      {place.subspan(sizeof(row_space)), stored.subspan(row_overhead_bytes)},
                      get_fixed<std::uint32_t>(stored.data()),
                      get_fixed<std::uint32_t>(stored.data() + 4)};
}

result<stored_row> read_row(bytes_view place, bytes_view stored) {
    auto found = part_row(place, stored);
    if (found && found->checksum != crc_of(place, found->content.value))
        return rows_damaged(found->space, "a row");
    return found;
}

std::array<std::byte, 8> encode_next_space(row_space next) {
    std::array<std::byte, 8> bytes{};
    put_fixed(bytes.data(), next);
    put_fixed(bytes.data() + 4, crc_of(bytes_view(bytes).first(4)));
    return bytes;
}

result<row_space> decode_next_space(bytes_view stored) {
    if (stored.size() != 8 ||
        get_fixed<std::uint32_t>(stored.data() + 4) != crc_of(stored.first(4)))
        return views_damaged("the number of the next space");
    return get_fixed<row_space>(stored.data());
}

bytes encode_dropped(std::span<const row_space> spaces) {
    bytes stored(4 * (1 + spaces.size()));
    auto* to = stored.data() + 4;
    for (const auto space : spaces)
        to = put_fixed(to, space);
    put_fixed(stored.data(), crc_of(bytes_view(stored).subspan(4)));
    return stored;
}

result<std::vector<row_space>> decode_dropped(bytes_view stored) {
    if (stored.size() < 4 || stored.size() % 4 != 0 ||
        get_fixed<std::uint32_t>(stored.data()) != crc_of(stored.subspan(4)))
        return views_damaged("the list of dropped spaces");
    std::vector<row_space> spaces;
    for (std::size_t at = 4; at != stored.size(); at += 4)
        spaces.push_back(get_fixed<row_space>(stored.data() + at));
    if (std::ranges::adjacent_find(spaces, std::ranges::greater_equal{}) != spaces.end())
        return views_damaged("the list of dropped spaces");
    return spaces;
}

} // namespace annals::lmdb
