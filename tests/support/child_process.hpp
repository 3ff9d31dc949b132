#pragma once

#include <functional>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace annals::test {

/// Runs `body` in a forked child and returns its exit code, or 128 and the number of the signal
/// that ended it. The child ends without running any destructor, as after a crash.
inline int in_child(const std::function<int()>& body) {
    const auto child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {
            code = 98;
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace annals::test
