#include "lmdb/projection_store/notes.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

constexpr std::size_t header_bytes = 4 + 4;
constexpr std::size_t note_bytes = 4 + 8 + 8 + 4;

/// The checksum that the list of dropped spaces begins with.
std::uint32_t checksum_in(bytes_view dropped) noexcept {
    return dropped.size() < 4 ? 0 : get_fixed<std::uint32_t>(dropped.data());
}

std::uint32_t crc_after_itself(bytes_view stored) noexcept {
    return crc32c().add(stored.data() + 4, stored.size() - 4).value();
}

result<std::optional<bytes_view>> read_entry(MDB_txn* txn, const views_tables& table,
                                             std::string_view name) {
    auto key = as_value(name);
    MDB_val value{};
    const auto rc = mdb_get(txn, table.meta, &key, &value);
    if (rc == MDB_NOTFOUND)
        return std::optional<bytes_view>();
    if (rc != 0)
        return views_error(rc, "cannot read the projection store");
    return std::optional(as_bytes(value));
}

} // namespace

std::uint32_t link_between(bytes_view before, bytes_view after) noexcept {
    return crc32c().add(before.data(), before.size()).add(after.data(), after.size()).value();
}

/// The finaliser of splitmix64 (G. Steele, D. Lea, C. Flood, 2014): sums of checksums alone would
/// forgive pairs of damaged ones too easily.
std::uint64_t mark_of(std::uint32_t checksum) noexcept {
    std::uint64_t mark = checksum + 0x9e3779b97f4a7c15U;
    mark = (mark ^ (mark >> 30)) * 0xbf58476d1ce4e5b9U;
    mark = (mark ^ (mark >> 27)) * 0x94d049bb133111ebU;
    return mark ^ (mark >> 31);
}

const space_note* space_notes::find(row_space space) const noexcept {
    const auto at = std::ranges::lower_bound(all_, space, {}, &space_note::space);
    return at == all_.end() || at->space != space ? nullptr : &*at;
}

space_note& space_notes::about(row_space space) {
    const auto at = std::ranges::lower_bound(all_, space, {}, &space_note::space);
    if (at != all_.end() && at->space == space)
        return *at;
    const row_place beginning(space, {});
    return *all_.insert(at, {space, 0, 0, link_between(beginning.bytes(), {})});
}

void space_notes::erase(row_space space) {
    std::erase_if(all_, [&](const space_note& each) { return each.space == space; });
}

bytes encode_notes(const space_notes& notes, bytes_view dropped) {
    bytes stored(header_bytes + note_bytes * notes.all().size());
    auto* to = put_fixed(stored.data() + 4, checksum_in(dropped));
    for (const auto& each : notes.all()) {
        to = put_fixed(to, each.space);
        to = put_fixed(to, each.rows);
        to = put_fixed(to, each.sum);
        to = put_fixed(to, each.first);
    }
    put_fixed(stored.data(), crc_after_itself(stored));
    return stored;
}

result<space_notes> decode_notes(bytes_view stored, bytes_view dropped) {
    if (stored.size() < header_bytes || (stored.size() - header_bytes) % note_bytes != 0 ||
        get_fixed<std::uint32_t>(stored.data()) != crc_after_itself(stored))
        return views_damaged("what is noted about the rows");
    if (get_fixed<std::uint32_t>(stored.data() + 4) != checksum_in(dropped))
        return views_damaged("the list of dropped spaces");
    space_notes notes;
    notes.all_.reserve((stored.size() - header_bytes) / note_bytes);
    for (const auto* from = stored.data() + header_bytes; from != stored.data() + stored.size();
         from += note_bytes)
        notes.all_.push_back({get_fixed<row_space>(from), get_fixed<std::uint64_t>(from + 4),
                              get_fixed<std::uint64_t>(from + 12),
                              get_fixed<std::uint32_t>(from + 20)});
    if (std::ranges::adjacent_find(notes.all_, std::ranges::greater_equal{}, &space_note::space) !=
        notes.all_.end())
        return views_damaged("what is noted about the rows");
    return notes;
}

result<views_outline> read_outline(MDB_txn* txn, const views_tables& table) {
    const auto notes = read_entry(txn, table, notes_key);
    if (!notes)
        return notes.error();
    const auto dropped = read_entry(txn, table, dropped_key);
    if (!dropped)
        return dropped.error();
    if (!*notes)
        return views_damaged("what is noted about the rows");
    views_outline seen;
    auto decoded = decode_notes(**notes, dropped->value_or(bytes_view()));
    if (!decoded)
        return decoded.error();
    seen.notes = *std::move(decoded);
    if (*dropped) {
        auto spaces = decode_dropped(**dropped);
        if (!spaces)
            return spaces.error();
        seen.dropped = *std::move(spaces);
    }
    return seen;
}

} // namespace annals::lmdb
