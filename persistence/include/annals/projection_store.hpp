#pragma once

#include "annals/codec.hpp"
#include "annals/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace annals {

/// Names one ordered set of rows in a projection store. 0 belongs to the catalog
/// (annals/projection_catalog.hpp); the others are handed out by `projection_store::new_space`.
using row_space = std::uint32_t;
inline constexpr row_space catalog_space = 0;

/// The longest key of a row, and the largest value, in bytes.
inline constexpr std::size_t max_row_key_bytes = 480;
inline constexpr std::size_t max_row_value_bytes = std::size_t{16} << 20;

/// One row, in order of its key's bytes within its space. Views: see who returns it.
struct row {
    bytes_view key;
    bytes_view value;
};

/// A change of rows that takes effect as a whole or not at all, and is never seen in part. Later
/// writes to a key replace earlier ones of the same change. Movable; not thread-safe.
class row_changes {
public:
    /// Keys have 1 to `max_row_key_bytes` bytes, values at most `max_row_value_bytes` (checked when
    /// applied). Copies both.
    void put(row_space space, bytes_view key, bytes_view value);
    void erase(row_space space, bytes_view key);
    /// Empties a whole space and gives its number up. The rows are gone for every later snapshot;
    /// their room is taken back in the background, a bounded number of rows at a time. What this
    /// change writes to the space goes too, in whichever order; later changes must not write to it.
    void drop(row_space space);

    struct change {
        row_space space;
        std::uint32_t key_bytes;
        std::uint32_t value_bytes; ///< `erased`: the row goes
        std::size_t offset;        ///< of the key in the buffer; the value follows it
        static constexpr std::uint32_t erased = ~std::uint32_t{0};
    };
    /// The changes, sorted by space and key, each key once: the order in which a tree is written best.
    [[nodiscard]] std::span<const change> sorted();
    [[nodiscard]] bytes_view key(const change& of) const noexcept;
    [[nodiscard]] bytes_view value(const change& of) const noexcept;
    [[nodiscard]] std::span<const row_space> dropped() const noexcept { return dropped_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return buffer_.size(); }
    [[nodiscard]] bool empty() const noexcept { return changes_.empty() && dropped_.empty(); }
    void clear() noexcept;

private:
    bytes buffer_;
    std::vector<change> changes_;
    std::vector<row_space> dropped_;
};

/// What a projection store holds at one moment, for one thread at a time. Keep it short: while it
/// lives, rows that are replaced keep their room on disk. Blocks on the disk. What it returns is
/// valid until the snapshot is renewed or destroyed.
class row_snapshot {
public:
    virtual ~row_snapshot() = default;

    /// The value of `key`, or nothing. `errc::corrupt` if its checksum is wrong.
    [[nodiscard]] virtual result<std::optional<bytes_view>> get(row_space space,
                                                                bytes_view key) = 0;

    /// The first row of `space` whose key is not less than `from`; nothing if there is none.
    [[nodiscard]] virtual result<std::optional<row>> at_or_after(row_space space,
                                                                 bytes_view from) = 0;
    /// The last row of `space` whose key is less than `before`.
    [[nodiscard]] virtual result<std::optional<row>> last_before(row_space space,
                                                                 bytes_view before) = 0;
    /// The last row of `space`.
    [[nodiscard]] virtual result<std::optional<row>> last(row_space space) = 0;
    /// The row after, or before, the one that the three calls above or these two returned last, in
    /// the same space; nothing if there is none, and then the place stays. Nothing if the last search
    /// found nothing, or there was none since `renew`.
    [[nodiscard]] virtual result<std::optional<row>> next() = 0;
    [[nodiscard]] virtual result<std::optional<row>> previous() = 0;

    /// From now on shows what the store holds now. After an error it shows nothing of worth: drop it.
    [[nodiscard]] virtual result<void> renew() = 0;
};

/// Where projections keep what outlives the process: rows of stored views, checkpoints, saved copies,
/// events set aside. An ordered map of rows in many spaces, changed in transactions.
///
/// It lies beside the log, not inside it: what is here can be made again from the log, so it has a
/// file, a writer and a format of its own, and storing a view neither slows a command nor scatters the
/// log. A row and the checkpoint that belongs to it are here, and change together.
///
/// Safe from any thread. Snapshots block on the disk and are not for scheduler threads; `apply` does
/// not block.
class projection_store {
public:
    virtual ~projection_store() = default;

    /// Runs exactly once, on a thread of the store or inside `apply`, after the change is durable or
    /// has failed. It must neither block nor throw.
    using applied = std::function<void(const result<void>&)>;

    /// Applies `changes` in one transaction, later changes in the order of the calls. Changes that
    /// wait together may share a transaction. Errors: `too_large`, `invalid_argument` (nothing of it
    /// was applied), `disk_full`, `closed` (likewise), `unavailable` or `outcome_unknown` (the store
    /// has failed: open it again). Whoever applies without waiting bounds what waits: it is held in
    /// memory.
    virtual void apply(row_changes changes, applied done) = 0;

    /// `closed`, `overloaded` (a thousand snapshots live at once), `io_error`, `unavailable`.
    [[nodiscard]] virtual result<std::unique_ptr<row_snapshot>> snapshot() const = 0;

    /// A space that has no rows and that nobody else was given. Unless the catalog comes to name it
    /// (see `keep_only`), the next opening drops it.
    [[nodiscard]] virtual row_space new_space() = 0;

    /// Drops every space with rows except `catalog_space` and those listed: what a crash left half
    /// built. Call it once after opening, before anything is written. Waits for the disk; not from
    /// within a callback.
    [[nodiscard]] virtual result<void> keep_only(std::span<const row_space> spaces) = 0;

    /// False if what is here is gone with the process.
    [[nodiscard]] virtual bool durable() const noexcept = 0;

    /// What whoever operates the host should know now; see `journal::warnings`.
    [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }

    /// Applies what was given to it, then refuses more, and releases what the store holds on disk.
    /// Waits until every snapshot is gone: a thread that holds one must let it go first. Within a
    /// callback it does not wait. Idempotent; the destructor closes too.
    virtual void close() = 0;
};

/// Applies and waits. Not for scheduler threads.
[[nodiscard]] result<void> apply_and_wait(projection_store& to, row_changes changes);

/// How a projection store on disk is opened.
struct projection_store_options {
    /// Address space reserved and so its largest size, in bytes; see `lmdb_options`.
    std::size_t max_store_bytes = std::size_t{1} << 40;
    /// Most bytes changed in one transaction; also the largest single change. At most 64 MiB.
    std::size_t max_batch_bytes = std::size_t{16} << 20;
    /// How long an opening waits where another one has the store; see `lmdb_options`.
    std::chrono::milliseconds wait_for_lock{0};
    /// Loses the last changes when the power fails. For measuring and throw-away data only.
    bool unsafe_no_sync = false;
};

/// Opens or creates `views.mdb` in `directory` (created if missing), for the log with id `log`. It owns
/// one writer thread. docs/storage_format.md has every byte.
///
/// Errors: `in_use`, `not_a_store`, `incompatible_format`, `permission_denied`,
/// `unsupported_filesystem`, `disk_full`, `corrupt`, `io_error`, `invalid_argument`; and
/// `not_a_store` if the file belongs to another log. Deleting the file is always safe for views:
/// they are built again from the log; reactions then lose their checkpoints.
[[nodiscard]] result<std::shared_ptr<projection_store>>
open_lmdb_projection_store(const std::filesystem::path& directory, const uuid& log,
                           const projection_store_options& options = {});

/// A projection store in this process's memory, for tests and for journals in memory. `apply` works
/// on the caller's thread.
[[nodiscard]] std::shared_ptr<projection_store> make_memory_projection_store();

} // namespace annals
