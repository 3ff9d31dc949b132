#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace annals::test {

/// The seed of a random test: another one each time, or what ANNALS_TEST_SEED says. Put it into an
/// INFO, so that a failure prints how to repeat it.
inline std::uint64_t random_seed() {
    if (const char* given = std::getenv("ANNALS_TEST_SEED"))
        return std::stoull(given);
    std::random_device entropy;
    return (std::uint64_t{entropy()} << 32) | entropy();
}

} // namespace annals::test
