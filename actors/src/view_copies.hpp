#pragma once

#include "annals/hosted.hpp"
#include "projection_book.hpp"
#include "projection_gauge.hpp"
#include "slice_marks.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace annals {

struct hosted_projection;

/// Saves copies of a view in memory, so that the next opening need not fold the whole log. Used by the
/// view's actor.
///
/// The view is encoded in its turn, which takes at most a tenth of its time; the bytes are then written in
/// parts, each in a transaction of its own, one after the other, so that changes of other projections
/// come between. A last, small change makes the copy count in the place of the one before. One copy is
/// written at a time, but for the one at closing, which does not wait. After a failure the next copy is
/// due after twice as many events.
class view_copies {
public:
    view_copies(const hosted_projection& of, std::shared_ptr<clock> time);

    /// So many events were folded: saves a copy if one is due.
    void folded(const view_instance& view, log_position position, std::uint64_t events,
                const std::shared_ptr<const slice_marks>& marks);
    /// Saves the last copy, unless one that is stored reflects as much. One on its way is given up: it
    /// would wait for its parts, and the store is about to be closed.
    void closing(const view_instance& view, log_position position,
                 const std::shared_ptr<const slice_marks>& marks);
    /// The view begins at this position: what is saved already reflects it.
    void begins_at(log_position position, log_position since, std::uint64_t era) {
        so_far_ = std::make_shared<outcome_of_copies>();
        so_far_->stored.store(position);
        since_ = since;
        era_ = era;
    }

private:
    class writing;
    /// What is known of earlier copies; their writing tells it, on a thread of the store.
    struct outcome_of_copies {
        std::atomic<bool> writing{false};
        std::atomic<unsigned> failures{0};   ///< since one was stored
        std::atomic<log_position> stored{0}; ///< what the last one that was stored reflects
        std::atomic<std::uint64_t> begun{0}; ///< how many; only the last one goes on
    };

    [[nodiscard]] bool due() const;
    void save(const view_instance& view, log_position position,
              const std::shared_ptr<const slice_marks>& marks, bool at_once);
    static void failed(outcome_of_copies& what, projection_gauge& gauge, const std::string& why);

    const std::shared_ptr<projection_book> book_;
    const std::shared_ptr<projection_gauge> gauge_;
    const std::shared_ptr<clock> clock_;
    const std::uint64_t every_;
    const std::uint32_t version_;
    std::uint64_t events_ = 0;
    std::uint64_t events_since_copy_ = 0;
    log_position since_ = 0;
    std::uint64_t era_ = 0; ///< of the record that a copy may go into
    steady_time not_before_ = steady_time::min();
    std::shared_ptr<outcome_of_copies> so_far_ = std::make_shared<outcome_of_copies>();
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
