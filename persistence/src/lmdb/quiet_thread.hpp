#pragma once

#include <csignal>
#include <thread>

namespace annals::lmdb {

/// Starts `body` on a thread that takes no signals: the host's handlers run on the host's threads,
/// and a file that may not grow is an error instead of SIGXFSZ.
template <class Body>
std::thread start_without_signals(Body body) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

} // namespace annals::lmdb
