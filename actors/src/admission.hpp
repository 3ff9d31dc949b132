#pragma once

#include "annals/engine.hpp"
#include "counters.hpp"
#include "deadline_queue.hpp"
#include "residency.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace annals {

/// For every request that comes after the end.
[[nodiscard]] error closed_error();

/// Credits for requests: taken when one is accepted, given back when it is answered. Mailboxes have
/// no bound of their own, so this is where overload is noticed. Also the place for what every
/// request touches on its way out: counters, deadlines, and whether aggregates are too many. Thread-safe.
class admission {
public:
    explicit admission(const engine_limits& limits)
        : residents(limits.max_resident_aggregates),
          limits_(limits) {}

    /// Empty if admitted, otherwise why not.
    [[nodiscard]] std::optional<error> admit_command(std::size_t charge);
    void release_command() noexcept;
    /// What a command holds has grown since it was admitted; `more` may be negative.
    void charge_more(std::ptrdiff_t more) noexcept {
        bytes_.fetch_add(static_cast<std::size_t>(more));
    }
    void release_bytes(std::size_t charge) noexcept { bytes_.fetch_sub(charge); }
    [[nodiscard]] std::optional<error> admit_query();
    void release_query() noexcept;

    /// An order to a projection that closing waits for.
    [[nodiscard]] std::optional<error> admit_order();
    void release_order() noexcept;

    void close_intake() noexcept { closed_.store(true, std::memory_order_seq_cst); }
    [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }

    [[nodiscard]] std::size_t commands() const noexcept { return commands_.load(); }
    [[nodiscard]] std::size_t command_bytes() const noexcept { return bytes_.load(); }
    [[nodiscard]] std::size_t queries() const noexcept { return queries_.load(); }
    [[nodiscard]] bool idle() const noexcept {
        return commands() == 0 && queries() == 0 && orders_.load() == 0;
    }
    [[nodiscard]] bool wait_idle(std::chrono::milliseconds timeout) const;

    counters count;
    deadline_queue deadlines;
    residency residents;

private:
    void signal_if_idle() noexcept;

    const engine_limits limits_;
    std::atomic<bool> closed_{false};
    std::atomic<std::size_t> commands_{0};
    std::atomic<std::size_t> bytes_{0};
    std::atomic<std::size_t> queries_{0};
    std::atomic<std::size_t> orders_{0};
    mutable std::atomic<bool> someone_waits_{false};
    mutable std::mutex mutex_;
    mutable std::condition_variable idle_;
};

} // namespace annals
