#pragma once

#include "annals/projection_store.hpp"

#include <unordered_set>

/// What every projection store asks about rows and changes.
namespace annals {

/// Negative, zero or positive: the order of rows, byte by byte, a shorter key before its extensions.
[[nodiscard]] int compare_keys(bytes_view a, bytes_view b) noexcept;

/// Whether a store that takes `max_bytes` at once may apply `changes`: `too_large`,
/// `invalid_argument`. `spent` are the spaces that were dropped. A change may write rows of a space
/// that it drops itself; they go with the others.
[[nodiscard]] result<void> check_changes(row_changes& changes, std::size_t max_bytes,
                                         const std::unordered_set<row_space>& spent);

} // namespace annals
