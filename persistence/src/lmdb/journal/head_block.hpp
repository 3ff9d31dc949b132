#pragma once

#include "lmdb/journal/stream_head.hpp"

#include <string_view>

/// A block of the index of streams: the heads of all streams whose names lie in a range, and the
/// range itself. The blocks of an index follow each other without a gap, so that a stream that is
/// not in its sound block is proved not to exist. docs/storage_format.md shows the bytes.
///
///     crc      u32     CRC-32C over the length (u8) and the bytes of `low`, and all after this field
///     high     u8      length of the name, and the name, at which the next block begins; 0: none does
///     entries          in the order of the names, each:
///              u8      length of the stream's name
///              varint  length of the head
///                      name, head
///
/// The key of a block in LMDB is `low`, the name at which its range begins.
namespace annals::lmdb {

/// Where the first block begins: before every name, as none has control characters.
inline constexpr std::string_view lowest_name{"\0", 1};

struct head_block {
    std::string_view low;
    std::string_view high; ///< the first name that is not in the range; empty: there is none
    bytes_view entries;
    std::uint32_t crc = 0;

    [[nodiscard]] bool covers(std::string_view name) const noexcept {
        return low <= name && (high.empty() || name < high);
    }
};

struct block_entry {
    std::string_view name;
    bytes_view head;
};

/// Goes through the entries of a block.
class block_entries {
public:
    explicit block_entries(bytes_view entries) noexcept : rest_(entries) {}

    /// Nothing at the end, or at bytes that are no entry; see `ok`.
    [[nodiscard]] std::optional<block_entry> next() noexcept;
    [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
    bytes_view rest_;
    bool ok_ = true;
};

/// Appends an entry. Precondition: the name has at most 255 bytes.
void append_entry(std::string_view name, bytes_view head, bytes& to);

/// Replaces `to` by the block; returns its checksum.
std::uint32_t encode_block(std::string_view low, std::string_view high, bytes_view entries,
                           bytes& to);

/// Nothing if `stored` is not a block of the range that begins at `low`.
[[nodiscard]] std::optional<head_block> parse_block(std::string_view low, bytes_view stored);

} // namespace annals::lmdb
