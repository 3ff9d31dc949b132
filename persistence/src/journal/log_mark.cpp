#include "annals/log_mark.hpp"

#include <array>
#include <cstring>

namespace annals {

log_mark mark_of(log_position position, stream_version version, timestamp time,
                 const uuid& command_id) noexcept {
    std::array<char, 40> description{};
    const auto write = [&](std::size_t at, std::uint64_t number) {
        for (std::size_t i = 0; i != 8; ++i)
            description[at + i] = static_cast<char>((number >> (8 * i)) & 0xff);
    };
    write(0, position);
    write(8, version);
    write(16, static_cast<std::uint64_t>(time.time_since_epoch().count()));
    std::memcpy(description.data() + 24, command_id.bytes.data(), 16);
    const uuid hash = uuid::of_name({description.data(), description.size()});
    std::uint64_t id = 0;
    for (std::size_t i = 0; i != 6; ++i) // the others hold bits that are the same in each
        id = id << 8 | std::to_integer<std::uint64_t>(hash.bytes[i]);
    return {position, id == 0 ? 1 : id};
}

} // namespace annals
