#pragma once

#include "annals/codec.hpp"

namespace annals {

/// While it lives, this thread writes and reads values of any size: what a program keeps for itself,
/// such as a view's saved copy, which a checksum vouches for. The default `parse_limits` are there
/// against events that somebody else made. Depth stays limited. Scopes may be nested.
class own_state_scope {
public:
    own_state_scope() noexcept;
    ~own_state_scope();
    own_state_scope(const own_state_scope&) = delete;
    own_state_scope& operator=(const own_state_scope&) = delete;

    /// Whether this thread is within one.
    [[nodiscard]] static bool entered() noexcept;
};

} // namespace annals
