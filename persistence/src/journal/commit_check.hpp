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

/// The same, where the stream holds a commit with the command id of `candidate` at its place, but
/// not this commit.
[[nodiscard]] error other_commit(const commit& candidate, stream_version actual);

/// The commit's pipeline is broken before it.
[[nodiscard]] error predecessor_failed();

/// Whether a commit is, event by event, the one that is stored: as many events, of the same types,
/// payloads and time, by the same command. Who is told "already stored" goes on from the state that
/// its own events led to, so they must be those in the log. The candidate outlives it.
class commit_comparison {
public:
    explicit commit_comparison(const commit& candidate) noexcept : candidate_(candidate) {}

    /// The next event of the stored commit; false if the candidate has another, or none.
    [[nodiscard]] bool takes(const stored_event& next) noexcept;
    /// All that was taken was the same, to the last event of both.
    [[nodiscard]] bool holds() const noexcept { return holds_; }

private:
    const commit& candidate_;
    std::size_t taken_ = 0;
    bool holds_ = false;
};

} // namespace annals
