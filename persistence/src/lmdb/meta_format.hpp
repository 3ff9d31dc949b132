#pragma once

#include "annals/codec.hpp"
#include "annals/metadata.hpp"
#include "lmdb/record_format.hpp"

#include <array>
#include <optional>

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

/// Under `index_key`: which index of streams belongs to the store, and what it holds.
///
///     generation  u32  the number in the names of its tables
///     reach       u64  it covers at least the events up to this position; what comes after is
///                      replayed when the store is opened
///     streams     u64  how many it has at that position, or more
///     crc         u32  CRC-32C over the three
struct index_state {
    std::uint32_t generation = 0; ///< 0: there is none that can be used
    log_position reach = 0;
    std::uint64_t streams = 0;
};
inline constexpr std::string_view index_key = "index";
inline constexpr std::size_t index_state_bytes = 4 + 8 + 8 + 4;

[[nodiscard]] std::array<std::byte, index_state_bytes> encode_index_state(const index_state& state);
/// Nothing if the bytes are not what `encode_index_state` wrote.
[[nodiscard]] std::optional<index_state> decode_index_state(bytes_view stored);

/// In a store of format version 1: how far its table `heads` reached. Neither is used any more.
inline constexpr std::string_view heads_reach_key = "heads_reach";

} // namespace annals::lmdb
