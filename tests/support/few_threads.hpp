#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace annals::test {

/// Whether `only_threads` can be had here: root may become another user, and only others have limits.
inline bool threads_can_be_limited() {
    return ::geteuid() == 0;
}

/// In a child: from now on the process has so many threads at most, its first included. It becomes a
/// user that nothing else runs as, for the limit is the user's.
inline bool only_threads(rlim_t most) {
    const auto user = static_cast<uid_t>(1'000'000 + ::getpid());
    const rlimit limit{most, most};
    return ::setgid(user) == 0 && ::setuid(user) == 0 && ::setrlimit(RLIMIT_NPROC, &limit) == 0;
}

} // namespace annals::test
