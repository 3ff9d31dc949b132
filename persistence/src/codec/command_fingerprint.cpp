#include "annals/command_fingerprint.hpp"

#include <xxhash.h>

namespace annals::fingerprinting {

std::uint64_t hash_of(bytes_view value) noexcept {
    return XXH3_64bits(value.data(), value.size());
}

std::uint64_t hash_of(std::string_view text) noexcept {
    return XXH3_64bits(text.data(), text.size());
}

} // namespace annals::fingerprinting
