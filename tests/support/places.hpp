#pragma once

#include <filesystem>
#include <string>

/// Where the tests find what they need. The paths are compiled into one file only, so that a
/// compiler cache serves every checkout.
namespace annals::test {

/// The project's directory.
[[nodiscard]] std::filesystem::path source_directory();
/// Where the programs are that the tests start (tests/<dir>/*_program.cpp).
[[nodiscard]] std::filesystem::path test_program_directory();
/// Where the example programs are.
[[nodiscard]] std::filesystem::path example_program_directory();

} // namespace annals::test
