#pragma once

#include "annals/seams.hpp"
#include "annals/uuid.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace annals {

/// An event's place in the whole log. The first event has position 1; positions strictly increase.
/// In the LMDB and in-memory journals they are also dense (1..N). 0 means "before everything".
using log_position = std::uint64_t;

/// An event's place in its stream: 1 for the first. 0 means "no event yet".
using stream_version = std::uint64_t;

/// Where a command, and every event it leads to, comes from.
///
/// A command's metadata is copied to each of its events. What is left empty costs no bytes on disk.
struct metadata {
    /// Names the command. Nil means: the runtime makes one and the caller does not repeat the
    /// command. An id the caller names makes the command idempotent within its aggregate; another
    /// command with the same id is refused there.
    uuid command_id;
    /// Common to everything that one outside request led to. Nil means: the command id.
    uuid correlation_id;
    /// The event or command that directly caused this one; nil if it came from outside.
    uuid causation_id;
    /// Who asked: a user, a device, a job.
    std::string actor;
    /// Wall-clock time of the decision. The runtime sets it where it is zero.
    timestamp time{};
    /// Anything else the host wants to find beside the event.
    std::map<std::string, std::string> extra;

    friend bool operator==(const metadata&, const metadata&) = default;
};

} // namespace annals
