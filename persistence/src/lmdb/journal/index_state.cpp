#include "lmdb/journal/index_state.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

namespace annals::lmdb {

std::array<std::byte, index_state_bytes> encode_index_state(const index_state& state) {
    std::array<std::byte, index_state_bytes> bytes{};
    auto* at = put_fixed(bytes.data(), state.generation);
    at = put_fixed(at, state.reach);
    at = put_fixed(at, state.streams);
    put_fixed(at, crc32c().add(bytes.data(), index_state_bytes - 4).value());
    return bytes;
}

std::optional<index_state> decode_index_state(bytes_view stored) {
    if (stored.size() != index_state_bytes ||
        get_fixed<std::uint32_t>(stored.data() + index_state_bytes - 4) !=
            crc32c().add(stored.data(), index_state_bytes - 4).value())
        return std::nullopt;
    return index_state{.generation = get_fixed<std::uint32_t>(stored.data()),
                       .reach = get_fixed<std::uint64_t>(stored.data() + 4),
                       .streams = get_fixed<std::uint64_t>(stored.data() + 12)};
}

} // namespace annals::lmdb
