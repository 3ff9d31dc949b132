#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace annals {

/// Which of so many partitions the events of `stream` belong to: always the same one, so that they
/// stay in order. 64-bit FNV-1a of the name's bytes, by http://www.isthe.com/chongo/tech/comp/fnv,
/// modulo `partitions`: the same in every build. Precondition: `partitions` is not 0.
[[nodiscard]] constexpr std::size_t partition_of(std::string_view stream,
                                                 std::size_t partitions) noexcept {
    if (partitions == 1)
        return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : stream) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    return static_cast<std::size_t>(hash % partitions);
}

} // namespace annals
