#pragma once

#include "annals/hosted.hpp"
#include "projection_book.hpp"
#include "slice_marks.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace annals {

struct hosted_projection;

/// Saves copies of a view in memory, so that the next opening need not fold the whole log. Used by the
/// view's actor. One copy is written at a time, but for the
/// last, which does not wait; a copy counts only once it is there as a whole.
class view_copies {
public:
    view_copies(const hosted_projection& of);

    /// So many events were folded: saves a copy if one is due.
    void folded(const view_instance& view, log_position position, std::uint64_t events,
                const std::shared_ptr<const slice_marks>& marks);
    /// Saves the last copy, if anything happened since the one before.
    void closing(const view_instance& view, log_position position,
                 const std::shared_ptr<const slice_marks>& marks);
    /// The view begins at this position: what is saved already reflects it.
    void begins_at(log_position position, log_position since, std::uint64_t era) noexcept {
        saved_ = position;
        since_ = since;
        era_ = era;
    }

private:
    void save(const view_instance& view, log_position position,
              const std::shared_ptr<const slice_marks>& marks);

    const std::shared_ptr<projection_book> book_;
    const std::uint64_t every_;
    const std::uint32_t version_;
    std::uint64_t events_ = 0; ///< since the last copy, and ever
    std::uint64_t events_since_copy_ = 0;
    log_position saved_ = 0;
    log_position since_ = 0;
    std::uint64_t era_ = 0; ///< of the record that a copy may go into
    std::shared_ptr<std::atomic<bool>> writing_ = std::make_shared<std::atomic<bool>>(false);
};

/// The view as its saved copy has it; null if there is none, or none that can be read. Blocks on the
/// disk.
struct restored_view {
    std::unique_ptr<view_instance> view;
    checkpoint_record checkpoint;
    std::optional<error> unreadable; ///< why there is none, though there was
};
[[nodiscard]] restored_view restore_view(const view_type& type, const projection_book& book);

} // namespace annals
