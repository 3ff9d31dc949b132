#include "lmdb/journal/record_format.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>
#include <cstring>

namespace annals::lmdb {
namespace {

constexpr std::size_t crc_bytes = 4;
constexpr std::uint8_t kind_mask = 0x0f;
constexpr std::uint8_t ends_commit_bit = 0x10;
constexpr std::uint8_t command_named_bit = 0x20;
constexpr std::uint8_t reserved_bits = 0xc0;

std::uint32_t record_crc(log_position position, const std::byte* after_crc, std::size_t size) {
    std::byte fixed[8];
    put_fixed(fixed, position);
    return crc32c().add(fixed, sizeof fixed).add(after_crc, size).value();
}

std::uint64_t distance(log_position from, log_position back_to) noexcept {
    return back_to == 0 ? 0 : from - back_to;
}

std::byte* put_bytes(std::byte* to, const void* from, std::size_t size) noexcept {
    if (size != 0)
        std::memcpy(to, from, size);
    return to + size;
}

std::string_view text_at(const std::byte* from, std::uint64_t size) noexcept {
    return {reinterpret_cast<const char*>(from), static_cast<std::size_t>(size)};
}

/// The kind byte's meaning; false if this version does not write such a byte.
bool parse_kind(std::uint8_t kind, record& into) noexcept {
    into.ends_commit = (kind & ends_commit_bit) != 0;
    into.command_named = (kind & command_named_bit) != 0;
    return (kind & kind_mask) == static_cast<std::uint8_t>(record_kind::event) &&
           (kind & reserved_bits) == 0;
}

/// True if `back` leads from `position` to an event before it, or is 0 exactly if `none`.
bool plausible(std::uint64_t back, log_position position, bool none) noexcept {
    return none ? back == 0 : back != 0 && back < position;
}

} // namespace

stored_event record::as_event() const noexcept {
    stored_event event;
    event.position = position;
    event.version = version;
    event.stream = stream;
    event.type = type;
    event.payload = payload;
    event.time = time;
    event.command_id = command_id;
    event.command_named = command_named;
    event.ends_commit = ends_commit;
    event.more_metadata = more_metadata;
    return event;
}

error corrupt_at(log_position position, std::string_view what) {
    return {errc::corrupt,
            "event at position " + std::to_string(position) + ": " + std::string(what) +
                "; restore the store from a backup",
            position};
}

std::size_t record_size(const record& event) noexcept {
    return record_fixed_bytes + varint_size(event.version) +
           varint_size(distance(event.position, event.previous)) +
           varint_size(distance(event.position, event.jump)) + varint_size(event.stream.size()) +
           varint_size(event.type.size()) + varint_size(event.more_metadata.size()) +
           event.stream.size() + event.type.size() + event.more_metadata.size() +
           event.payload.size();
}

std::uint32_t write_record(const record& event, std::byte* to) noexcept {
    auto* at = to + crc_bytes;
    auto kind = static_cast<std::uint8_t>(record_kind::event);
    if (event.ends_commit)
        kind |= ends_commit_bit;
    if (event.command_named)
        kind |= command_named_bit;
    at = put_fixed(at, kind);
    at = put_fixed(at, static_cast<std::uint64_t>(event.time.time_since_epoch().count()));
    at = put_bytes(at, event.command_id.bytes.data(), event.command_id.bytes.size());
    at = put_varint(at, event.version);
    at = put_varint(at, distance(event.position, event.previous));
    at = put_varint(at, distance(event.position, event.jump));
    at = put_varint(at, event.stream.size());
    at = put_varint(at, event.type.size());
    at = put_varint(at, event.more_metadata.size());
    at = put_bytes(at, event.stream.data(), event.stream.size());
    at = put_bytes(at, event.type.data(), event.type.size());
    at = put_bytes(at, event.more_metadata.data(), event.more_metadata.size());
    at = put_bytes(at, event.payload.data(), event.payload.size());
    const auto* const after_crc = to + crc_bytes;
    const auto crc =
        record_crc(event.position, after_crc, static_cast<std::size_t>(at - after_crc));
    put_fixed(to, crc);
    return crc;
}

result<record> parse_record(log_position position, bytes_view stored) {
    if (stored.size() < record_fixed_bytes)
        return corrupt_at(position, "the record is too short");
    const auto* const begin = stored.data();
    const auto* const end = begin + stored.size();
    if (get_fixed<std::uint32_t>(begin) !=
        record_crc(position, begin + crc_bytes, stored.size() - crc_bytes))
        return corrupt_at(position, "the checksum does not match");

    record event;
    event.position = position;
    const auto* at = begin + crc_bytes;
    if (!parse_kind(get_fixed<std::uint8_t>(at), event))
        return corrupt_at(position, "the record is of an unknown kind");
    at += 1;
    event.time = timestamp(
        std::chrono::microseconds(static_cast<std::int64_t>(get_fixed<std::uint64_t>(at))));
    at += 8;
    std::memcpy(event.command_id.bytes.data(), at, event.command_id.bytes.size());
    at += event.command_id.bytes.size();

    varint_reader numbers(at, end);
    event.version = numbers.next();
    const auto back = numbers.next();
    const auto jump = numbers.next();
    const auto stream_size = numbers.next();
    const auto type_size = numbers.next();
    const auto metadata_size = numbers.next();
    if (!numbers.ok())
        return corrupt_at(position, "a number is malformed");
    if (event.version == 0 || event.version > position ||
        !plausible(back, position, event.version == 1) ||
        (jump != 0 && !plausible(jump, position, false)))
        return corrupt_at(position, "the links are impossible");
    event.previous = back == 0 ? 0 : position - back;
    event.jump = jump == 0 ? 0 : position - jump;

    at = numbers.position();
    auto left = static_cast<std::uint64_t>(end - at);
    for (const auto size : {stream_size, type_size, metadata_size}) {
        if (size > left)
            return corrupt_at(position, "a length exceeds the record");
        left -= size;
    }
    event.stream = text_at(at, stream_size);
    at += stream_size;
    event.type = text_at(at, type_size);
    at += type_size;
    event.more_metadata = {at, static_cast<std::size_t>(metadata_size)};
    at += metadata_size;
    event.payload = {at, static_cast<std::size_t>(end - at)};
    return event;
}

} // namespace annals::lmdb
