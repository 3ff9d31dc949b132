#pragma once

#include "annals/error.hpp"

#include <csignal>
#include <ctime>
#include <system_error>
#include <thread>

namespace annals::lmdb {

/// While it lives, this thread takes no signals, nor do threads that it starts.
class signals_blocked {
public:
    signals_blocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;

private:
    sigset_t before_{};
};

/// While it lives, a file that this thread makes larger than the process may (ulimit -f) is the error
/// EFBIG instead of a SIGXFSZ that ends the process.
class file_size_signal_blocked {
public:
    file_size_signal_blocked() noexcept {
        sigemptyset(&signal_);
        sigaddset(&signal_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    ~file_size_signal_blocked() {
        if (sigismember(&before_, SIGXFSZ) == 1)
            return; // it was the host's wish before
        const timespec at_once{};
        while (sigtimedwait(&signal_, nullptr, &at_once) > 0) {
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    file_size_signal_blocked(const file_size_signal_blocked&) = delete;
    file_size_signal_blocked& operator=(const file_size_signal_blocked&) = delete;

private:
    sigset_t signal_{};
    sigset_t before_{};
};

/// What an opening says when its thread cannot be started.
[[nodiscard]] inline error no_thread() {
    return {errc::unavailable,
            "the system gives this process no more threads, or no address space for one; raise the "
            "limit on threads (ulimit -u) or on address space (ulimit -v), or start fewer, then "
            "open the store again"};
}

/// Starts `body` on a thread that takes no signals: the host's handlers run on the host's threads,
/// and a file that may not grow is an error instead of SIGXFSZ. Throws std::system_error if the
/// system has no more threads.
template <class Body>
std::thread start_without_signals(Body body) {
    const signals_blocked meanwhile;
    return std::thread(std::move(body));
}

} // namespace annals::lmdb
