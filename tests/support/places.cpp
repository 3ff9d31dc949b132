#include "support/places.hpp"

namespace annals::test {

std::filesystem::path source_directory() {
    return ANNALS_SOURCE_DIR;
}
std::filesystem::path test_program_directory() {
    return ANNALS_TEST_PROGRAM_DIR;
}
std::filesystem::path example_program_directory() {
    return ANNALS_EXAMPLE_PROGRAM_DIR;
}

} // namespace annals::test
