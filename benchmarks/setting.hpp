#pragma once

#include "figure.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace bench {

/// How this run was asked to measure.
struct setting {
    bool quick = false;
    std::filesystem::path directory; ///< all stores are made in here: one disk for all figures
    std::filesystem::path retail_csv;
    std::filesystem::path online_retail; ///< the example program

    /// Large enough to mean something, or small enough for a test.
    [[nodiscard]] std::size_t pick(std::size_t full, std::size_t small) const noexcept {
        return quick ? small : full;
    }
    [[nodiscard]] goal at_least(std::string text, double value, double bound) const {
        return {std::move(text), judged(value >= bound)};
    }
    [[nodiscard]] goal at_most(std::string text, double value, double bound) const {
        return {std::move(text), judged(value <= bound)};
    }

private:
    [[nodiscard]] std::optional<bool> judged(bool met) const {
        return quick ? std::nullopt : std::optional<bool>(met);
    }
};

} // namespace bench
