#pragma once

#include "annals/journal.hpp"

#include <chrono>
#include <filesystem>

namespace annals {

/// How a store on disk is opened. The defaults are for a store of any size on a local disk.
struct lmdb_options {
    /// Address space reserved for the store and so its largest size, in bytes. It costs neither
    /// memory nor disk. Lower it where address space is limited (sanitizers, ulimit -v).
    std::size_t max_store_bytes = std::size_t{1} << 40;
    /// Largest payload of one event. At most 16 MiB.
    std::size_t max_event_bytes = std::size_t{1} << 20;
    /// Most bytes of events stored with one sync; also the largest commit. At most 16 MiB.
    std::size_t max_batch_bytes = std::size_t{16} << 20;
    /// Most commits stored with one sync.
    std::size_t max_batch_commits = 4096;
    /// Appended but not yet stored bytes from which on appends are answered `overloaded`. At least 1.
    std::size_t max_queued_bytes = std::size_t{256} << 20;
    /// Stream heads kept in memory (about 120 bytes each). Streams beyond it cost a look-up per
    /// commit, and a crash leaves up to four times this many events to be read again at opening.
    std::size_t cached_streams = std::size_t{1} << 20;
    /// Create the directory and the store if they are missing; otherwise that is an error.
    bool create = true;
    /// How long an opening waits where another process, or another part of this one, has the store
    /// open, before it is refused as `in_use`. It blocks the opening thread. 0: a service that was
    /// started twice should hear of it at once. Programs that run for a moment, one after the other
    /// or side by side, choose some seconds.
    std::chrono::milliseconds wait_for_lock{0};
    /// Loses acknowledged events when the power fails. For measuring and throw-away data only.
    bool unsafe_no_sync = false;
};

/// Opens or creates the store in `directory`. The journal owns one writer thread; completions and
/// wake functions run on it. Metadata besides ids and time may take 64 KiB encoded, for each commit;
/// more is `too_large`. A reader gets at most about 16 MiB of events in one page.
///
/// Errors: `in_use`, `not_a_store`, `incompatible_format`, `permission_denied`,
/// `unsupported_filesystem`, `disk_full`, `corrupt`, `io_error`, `invalid_argument`, `unavailable` (no
/// more threads). What is refused is left as it was: docs/guarantees.md.
[[nodiscard]] result<std::shared_ptr<journal>>
open_lmdb_journal(const std::filesystem::path& directory, const lmdb_options& options = {});

/// What `verify_store` found.
struct store_report {
    std::uint64_t events = 0;
    std::uint64_t streams = 0;
    std::uint64_t bytes = 0; ///< on disk
};

/// Reads every record of the store in `directory`, checks its checksum, its links and the derived
/// tables, and counts. The first fault is the error, with its position. The store must not be open.
/// Needs no right to write, and changes nothing. It forks a process that does the reading, so that
/// damage cannot end this one.
[[nodiscard]] result<store_report> verify_store(const std::filesystem::path& directory,
                                                const lmdb_options& options = {});

} // namespace annals
