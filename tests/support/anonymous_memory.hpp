#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace annals::test {

/// What this process holds in memory of its own, in bytes: heaps and stacks, not files.
inline std::size_t anonymous_bytes() {
    std::ifstream status("/proc/self/status");
    const std::string name = "RssAnon:";
    for (std::string line; std::getline(status, line);)
        if (line.compare(0, name.size(), name) == 0)
            return static_cast<std::size_t>(std::stoull(line.substr(name.size()))) * 1'024;
    return 0;
}

/// Whether that says what the program asked for: a sanitizer keeps what was given back.
constexpr bool anonymous_bytes_are_meaningful() {
#if defined(__SANITIZE_ADDRESS__)
    return false;
#elif defined(__has_feature)
    return !__has_feature(address_sanitizer);
#else
    return true;
#endif
}

} // namespace annals::test
