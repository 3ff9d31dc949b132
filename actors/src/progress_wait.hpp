#pragma once

#include "admission.hpp"
#include "projection_gauge.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace annals {

/// Somebody waits for several projections to reach a position, or for a deadline. Answered once: with
/// `closed`, if it is dropped. Moved between threads, used by one at a time.
class progress_wait {
public:
    progress_wait(std::vector<std::shared_ptr<projection_gauge>> projections, log_position wanted,
                  steady_time until, std::function<void(result<void>)> then,
                  std::shared_ptr<void> credit)
        : on(std::move(projections)),
          position(wanted),
          deadline(until),
          then_(std::move(then)),
          credit_(std::move(credit)) {}
    ~progress_wait() { answer(closed_error()); }
    progress_wait(const progress_wait&) = delete;
    progress_wait& operator=(const progress_wait&) = delete;

    const std::vector<std::shared_ptr<projection_gauge>> on; ///< each once
    const log_position position;
    const steady_time deadline;

    /// Gives the credit back first: whoever has the answer may wait for the next.
    void answer(const result<void>& with) {
        credit_.reset();
        if (const auto then = std::exchange(then_, {}))
            then(with);
    }

private:
    std::function<void(result<void>)> then_;
    std::shared_ptr<void> credit_; ///< see engine::admit_wait
};

} // namespace annals
