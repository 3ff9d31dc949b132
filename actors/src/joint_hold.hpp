#pragma once

#include "admission.hpp"

#include "annals/joint.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

namespace annals {

/// A joint query on its way: which of its views stand still, and where all of them meet. Thread-safe.
class joint_hold : public expirable {
public:
    joint_hold(std::shared_ptr<joint_request> request, std::vector<caf::actor> actors,
               std::shared_ptr<annals::admission> admission)
        : request_(std::move(request)),
          admission_(std::move(admission)),
          actors_(std::move(actors)),
          missing_(actors_.size()),
          unanswered_(actors_.size()) {}

    /// The view of `part` stands still at `position`. With the last one, all are told to go on.
    void arrived(log_position position);
    /// Where they meet; empty while it is not known.
    [[nodiscard]] std::optional<log_position> meeting() const;
    /// Nobody waits for an answer any more: do not stand still for it.
    [[nodiscard]] bool over() const { return request_->answered_already(); }

    void answer(std::size_t part, const void* state, log_position position);
    /// Nothing, once it is over.
    void fail(error why);
    void expire() noexcept override;

private:
    void tell_all();
    /// Gives back what it held: once.
    void release() noexcept;

    const std::shared_ptr<joint_request> request_;
    const std::shared_ptr<annals::admission> admission_;
    mutable std::mutex mutex_;
    std::vector<caf::actor> actors_; ///< given up when all is over, because actors hold this
    log_position foremost_ = 0;
    std::size_t missing_;
    std::size_t unanswered_;
    std::optional<log_position> meeting_;
    std::atomic<bool> released_{false};
};

} // namespace annals
