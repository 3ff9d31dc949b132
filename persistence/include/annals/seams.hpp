#pragma once

#include "annals/uuid.hpp"

#include <chrono>
#include <functional>
#include <memory>

/// The four places where annals touches time, chance and blocking calls. Each is a small interface,
/// so that a test can put virtual time, a seed and a chosen order in their place.
namespace annals {

/// Wall-clock time as events carry it: microseconds since the Unix epoch, UTC.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Steady time, for deadlines and idle times.
using steady_time = std::chrono::steady_clock::time_point;

/// Tells the time. Safe from any thread.
class clock {
public:
    virtual ~clock() = default;
    [[nodiscard]] virtual timestamp wall_time() const noexcept = 0;
    [[nodiscard]] virtual steady_time steady() const noexcept = 0;
};

/// Makes ids that no other generator makes. Safe from any thread.
class id_source {
public:
    virtual ~id_source() = default;
    [[nodiscard]] virtual uuid next() noexcept = 0;
};

/// Runs tasks that may block on the disk, off the scheduler's threads.
class blocking_executor {
public:
    virtual ~blocking_executor() = default;
    /// Queues `task`; it runs exactly once, on a thread of the executor, or within this call once
    /// the executor has stopped. `task` must not throw. Safe from any thread, also from a task.
    virtual void post(std::function<void()> task) = 0;
    /// Runs what is queued, then ends the threads. Idempotent. Not from within a task.
    virtual void stop() = 0;
};

/// The machine's clocks.
[[nodiscard]] std::shared_ptr<clock> system_clock();

/// Random version 7 ids: unique without coordination, increasing in time to the millisecond.
[[nodiscard]] std::shared_ptr<id_source> random_ids();

/// A fixed number of threads over one queue. Its destructor stops it.
[[nodiscard]] std::shared_ptr<blocking_executor> thread_executor(std::size_t threads);

} // namespace annals
