#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

/// Where the marks of a diagram's axes are.
namespace retail::analytics {

/// The values from `lowest` to `highest` and beyond, both ends included, at which a scale of about
/// `wanted` steps of 1, 2 or 5 times a power of ten is marked. 0 is one of them if it lies between.
/// Precondition: lowest <= highest.
[[nodiscard]] std::vector<double> value_marks(double lowest, double highest, std::size_t wanted);

/// At most `most` days from `first` to `last` to put dates at: every day, every few days, or the
/// first of every so many months. Precondition: first <= last, most >= 2.
[[nodiscard]] std::vector<std::chrono::sys_days>
date_marks(std::chrono::sys_days first, std::chrono::sys_days last, std::size_t most);

} // namespace retail::analytics
