#include "query_gauge.hpp"

#include <cxxabi.h>

#include <cmath>
#include <cstdlib>
#include <memory>

namespace annals {

std::string readable_name(std::type_index type) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : type.name();
}

std::chrono::nanoseconds duration_counts::end_of(std::size_t bucket) noexcept {
    constexpr std::size_t fine = std::size_t{1} << fine_bits;
    if (bucket < fine)
        return std::chrono::nanoseconds(bucket);
    const std::size_t shift = (bucket >> fine_bits) - 1;
    const std::uint64_t begin = (fine + bucket % fine) << shift;
    return std::chrono::nanoseconds(begin + (std::uint64_t{1} << shift) - 1);
}

std::chrono::nanoseconds duration_counts::percentile(double share) const noexcept {
    std::array<std::uint64_t, buckets> counts;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i != buckets; ++i)
        all += counts[i] = buckets_[i].load(std::memory_order_relaxed);
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i != buckets; ++i)
        if ((seen += counts[i]) >= wanted && seen > 0)
            return end_of(i);
    return {};
}

query_gauge::query_gauge(std::type_index type) : type_(type), name_(readable_name(type)) {}

query_type_status query_gauge::read(steady_time now) const {
    constexpr std::size_t window = 60;
    query_type_status made;
    made.name = name_;
    made.count = count_.load(std::memory_order_relaxed);
    made.failed = failed_.load(std::memory_order_relaxed);
    made.per_second = static_cast<double>(recent_.before(now, window)) / window;
    made.p50 = took_.percentile(0.5);
    made.p99 = took_.percentile(0.99);
    return made;
}

} // namespace annals
