#pragma once

#include <atomic>
#include <cstdint>

namespace annals {

/// What the engine counts. Written from actors and the journal's threads, read by `status`.
struct counters {
    std::atomic<std::uint64_t> stored{0};
    std::atomic<std::uint64_t> already_stored{0};
    std::atomic<std::uint64_t> nothing{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> queries_failed{0};
    std::atomic<std::uint64_t> rehydrations{0};
    std::atomic<std::uint64_t> passivations{0};
    std::atomic<std::uint64_t> conflicts{0};
};

inline void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace annals
