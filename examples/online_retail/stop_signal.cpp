#include "stop_signal.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace retail {

namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait for a lock");

/// Written by the handler, on whatever thread it runs, and never read empty.
std::array<int, 2> stop_pipe{-1, -1};

void remember(int signal) {
    const int before = errno;
    received.store(signal, std::memory_order_relaxed);
    const char byte = 0;
    [[maybe_unused]] const auto written = ::write(stop_pipe[1], &byte, 1);
    errno = before;
}

} // namespace

void catch_stop_signals() {
    if (::pipe2(stop_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = static_cast<int>(SA_RESETHAND | static_cast<unsigned>(SA_RESTART));
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

int stop_signal() noexcept {
    return received.load(std::memory_order_relaxed);
}

int stop_descriptor() noexcept {
    return stop_pipe[0];
}

} // namespace retail
