#pragma once

#include "row_overlay.hpp"

#include "annals/table_key.hpp"
#include "annals/table_rows.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

/// The rows of a stored view, as the one that folds events into them sees them, and as those see them
/// who ask.
namespace annals {

/// One space of a snapshot. Errors are thrown as `bad_result`. Goes from row to row without a search
/// when the next one is asked for. The snapshot outlives it, or is replaced by `look_at`.
class snapshot_rows {
public:
    explicit snapshot_rows(row_space space) noexcept : space_(space) {}
    /// Also after `snapshot` was renewed.
    void look_at(row_snapshot* snapshot) noexcept {
        snapshot_ = snapshot;
        place_ = {};
    }

    [[nodiscard]] std::optional<bytes_view> get(bytes_view key);
    /// The first row whose key is not less than `from`, or greater.
    [[nodiscard]] std::optional<row> first_from(bytes_view from, bool or_equal);
    [[nodiscard]] std::optional<row> last_before(bytes_view end);

private:
    [[nodiscard]] bool stands_at(bytes_view key) const noexcept;
    [[nodiscard]] std::optional<row> arrived(result<std::optional<row>> at);

    row_space space_;
    row_snapshot* snapshot_ = nullptr;
    bytes_view place_; ///< the key of the row found last; empty: none
};

/// For answers: one moment, and no writing.
class reading_rows final : public table_rows {
public:
    /// `snapshot` outlives it.
    reading_rows(row_snapshot& snapshot, row_space space) noexcept : rows_(space) {
        rows_.look_at(&snapshot);
    }

    std::optional<bytes_view> get(bytes_view key) override { return rows_.get(key); }
    void put(bytes_view key, bytes_view value) override;
    bool erase(bytes_view key) override;
    std::optional<row> at_or_after(bytes_view from) override {
        return rows_.first_from(from, true);
    }
    std::optional<row> after(bytes_view key) override { return rows_.first_from(key, false); }
    std::optional<row> before(bytes_view end) override { return rows_.last_before(end); }

private:
    snapshot_rows rows_;
};

/// For folding: what the store holds, over it the changes that are on their way there, and over those
/// the changes made since. The caller is the only one who writes this space.
class writing_rows final : public table_rows {
public:
    writing_rows(std::shared_ptr<projection_store> store, row_space space);

    // -- table_rows ------------------------------------------------------------------------------

    std::optional<bytes_view> get(bytes_view key) override;
    /// `errc::too_large` if the event changes more than `most_event_bytes`.
    void put(bytes_view key, bytes_view value) override;
    bool erase(bytes_view key) override;
    std::optional<row> at_or_after(bytes_view from) override { return first_from(from, true); }
    std::optional<row> after(bytes_view key) override { return first_from(key, false); }
    std::optional<row> before(bytes_view end) override;

    // -- events ----------------------------------------------------------------------------------

    /// What one event may change, keys and values. The change that it is part of has to fit into one
    /// transaction of the store.
    static constexpr std::size_t most_event_bytes = std::size_t{7} << 20;

    void begin_event();
    /// Takes back what was changed since `begin_event`.
    void undo_event() noexcept { newest_->undo_event(); }

    // -- changes on their way --------------------------------------------------------------------

    /// Of the changes since the last `seal`.
    [[nodiscard]] std::size_t changed_bytes() const noexcept { return newest_->size_bytes(); }
    /// What they take in memory; more than that, where rows are changed again and again.
    [[nodiscard]] std::size_t held_bytes() const noexcept { return newest_->held_bytes(); }
    /// The changes since the last `seal`, in order, for the store. Until `settle` they stay visible.
    [[nodiscard]] row_changes seal();
    /// The oldest sealed changes are in the store.
    void settle();
    /// Forgets all changes: from now on only what the store holds is seen.
    void forget();
    /// Lets the snapshot go, while nothing is read. Cheap; it is taken again when something is.
    void release() noexcept;

    /// The store, or a row in it, failed someone who read; it may have kept that to itself.
    [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }

private:
    [[nodiscard]] snapshot_rows& stored();
    template <class Read>
    auto read(Read&& how) -> decltype(how());
    [[nodiscard]] std::optional<row> first_from(bytes_view from, bool or_equal);
    [[nodiscard]] std::unique_ptr<row_overlay> fresh_overlay();

    static constexpr unsigned most_events =
        1'000; ///< of one snapshot, which keeps old rows on disk
    static constexpr std::chrono::milliseconds most_time{50}; ///< likewise

    const std::shared_ptr<projection_store> store_;
    const row_space space_;
    std::unique_ptr<row_snapshot> snapshot_;
    snapshot_rows stored_;
    unsigned events_ = 0; ///< since the snapshot was taken
    std::chrono::steady_clock::time_point taken_;

    std::unique_ptr<row_overlay> newest_;
    std::vector<std::unique_ptr<row_overlay>> sealed_; ///< oldest first
    std::vector<std::unique_ptr<row_overlay>> unused_;
    std::size_t before_event_ = 0; ///< bytes changed when the event began
    std::optional<error> failure_;
};

} // namespace annals
