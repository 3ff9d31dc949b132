#pragma once

#include "support/gate.hpp"

#include "annals/projection_catalog.hpp"

#include <atomic>

namespace annals::test {

/// Where the views of these tests wait with the first event of the log.
inline std::atomic<gate*>& barrier() {
    static std::atomic<gate*> here{nullptr};
    return here;
}
inline void wait_with_the_first(log_position position) {
    if (gate* const at = barrier(); at != nullptr && position == 1)
        at->pass();
}
/// Puts up the barrier; opens it at the end, so that a failing test need not wait.
struct closed_gate : gate {
    closed_gate() { barrier() = this; }
    closed_gate(const closed_gate&) = delete;
    closed_gate& operator=(const closed_gate&) = delete;
    ~closed_gate() { barrier() = nullptr; }
};
struct opens_at_end {
    gate& which;
    explicit opens_at_end(gate& of) : which(of) {}
    opens_at_end(const opens_at_end&) = delete;
    opens_at_end& operator=(const opens_at_end&) = delete;
    ~opens_at_end() { which.open(); }
};

} // namespace annals::test
