#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bench {

/// What a figure is meant to reach. A quick run is too small to judge by.
struct goal {
    std::string text{};
    std::optional<bool> met{};
};

/// One measured figure beside the baseline that was measured with it.
struct figure {
    std::string name{};
    std::optional<double> value{}; ///< empty: not measured, the notes say why
    std::string unit{};
    std::string baseline{}; ///< what `baseline_value` is; empty if the figure is a baseline itself
    std::optional<double> baseline_value{};
    std::optional<double> p50_us{};
    std::optional<double> p99_us{};
    std::vector<goal> goals{};
    std::string notes{}; ///< how it was measured: durability, threads, sizes
    bool failed = false;

    /// The figure in parts of its baseline, whether more or less is better.
    [[nodiscard]] std::optional<double> ratio() const {
        if (!value || !baseline_value || *baseline_value == 0)
            return std::nullopt;
        return *value / *baseline_value;
    }
};

} // namespace bench
