#pragma once

#include <string>
#include <vector>

namespace bench {

/// Runs a program, its path first, and returns what it wrote to its standard output. Its standard
/// error goes where ours goes. Throws if it cannot be run or does not exit with 0.
[[nodiscard]] std::string output_of(const std::vector<std::string>& command);

} // namespace bench
