#pragma once

#include "annals/codec.hpp"
#include "annals/stored_event.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// The value in the table `meta` that the journal's file has besides its identity.
namespace annals::lmdb {

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
