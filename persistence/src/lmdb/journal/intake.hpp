#pragma once

#include "annals/journal.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace annals::lmdb {

/// An operation on its way to the writer.
struct queued_operation {
    std::shared_ptr<append_operation> operation;
    std::size_t bytes = 0; ///< what it counts for in the queue's limit
};

/// The queue from any number of appending threads to the one writer.
class intake {
public:
    explicit intake(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

    /// Takes `operation`, or leaves it alone: `errc::overloaded`, `errc::closed`. A barrier is taken until
    /// everything before it is complete. Any thread.
    [[nodiscard]] result<void> push(std::shared_ptr<append_operation>& operation);

    /// Exchanges everything queued for `into`, which must be empty. Writer only.
    void take(std::vector<queued_operation>& into);
    /// The same, after waiting until there is something, at most for `patience`, or until `nudge`;
    /// false if there will be nothing more.
    [[nodiscard]] bool wait_and_take(std::vector<queued_operation>& into,
                                     std::optional<std::chrono::milliseconds> patience);
    /// Ends the wait of the writer, which has something else to do. Any thread.
    void nudge();

    /// An operation of `bytes` is completed.
    void finished(std::size_t bytes) noexcept {
        queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }

    /// No commit is taken in any more. Idempotent.
    void close();

private:
    const std::size_t max_bytes_;
    std::atomic<std::size_t> queued_bytes_{0};
    std::mutex mutex_;
    std::condition_variable not_empty_;
    std::vector<queued_operation> queue_;
    bool writer_waits_ = false;
    bool nudged_ = false;
    bool closed_ = false;
    bool ended_ = false; ///< the writer takes nothing more
};

} // namespace annals::lmdb
