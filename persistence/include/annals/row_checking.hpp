#pragma once

#include "annals/projection_store.hpp"

namespace annals {

/// How far a check of the rows of one space has come.
struct space_check {
    bytes after; ///< the key looked at last
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;        ///< of what was looked at, as the store sums it up
    std::uint64_t noted_rows = 0; ///< what there should be, as it was noted when the check began
    std::uint64_t noted_sum = 0;
    bool changed = false; ///< rows have changed meanwhile, so that the sums say nothing
    bool done = false;
};

/// What a projection store is besides, if its rows lie where they may be damaged. Safe from any thread.
class row_checking {
public:
    virtual ~row_checking() = default;
    /// Looks at some more rows of `space`, and moves `at` on, from `{}` until it is `done`: each row is
    /// as it was written, none between them is missing, and they are those that were noted, unless
    /// `changed`. Blocks on the disk, for a few milliseconds. `corrupt` if not.
    [[nodiscard]] virtual result<void> check_rows(row_space space, space_check& at) const = 0;
};

} // namespace annals
