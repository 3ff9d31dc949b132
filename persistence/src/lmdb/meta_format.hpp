#pragma once

#include "annals/codec.hpp"
#include "annals/metadata.hpp"
#include "lmdb/record_format.hpp"

#include <array>

/// The two values in the table `meta`.
namespace annals::lmdb {

/// Under `identity_key`: what makes a file a store of annals.
///
///     magic    8 bytes  "annals", carriage return, line feed
///     version  u32      of the format; the journal's is format_version of record_format.hpp
///     crc      u32      CRC-32C over version, id and time
///     id       16 bytes random, for ever the store's own
///     time     i64      of creation, microseconds since 1970, UTC
struct store_identity {
    uuid id;
    timestamp created{};
};
inline constexpr std::string_view identity_key = "store";
inline constexpr std::size_t identity_bytes = 8 + 4 + 4 + 16 + 8;

[[nodiscard]] std::array<std::byte, identity_bytes>
encode_identity(const store_identity& identity, std::uint32_t version = format_version);

/// `not_a_store` if another program wrote it, `incompatible_format` if another version of annals
/// did, `corrupt` if it is damaged.
[[nodiscard]] result<store_identity> decode_identity(bytes_view stored,
                                                     std::uint32_t version = format_version);

/// Under `heads_reach_key`: every stream's head in the table `heads` covers at least the events up
/// to this position; what comes after is replayed when the store is opened.
///
///     position  u64
///     crc       u32  CRC-32C over position
inline constexpr std::string_view heads_reach_key = "heads_reach";
inline constexpr std::size_t heads_reach_bytes = 8 + 4;

[[nodiscard]] std::array<std::byte, heads_reach_bytes> encode_heads_reach(log_position position);
[[nodiscard]] result<log_position> decode_heads_reach(bytes_view stored);

} // namespace annals::lmdb
