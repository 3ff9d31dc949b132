#pragma once

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace annals::test {

/// From now on this process has so many bytes of address space more at most.
inline bool only_more_address_space(rlim_t bytes) {
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit limit{most, most};
    return pages != 0 && ::setrlimit(RLIMIT_AS, &limit) == 0;
}

} // namespace annals::test
