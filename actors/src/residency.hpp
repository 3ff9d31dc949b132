#pragma once

#include <atomic>
#include <cstddef>

namespace annals {

/// How many aggregates are in memory and are not about to leave it, and how many there may be. The directory
/// writes it; whoever is through with a command reads it. Thread-safe.
class residency {
public:
    explicit residency(std::size_t most) : most_(most) {}

    void one_more() noexcept { staying_.fetch_add(1); }
    void one_less() noexcept { staying_.fetch_sub(1); }
    /// There are more than there may be.
    [[nodiscard]] bool crowded() const noexcept { return staying_.load() > most_; }

private:
    const std::size_t most_;
    std::atomic<std::size_t> staying_{0};
};

} // namespace annals
