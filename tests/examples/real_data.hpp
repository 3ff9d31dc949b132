#pragma once

#include "examples/child_process.hpp"
#include "support/places.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

/// The whole "Online Retail" data set. It is not part of the project: it is looked for in
/// $ANNALS_SHARED_DATA, then beside the source directory.
namespace annals::test {

inline std::filesystem::path packed_data() {
    const char* const named = std::getenv("ANNALS_SHARED_DATA");
    const std::filesystem::path directory = named != nullptr
                                                ? std::filesystem::path(named)
                                                : source_directory().parent_path() / "shared/data";
    return directory / "online_retail.csv.xz";
}

/// Unpacks into `file`; false if that does not work.
inline bool unpack(const std::filesystem::path& packed, const std::filesystem::path& file) {
    const std::string shell = "exec xz --decompress --stdout -- \"$1\" > \"$2\"";
    return run_program({"/bin/sh", "-c", shell, "sh", packed.string(), file.string()}).exit_code ==
           0;
}

} // namespace annals::test
