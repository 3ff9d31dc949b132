#pragma once

#include "row_session.hpp"
#include "sink.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace annals {

/// What a stretch of folded events changes, and what is to be said when that is durable.
struct stored_part {
    bool stores = false; ///< there is something to apply; otherwise only `report` is to be sent
    row_changes changes; ///< the checkpoint among them
    checkpoint_record checkpoint;
    sink_report report;
};

/// A stored view and its place in the log: folds events into rows and says what is to be stored. One
/// thread at a time. Nobody else changes the rows of its space or their checkpoint, except between
/// a failure and the next `begin`.
class stored_fold {
public:
    /// `start` counts only while the store has no checkpoint for `space`.
    stored_fold(std::shared_ptr<projection_store> store, const stored_view_type& type,
                row_space space, const checkpoint_record& start);

    /// Stands where the store says, with nothing on its way. Before the first `fold`, and whenever
    /// parts were not stored. May throw what the host's constructors throw.
    [[nodiscard]] result<void> begin();

    /// Folds events of `of` from index `next` on, and moves it: to the end, to an event that failed, or
    /// until enough is changed for one transaction. Events up to the checkpoint are left out. Nothing
    /// if `stopped` became true meanwhile.
    [[nodiscard]] std::optional<stored_part> fold(const slice& of, std::size_t& next,
                                                  const std::atomic<bool>& stopped);

    /// The oldest part with `stores` has been stored.
    void settle() { rows_.settle(); }
    /// Between slices: keeps nothing of the store busy.
    void rest() noexcept { rows_.release(); }
    /// Of what is stored or on its way.
    [[nodiscard]] const checkpoint_record& checkpoint() const noexcept { return written_; }

    /// Positions without an event for the view cost a transaction only every so many: after a crash
    /// they are looked at again.
    static constexpr log_position lazy_positions = 65'536;
    /// Keys and values changed in one transaction, beyond which it is ended; see
    /// `writing_rows::most_event_bytes`.
    static constexpr std::size_t most_part_bytes = std::size_t{8} << 20;
    /// The same for what these changes take in memory.
    static constexpr std::size_t most_held_bytes = std::size_t{32} << 20;

private:
    [[nodiscard]] result<void> fold_one(const decoded_events& events, std::size_t index);
    [[nodiscard]] stored_part finish(const slice& of, std::size_t next, std::uint64_t folded,
                                     const result<void>& how);
    void seal(stored_part& part, const slice& of);

    const std::shared_ptr<projection_store> store_;
    const stored_view_type& type_;
    const row_space space_;
    const checkpoint_record start_;
    writing_rows rows_;
    std::unique_ptr<stored_view_type::bound> view_;
    checkpoint_record written_; ///< of the last part with `stores`
    checkpoint_record at_;      ///< after what is folded
};

} // namespace annals
