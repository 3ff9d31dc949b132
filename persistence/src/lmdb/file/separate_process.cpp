#include "lmdb/file/separate_process.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/file/quiet_thread.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

/// What goes through the pipe: this, and then the error's message.
struct head_of_answer {
    bool ok;
    errc code;
    std::uint64_t actual;
    store_report report;
};

void write_all(int pipe, const void* from, std::size_t size) {
    const auto* at = static_cast<const char*>(from);
    while (size != 0) {
        const auto written = ::write(pipe, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        at += written;
        size -= static_cast<std::size_t>(written);
    }
}

std::string read_all(int pipe) {
    std::string all;
    std::array<char, 4'096> part{};
    for (;;) {
        const auto count = ::read(pipe, part.data(), part.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return all;
        all.append(part.data(), static_cast<std::size_t>(count));
    }
}

[[noreturn]] void answer_and_exit(int pipe, const std::function<result<store_report>()>& body) {
    try {
        const auto done = body();
        head_of_answer head{};
        head.ok = done.has_value();
        if (done) {
            head.report = *done;
        } else {
            head.code = done.error().code;
            head.actual = done.error().actual;
        }
        write_all(pipe, &head, sizeof head);
        if (!done)
            write_all(pipe, done.error().message.data(), done.error().message.size());
    } catch (...) { // no memory: the parent sees that there is no answer
    }
    ::_exit(0);
}

result<store_report> answer_of(const std::string& received, int status) {
    head_of_answer head{};
    if (received.size() >= sizeof head && status == 0) {
        std::memcpy(&head, received.data(), sizeof head);
        if (head.ok)
            return head.report;
        return error{head.code, received.substr(sizeof head), head.actual};
    }
    return error{errc::corrupt,
                 "the process that read the store " +
                     (WIFSIGNALED(status)
                          ? "was ended by signal " + std::to_string(WTERMSIG(status))
                          : std::string("ended without an answer")) +
                     ", as happens where LMDB meets damaged pages; restore the store "
                     "from a backup"};
}

} // namespace

result<store_report> in_separate_process(const std::function<result<store_report>()>& body) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return system_error(errno, "cannot make a pipe to verify", "the store");
    pid_t child = -1;
    {
        const signals_blocked meanwhile; // the host's handlers are not for the child
        child = ::fork();
        if (child == 0) {
            ::close(pipe[0]);
            ::prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody would hear its answer
            answer_and_exit(pipe[1], body);
        }
    }
    const auto failed = errno;
    ::close(pipe[1]);
    if (child < 0) {
        ::close(pipe[0]);
        return system_error(failed, "cannot start a process to verify", "the store");
    }
    const auto received = read_all(pipe[0]);
    ::close(pipe[0]);
    int status = 0;
    // A host that waits for all its children may have been faster; then the answer alone says it.
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return answer_of(received, status);
}

} // namespace annals::lmdb
