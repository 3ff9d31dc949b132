#pragma once

#include "annals/journal.hpp"

namespace annals {

/// What every journal refuses before it looks at the stream: `invalid_argument` for a bad stream
/// name, no metadata, a nil command id, no events, or an event type that is not 1 to 255 bytes;
/// `too_large` for an event or a commit over `limits`. A commit's size is that of its payloads.
[[nodiscard]] result<void> check_commit(const commit& candidate,
                                        const journal_capabilities& limits);

/// The stream of `candidate` is at version `actual`, not where the commit expected it.
[[nodiscard]] error version_conflict(const commit& candidate, stream_version actual);

/// The commit's pipeline is broken off.
[[nodiscard]] error predecessor_failed();

} // namespace annals
