#pragma once

#include "annals/projection_store.hpp"

#include <condition_variable>
#include <mutex>
#include <vector>

namespace annals::lmdb {

/// What every call says once the projection store is closed.
[[nodiscard]] inline error views_closed() {
    return {errc::closed, "the projection store is closed; open it again"};
}

/// A change on its way to the writer.
struct queued_change {
    row_changes changes;
    projection_store::applied done;
};

/// The queue from any number of threads to the one writer.
class views_queue {
public:
    /// False, and nothing taken, once it is closed. Any thread.
    [[nodiscard]] bool push(queued_change& change) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_)
                return false;
            queue_.push_back(std::move(change));
        }
        changed_.notify_one();
        return true;
    }

    enum class taking { some, none, ended };
    /// Exchanges everything queued for `into`, which must be empty; `wait` until there is something.
    /// `ended`: there is nothing and will be nothing. Writer only.
    [[nodiscard]] taking take(std::vector<queued_change>& into, bool wait) {
        std::unique_lock lock(mutex_);
        if (wait)
            changed_.wait(lock, [this] { return !queue_.empty() || closed_; });
        if (queue_.empty())
            return closed_ ? taking::ended : taking::none;
        queue_.swap(into);
        return taking::some;
    }

    /// Nothing is taken in any more. Idempotent.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        changed_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<queued_change> queue_;
    bool closed_ = false;
};

} // namespace annals::lmdb
