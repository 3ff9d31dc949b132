#pragma once

#include "annals/projection_store.hpp"

#include <algorithm>
#include <atomic>

namespace annals {

/// Hands out the numbers of spaces, each once. Safe from any thread.
class space_numbers {
public:
    /// The lowest number that nobody was given.
    [[nodiscard]] row_space next() const noexcept { return next_.load(std::memory_order_relaxed); }

    [[nodiscard]] row_space take() noexcept {
        auto number = next();
        while (!next_.compare_exchange_weak(number, after(number), std::memory_order_relaxed)) {
        }
        return number;
    }
    /// Nobody will be given `space`: it is in use, whoever chose it.
    void use(row_space space) noexcept {
        auto number = next();
        while (number <= space &&
               !next_.compare_exchange_weak(number, after(space), std::memory_order_relaxed)) {
        }
    }
    void use_all_of(row_changes& changes) {
        if (const auto rows = changes.sorted(); !rows.empty())
            use(rows.back().space);
        for (const auto space : changes.dropped())
            use(space);
    }

private:
    /// The last number is given again and again rather than that of the catalog.
    static constexpr row_space last = ~row_space{0};
    static constexpr row_space after(row_space space) noexcept {
        return std::min(space, last - 1) + 1;
    }

    std::atomic<row_space> next_{catalog_space + 1};
};

} // namespace annals
