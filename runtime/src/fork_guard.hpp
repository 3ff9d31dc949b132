#pragma once

#include <cstdint>

namespace annals {

/// How often this process, counted from the first call, is a fork's child of. An object made at one
/// count and used at another has lost its threads: they stay in the parent.
[[nodiscard]] std::uint64_t forks_so_far() noexcept;

} // namespace annals
