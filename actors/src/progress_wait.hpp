#pragma once

#include "admission.hpp"
#include "projection_gauge.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace annals {

/// Waits for several projections to reach a position, or for a deadline. Nobody polls: the last
/// projection to get there says so. Thread-safe.
class progress_wait final : public expirable, public std::enable_shared_from_this<progress_wait> {
public:
    progress_wait(std::vector<std::shared_ptr<projection_gauge>> on, log_position position,
                  std::shared_ptr<annals::admission> admission,
                  std::function<void(result<void>)> then)
        : on_(std::move(on)),
          position_(position),
          admission_(std::move(admission)),
          then_(std::move(then)),
          missing_(on_.size() + 1) {}

    void begin(steady_time deadline);
    void expire() noexcept override;

private:
    void one_is_there();
    void say(const result<void>& what);

    const std::vector<std::shared_ptr<projection_gauge>> on_;
    const log_position position_;
    const std::shared_ptr<annals::admission> admission_;
    const std::function<void(result<void>)> then_;
    std::atomic<std::size_t> missing_; ///< one more until all waits have begun
    std::atomic<bool> said_{false};
    steady_time deadline_{};
    std::mutex mutex_;
    std::vector<std::pair<projection_gauge*, std::uint64_t>> waits_;
};

} // namespace annals
