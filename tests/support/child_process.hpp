#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace annals::test {

/// Whether every other thread of this process is asleep.
inline bool other_threads_sleep() {
    std::error_code gone;
    const auto self = std::to_string(::gettid());
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        if (task.path().filename() == self)
            continue;
        std::ifstream file(task.path() / "stat");
        const std::string line{std::istreambuf_iterator<char>(file), {}};
        const auto name_end = line.rfind(')'); // "id (name) state ..."
        if (name_end != std::string::npos && name_end + 2 < line.size() &&
            line[name_end + 2] != 'S')
            return false;
    }
    return true;
}

/// fork(), once every other thread sleeps, or after two seconds. The address sanitizer of g++ 12 does not
/// let go of its allocator's locks in a child: if a thread allocates while another one forks, the child
/// may wait for it forever.
inline pid_t fork_beside_sleepers() {
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (!other_threads_sleep() && std::chrono::steady_clock::now() < latest)
        std::this_thread::yield();
    return ::fork();
}

/// Runs `body` in a forked child and returns its exit code, or 128 and the number of the signal
/// that ended it. The child ends without running any destructor, as after a crash.
inline int in_child(const std::function<int()>& body) {
    const auto child = fork_beside_sleepers();
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
