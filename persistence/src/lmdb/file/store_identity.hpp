#pragma once

#include "annals/codec.hpp"
#include "annals/metadata.hpp"
#include "annals/uuid.hpp"

#include <array>
#include <cstdint>
#include <string_view>

/// The value in the table `meta` that both of annals' files have.
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

[[nodiscard]] std::array<std::byte, identity_bytes> encode_identity(const store_identity& identity,
                                                                    std::uint32_t version);

/// `not_a_store` if another program wrote it, `incompatible_format` if another version of annals
/// did, `corrupt` if it is damaged.
[[nodiscard]] result<store_identity> decode_identity(bytes_view stored, std::uint32_t version);

} // namespace annals::lmdb
