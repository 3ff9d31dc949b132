#pragma once

#include "row_progress.hpp"

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
    /// Which rows were read: exactly the events up to `position` are reflected, as far as the view wants
    /// them, by so many transactions since the space was begun.
    struct place {
        row_space space = 0;
        log_position position = 0;
        std::uint64_t changes = 0;
    };
    /// `state` points to the host's view, whose maps only read, for as long as the call lasts.
    using use = std::function<void(const void* state, const place& at)>;

    /// `type`, `serving` - the space that answers - and `known` outlive it.
    stored_answers(std::shared_ptr<projection_store> store, const stored_view_type& type,
                   const std::atomic<row_space>& serving, row_progress& known)
        : store_(std::move(store)),
          type_(type),
          serving_(serving),
          known_(known) {}

    /// Calls `with` once, or returns why it could not. The position is no less than anything `known`
    /// when it was called, except after a reset.
    [[nodiscard]] result<void> answer(const use& with) const;

private:
    [[nodiscard]] result<place> find_place(row_snapshot& in, row_space space) const;

    const std::shared_ptr<projection_store> store_;
    const stored_view_type& type_;
    const std::atomic<row_space>& serving_;
    row_progress& known_;
};

} // namespace annals
