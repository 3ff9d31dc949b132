#pragma once

#include "annals/engine.hpp"

/// What can be refused of an opening without a look at the disk.
namespace annals {

[[nodiscard]] result<void> check_limits(const engine_limits& limits);

/// Whether these types may be hosted beside each other, each with its options.
[[nodiscard]] result<void> check_hosted(std::span<const hosted> types);

} // namespace annals
