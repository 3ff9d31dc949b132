#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace bench {

using steady = std::chrono::steady_clock;

/// Time since it was made.
class stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(steady::now() - started_).count();
    }
    /// `count` things were done since.
    [[nodiscard]] double rate(std::size_t count) const {
        return static_cast<double>(count) / seconds();
    }

private:
    steady::time_point started_ = steady::now();
};

/// Durations, to look at their distribution.
class latencies {
public:
    void add(steady::duration one) {
        us_.push_back(std::chrono::duration<float, std::micro>(one).count());
    }
    void add(const latencies& others) {
        us_.insert(us_.end(), others.us_.begin(), others.us_.end());
    }
    template <class Call>
    void time(Call&& call) {
        const auto started = steady::now();
        std::forward<Call>(call)();
        add(steady::now() - started);
    }

    /// `share` 0.5 is the median. 0 if nothing was measured.
    [[nodiscard]] double percentile_us(double share) const {
        if (us_.empty())
            return 0;
        std::vector<float> sorted = us_;
        const auto at =
            static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
        std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
        return static_cast<double>(sorted[static_cast<std::size_t>(at)]);
    }

private:
    std::vector<float> us_;
};

/// Of a few repeated measurements. Precondition: not empty.
[[nodiscard]] inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

} // namespace bench
