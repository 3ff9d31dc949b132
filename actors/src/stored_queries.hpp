#pragma once

#include "annals/hosted.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace annals {

/// Answers from the rows of a stored view, beside the folding and without waiting for it: each time
/// from a snapshot of its own, at one position.
///
/// Safe from any thread that may wait for the disk. It keeps no snapshot between calls: one would keep
/// replaced rows on disk, and the store does not close before it is gone.
class stored_answers {
public:
    /// `state` points to the host's view, whose maps only read, for as long as the call lasts.
    /// `position`: exactly the events up to there are reflected, as far as the view wants them.
    using use = std::function<void(const void* state, log_position position)>;

    /// `type` and `serving` - the space that answers - outlive it.
    stored_answers(std::shared_ptr<projection_store> store, const stored_view_type& type,
                   const std::atomic<row_space>& serving)
        : store_(std::move(store)),
          type_(type),
          serving_(serving) {}

    /// Calls `with` once, or returns why it could not. `known`: a position that the serving rows were
    /// reported to have reached before this call; it may be beyond their stored checkpoint, where
    /// nothing followed that the view wants. 0 if unknown.
    [[nodiscard]] result<void> answer(log_position known, const use& with) const;

private:
    struct place {
        row_space space;
        log_position position;
    };
    [[nodiscard]] result<place> find_place(row_snapshot& in, log_position known) const;

    const std::shared_ptr<projection_store> store_;
    const stored_view_type& type_;
    const std::atomic<row_space>& serving_;
};

} // namespace annals
