#pragma once

#include "annals/stored_event.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace annals {

/// What a commit requires of its stream, checked when it is stored.
class expected_version {
public:
    static constexpr expected_version any() noexcept { return {kind::any, 0}; }
    static constexpr expected_version no_stream() noexcept { return {kind::exactly, 0}; }
    static constexpr expected_version stream_exists() noexcept { return {kind::exists, 0}; }
    static constexpr expected_version exactly(stream_version v) noexcept {
        return {kind::exactly, v};
    }

    [[nodiscard]] constexpr bool holds_for(stream_version actual) const noexcept {
        return kind_ == kind::any || (kind_ == kind::exists ? actual > 0 : actual == version_);
    }
    [[nodiscard]] constexpr bool is_exact() const noexcept { return kind_ == kind::exactly; }
    /// Precondition: is_exact().
    [[nodiscard]] constexpr stream_version version() const noexcept { return version_; }
    /// "any version", "an existing stream", "version 3".
    [[nodiscard]] std::string to_string() const;

private:
    enum class kind : std::uint8_t { any, exists, exactly };
    constexpr expected_version(kind k, stream_version v) noexcept : version_(v), kind_(k) {}
    stream_version version_;
    kind kind_;
};

/// A line of commits of which each was decided on top of those before it. Each has a place in it, a
/// number that grows along the line. When the commit at place n is not stored, the pipeline is broken
/// from n on: the journal stores none of its commits at n or beyond, even if their expected version
/// happens to fit, and what comes before n is not harmed. What is broken stays broken; start a new
/// pipeline.
class pipeline {
public:
    using place = std::uint64_t;

    [[nodiscard]] bool broken_at(place at) const noexcept {
        return at >= broken_from_.load(std::memory_order_acquire);
    }
    /// It is broken from some place on.
    [[nodiscard]] bool broken() const noexcept { return broken_at(unbroken - 1); }
    void break_from(place at) noexcept {
        auto before = broken_from_.load(std::memory_order_relaxed);
        while (at < before &&
               !broken_from_.compare_exchange_weak(before, at, std::memory_order_acq_rel)) {
        }
    }

private:
    static constexpr place unbroken = ~place{0};
    std::atomic<place> broken_from_{unbroken};
};

/// An event on its way into a journal.
struct new_event {
    std::string_view type;
    bytes_view payload;
};

/// The unit of storage: 1..n events of one stream, stored all or none. A view; see
/// `append_operation` for who owns what it points to.
struct commit {
    std::string_view stream;
    expected_version expected = expected_version::any();
    /// Stored with every event. `command_id` also identifies the commit: it must not be nil, and one
    /// stream must not see it with different events.
    const metadata* about = nullptr;
    bool command_named = false;
    command_fingerprint fingerprint{}; ///< stored with every event, where it is known
    std::span<const new_event> events;
    /// May be null: the commit depends on no other.
    annals::pipeline* pipeline = nullptr;
    pipeline::place place = 0; ///< in the pipeline

    // For journals.
    /// Something that this commit was decided on top of is not stored, so it must not be, either.
    [[nodiscard]] bool cut_off() const noexcept {
        return pipeline != nullptr && pipeline->broken_at(place);
    }
    /// It is not stored. Call it before the next commit of the pipeline is looked at.
    void break_pipeline() const noexcept {
        if (pipeline != nullptr)
            pipeline->break_from(place);
    }
};

/// How one commit ended, if it is in the stream.
struct append_receipt {
    log_position position = 0;   ///< of the commit's last event
    stream_version version = 0;  ///< of the commit's last event
    bool already_stored = false; ///< an earlier append of the same commit had stored it
};

using append_result = result<append_receipt>;

/// One append, owned by the journal until `completed` has returned. Derive from it to keep the
/// commits' memory and the reaction in one object.
class append_operation {
public:
    virtual ~append_operation() = default;

    /// The commits, in order. Views must stay valid and unchanged until `completed` returns.
    [[nodiscard]] virtual std::span<const commit> commits() const noexcept = 0;

    /// Called exactly once, with one result for each commit, after everything that succeeded is
    /// durable and visible to readers. Runs on a thread of the journal or inside `append`; it must
    /// not block, and must not throw. Operations complete in the order in which they were appended;
    /// only one that is refused inside `append` (`overloaded`, `closed`) may overtake; that breaks its
    /// pipelines from its places on, before `append` returns. One without commits is a barrier that
    /// tells when all before it are complete; it is never `overloaded`.
    virtual void completed(std::span<const append_result> results) noexcept = 0;
};

/// Which way to read a stream.
enum class direction : std::uint8_t { forward, backward };

/// What a journal knows about one stream.
struct stream_info {
    stream_version version = 0; ///< 0: the stream does not exist
    log_position first_position = 0;
    log_position last_position = 0;
    timestamp first_time{};
    timestamp last_time{};
};

/// What an implementation promises beyond the contract, so that hosts can insist on it.
struct journal_capabilities {
    bool durable = false;         ///< completed means: on stable storage
    bool dense_positions = false; ///< positions are 1..N without a gap
    bool stored_views = false;    ///< views can be stored in the same transaction as checkpoints
    bool fenced = false;          ///< several processes may append; a stale writer is refused
    std::size_t max_commit_bytes = 0;
    std::size_t max_event_bytes = 0;
    std::size_t max_metadata_bytes = 0; ///< of one commit: actor, extra and so on; 0: no limit
};

/// What a journal has found out about the index that it derives from its log.
struct journal_health {
    bool rebuilding = false;    ///< the index was damaged and is made again from the log
    std::uint64_t rebuilds = 0; ///< how often since the journal was opened, by the opening too
    log_position rebuilt_through = 0; ///< how far the present one, or the last, has come
    /// The index is compared with the log while there is little else to do: how far the present
    /// comparison has come, and how many are complete.
    log_position checked_through = 0;
    std::uint64_t checks_completed = 0;
};

/// A position in the log that moves forward: everything stored before, then everything stored later,
/// with no gap and no duplicate between the two. One thread at a time.
class subscription {
public:
    virtual ~subscription() = default;

    /// The next events after the last page, at most `max` of them (and a bounded number of events
    /// looked at), possibly none. When the page is `at_end`, the wake function of `subscribe` runs
    /// once as soon as there is more, or the journal closes; it may run at once. Blocks on the disk.
    [[nodiscard]] virtual result<event_page> next(std::size_t max) = 0;
};

/// An append-only log of events, ordered as a whole and within each stream.
///
/// Safe from any thread. Reads block on the disk and must not be called from a scheduler thread;
/// `append` does not block. Nothing above this interface may assume that it is the only writer.
class journal {
public:
    virtual ~journal() = default;

    /// Identifies this log for ever; what is derived from it names it.
    [[nodiscard]] virtual uuid id() const noexcept = 0;

    [[nodiscard]] virtual journal_capabilities capabilities() const noexcept = 0;

    /// Stores each commit of `operation` all or none, in order. The result of each is one of:
    /// - a receipt, with `already_stored` if the stream already holds this very commit at the expected
    ///   place: the same command id and fingerprint, as many events, of the same types, payloads and
    ///   time (recognised for exact expectations only);
    /// - `version_conflict` with the actual version; also where the stream holds another commit with
    ///   this command id, which the error's sentence then says;
    /// - `predecessor_failed`, `too_large`, `invalid_argument`, `overloaded`, `closed`, `disk_full`,
    ///   `unavailable`: certainly not stored;
    /// - `outcome_unknown`: the disk failed while committing. The journal refuses further appends
    ///   until it is opened again, which finds out.
    virtual void append(std::shared_ptr<append_operation> operation) = 0;

    /// Up to `max` events of `stream`, beginning with version `from`, upwards or downwards. Forward
    /// from 0 or 1 is the beginning; backward from any number past the end is the end. A stream
    /// that does not exist is an empty page; a name that no stream can have (`check_stream_name`)
    /// is `invalid_argument`.
    [[nodiscard]] virtual result<event_page>
    read_stream(std::string_view stream, stream_version from, std::size_t max,
                direction way = direction::forward) const = 0;

    /// Up to `max` events after position `after` that pass `filter`. Looks at a bounded number of
    /// events (see `event_page::through`), so a page may be empty without being at the end.
    [[nodiscard]] virtual result<event_page> read_all(log_position after, std::size_t max,
                                                      const event_filter& filter = {}) const = 0;

    /// Position of the last durable event; 0 if there is none.
    [[nodiscard]] virtual log_position head() const noexcept = 0;

    /// Nothing to tell, for journals without an index of their own.
    [[nodiscard]] virtual journal_health health() const noexcept { return {}; }

    /// The ends of `stream`; likewise `invalid_argument` for a name that no stream can have.
    [[nodiscard]] virtual result<stream_info> describe(std::string_view stream) const = 0;

    /// What whoever operates the host should know now, one sentence each with what to do; empty if
    /// all is well. Does not wait for the disk.
    [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }

    /// Follows the log after position `after`. `wake` is described at `subscription::next`; it runs
    /// on a thread of the journal and must neither block nor call back into the journal. It does
    /// not run any more once the subscription's destructor has returned.
    [[nodiscard]] virtual result<std::unique_ptr<subscription>>
    subscribe(log_position after, event_filter filter, std::function<void()> wake) = 0;

    /// Completes every operation that was appended and releases what the journal holds. Later calls
    /// return `errc::closed`. Idempotent. The destructor closes too.
    virtual void close() = 0;
};

/// An append that owns its data, for callers to whom convenience matters more than copies.
struct owned_event {
    std::string type;
    bytes payload;
};
struct owned_commit {
    std::string stream;
    expected_version expected = expected_version::any();
    metadata about;
    bool command_named = false;
    command_fingerprint fingerprint{};
    std::vector<owned_event> events;
    std::shared_ptr<annals::pipeline> pipeline;
    pipeline::place place = 0;
};

/// Appends copies; `done` runs as `append_operation::completed` does.
void append(journal& to, std::vector<owned_commit> commits,
            std::function<void(std::span<const append_result>)> done);

/// Appends copies and waits for the results. Not for scheduler threads.
[[nodiscard]] std::vector<append_result> append_and_wait(journal& to,
                                                         std::vector<owned_commit> commits);

/// A stream's name: 1 to 255 bytes of UTF-8 without control characters. `errc::invalid_argument`
/// says what is wrong.
[[nodiscard]] result<void> check_stream_name(std::string_view stream);

} // namespace annals
