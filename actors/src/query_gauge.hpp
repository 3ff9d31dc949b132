#pragma once

#include "recent_counts.hpp"

#include "annals/projection.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <string>
#include <typeindex>

namespace annals {

/// How long something takes, as counts in buckets of about 6 percent width, from 1 ns to hours.
/// Thread-safe; recording is one atomic addition. The layout is that of HdrHistogram (G. Tene).
class duration_counts {
public:
    void add(std::chrono::nanoseconds took) noexcept {
        buckets_[bucket_of(took)].fetch_add(1, std::memory_order_relaxed);
    }
    /// The upper end of the bucket below which `share` of all are; 0 if there are none.
    [[nodiscard]] std::chrono::nanoseconds percentile(double share) const noexcept;

private:
    static constexpr unsigned fine_bits = 4;
    static constexpr std::size_t buckets = (48 - fine_bits) << fine_bits;
    static std::size_t bucket_of(std::chrono::nanoseconds took) noexcept {
        const auto ns = static_cast<std::uint64_t>(took.count() > 0 ? took.count() : 0);
        const auto width = static_cast<unsigned>(std::bit_width(ns));
        if (width <= fine_bits)
            return static_cast<std::size_t>(ns);
        const unsigned shift = width - fine_bits - 1;
        const std::size_t at = (std::size_t{shift + 1} << fine_bits) +
                               (static_cast<std::size_t>(ns >> shift) & ((1U << fine_bits) - 1));
        return at < buckets ? at : buckets - 1;
    }
    static std::chrono::nanoseconds end_of(std::size_t bucket) noexcept;
    std::array<std::atomic<std::uint64_t>, buckets> buckets_{};
};

/// What is measured of one type of query to one view. Thread-safe.
class query_gauge {
public:
    explicit query_gauge(std::type_index type);

    /// A query was answered, `took` after it was asked.
    void answered(steady_time now, std::chrono::nanoseconds took) noexcept {
        count_.fetch_add(1, std::memory_order_relaxed);
        recent_.add(now);
        took_.add(took);
    }
    void failed() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }

    [[nodiscard]] std::type_index type() const noexcept { return type_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] query_type_status read(steady_time now) const;
    /// Answered in the `window` full seconds before the present one.
    [[nodiscard]] std::uint64_t recently(steady_time now, std::size_t window) const noexcept {
        return recent_.before(now, window);
    }
    /// The longest window that `recently` knows, in seconds.
    static constexpr std::size_t longest_window = 3'600;

private:
    const std::type_index type_;
    const std::string name_;
    std::atomic<std::uint64_t> count_{0};
    std::atomic<std::uint64_t> failed_{0};
    recent_counts<longest_window + 1> recent_;
    duration_counts took_;
};

/// The C++ name of a type, for people.
[[nodiscard]] std::string readable_name(std::type_index type);

} // namespace annals
