#pragma once

#include "annals/seams.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace annals {

/// How many happened in each of the last `Seconds` seconds, the present one included. Counting is one
/// atomic operation. Thread-safe; a count that meets the turn of a bucket from long ago may be lost.
template <std::size_t Seconds>
class recent_counts {
public:
    void add(steady_time now, std::uint32_t count = 1) noexcept {
        const std::uint32_t second = second_of(now);
        auto& bucket = buckets_[second % Seconds];
        std::uint64_t old = bucket.load(std::memory_order_relaxed);
        std::uint64_t next = 0;
        do {
            const std::uint32_t before = stamp(old) == second ? static_cast<std::uint32_t>(old) : 0;
            next = std::uint64_t{second} << 32 | (before + count);
        } while (!bucket.compare_exchange_weak(old, next, std::memory_order_relaxed));
    }

    /// Counted in the `window` full seconds before the present one; `window` is at most Seconds - 1.
    [[nodiscard]] std::uint64_t before(steady_time now, std::size_t window) const noexcept {
        const std::uint32_t present = second_of(now);
        std::uint64_t sum = 0;
        for (const auto& bucket : buckets_) {
            const std::uint64_t held = bucket.load(std::memory_order_relaxed);
            const std::uint32_t age = present - stamp(held);
            if (held != 0 && age >= 1 && age <= window)
                sum += static_cast<std::uint32_t>(held);
        }
        return sum;
    }

private:
    static std::uint32_t second_of(steady_time at) noexcept {
        return static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
    }
    static std::uint32_t stamp(std::uint64_t bucket) noexcept {
        return static_cast<std::uint32_t>(bucket >> 32);
    }
    std::array<std::atomic<std::uint64_t>, Seconds> buckets_{};
};

} // namespace annals
