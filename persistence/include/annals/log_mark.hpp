#pragma once

#include "annals/stored_event.hpp"

#include <cstdint>

namespace annals {

/// Which event a log has at one position. What is built from a log remembers the mark of the last event
/// that it knows, so that it notices when the log is another one there: put back from an older copy,
/// and written on.
struct log_mark {
    log_position position = 0;
    std::uint64_t id = 0; ///< a hash over position, version, time and command id; 0: not known
    friend bool operator==(const log_mark&, const log_mark&) = default;
};

[[nodiscard]] log_mark mark_of(log_position position, stream_version version, timestamp time,
                               const uuid& command_id) noexcept;
[[nodiscard]] inline log_mark mark_of(const stored_event& event) noexcept {
    return mark_of(event.position, event.version, event.time, event.command_id);
}

} // namespace annals
