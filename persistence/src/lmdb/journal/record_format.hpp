#pragma once

#include "annals/stored_event.hpp"

#include <optional>

/// The bytes of one event in the table `log`; docs/storage_format.md shows them one by one. This
/// header and its source are the only places that know the layout of a record.
///
///     crc       u32      CRC-32C over the position (u64) and every byte after this field
///     kind      u8       bits 0-3: 1 event; bit 4: last of its commit; bit 5: command named;
///                        bits 6 and 7: reserved, 0 (6 is meant for tags before the payload)
///     time      i64      microseconds since 1970, UTC
///     command   16 bytes the command's id
///     varints            version, distance back to the stream's previous event, distance back to
///                        the jump target, and the lengths of stream, type and metadata
///     stream, type, metadata; the rest is the payload
///
/// Fixed numbers are little-endian. A distance of 0 means that there is no such event.
namespace annals::lmdb {

/// What is in the store's `meta` table; raised by every change that an older reader cannot read.
inline constexpr std::uint32_t format_version = 2;
/// The version before, whose log is the same: opening makes the index anew and raises it.
inline constexpr std::uint32_t earlier_format_version = 1;

/// What a record is. Other values are reserved (truncation and end of a stream) and not yet read.
enum class record_kind : std::uint8_t { event = 1 };

/// Bytes before the varints.
inline constexpr std::size_t record_fixed_bytes = 4 + 1 + 8 + 16;
/// No record has more bytes besides its stream, type, metadata and payload.
inline constexpr std::size_t record_overhead_bytes = record_fixed_bytes + 6 * 10;

/// One event's record. The views point into the bytes it was parsed from or will be written from.
struct record {
    log_position position = 0;
    stream_version version = 0;
    log_position previous = 0; ///< the stream's event before this one; 0: this is its first
    log_position jump = 0;     ///< the event `jump_version(version)`; 0: none
    timestamp time{};
    uuid command_id;
    bool command_named = false;
    bool ends_commit = false;
    std::string_view stream;
    std::string_view type;
    bytes_view more_metadata;
    bytes_view payload;

    [[nodiscard]] stored_event as_event() const noexcept;
};

[[nodiscard]] std::size_t record_size(const record& event) noexcept;

/// Writes exactly `record_size(event)` bytes; returns the checksum they begin with.
std::uint32_t write_record(const record& event, std::byte* to) noexcept;

/// Checks everything that can be checked without other records, before it is used. `errc::corrupt`
/// with the position otherwise.
[[nodiscard]] result<record> parse_record(log_position position, bytes_view stored);

/// The sentence for damaged bytes at `position`.
[[nodiscard]] error corrupt_at(log_position position, std::string_view what);

} // namespace annals::lmdb
