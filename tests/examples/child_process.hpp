#pragma once

#include "support/places.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace annals::test {

/// How a program ended, and what it wrote.
struct ended_program {
    int exit_code = -1; ///< -1 if a signal ended it
    int signal = 0;
    std::string out;
    std::string err;
};

/// A program that a test started. Killed, if it still runs, by the destructor.
class child_process {
public:
    /// Starts `arguments[0]`. Its standard input is what `write` sends.
    explicit child_process(const std::vector<std::string>& arguments) {
        std::array<int, 2> in{}, out{}, err{};
        if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 ||
            ::pipe2(err.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("cannot make pipes");
        std::vector<char*> argv;
        for (const std::string& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        std::signal(SIGPIPE, SIG_IGN); // a write to a program that has ended fails instead
        id_ = ::fork();
        if (id_ < 0)
            throw std::runtime_error("cannot fork");
        if (id_ == 0) {
            std::signal(SIGPIPE, SIG_DFL);
            if (::dup2(in[0], 0) == 0 && ::dup2(out[1], 1) == 1 && ::dup2(err[1], 2) == 2)
                ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        ::close(err[1]);
        in_ = in[1];
        out_ = out[0];
        err_ = err[0];
    }
    ~child_process() {
        if (id_ > 0) {
            ::kill(id_, SIGKILL);
            (void)wait();
        }
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    /// Sends `text`; false if the program does not take it any more.
    bool write(std::string_view text) {
        while (!text.empty()) {
            const ssize_t wrote = ::write(in_, text.data(), text.size());
            if (wrote < 0 && errno == EINTR)
                continue;
            if (wrote <= 0)
                return false;
            text.remove_prefix(static_cast<std::size_t>(wrote));
        }
        return true;
    }

    /// Reads what the program writes until its standard error holds `text`; false if it ends first.
    bool wait_for_error_text(std::string_view text) {
        while (err_text_.find(text) == std::string::npos)
            if (!read_some())
                return false;
        return true;
    }

    void send_signal(int number) { ::kill(id_, number); }

    /// Closes its input and waits until it has ended.
    ended_program wait() {
        close_input();
        while (read_some()) {
        }
        int status = 0;
        while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
        }
        id_ = -1;
        ::close(out_);
        ::close(err_);
        ended_program ended;
        if (WIFEXITED(status))
            ended.exit_code = WEXITSTATUS(status);
        else
            ended.signal = WTERMSIG(status);
        ended.out = std::move(out_text_);
        ended.err = std::move(err_text_);
        return ended;
    }

private:
    void close_input() {
        if (in_ >= 0)
            ::close(std::exchange(in_, -1));
    }

    /// Waits for output on either stream; false once both are at their end.
    bool read_some() {
        std::array<pollfd, 2> waited{
            {{out_ended_ ? -1 : out_, POLLIN, 0}, {err_ended_ ? -1 : err_, POLLIN, 0}}};
        if (out_ended_ && err_ended_)
            return false;
        if (::poll(waited.data(), waited.size(), -1) < 0)
            return errno == EINTR;
        if (waited[0].revents != 0)
            out_ended_ = !append(out_, out_text_);
        if (waited[1].revents != 0)
            err_ended_ = !append(err_, err_text_);
        return true;
    }

    static bool append(int from, std::string& to) {
        std::array<char, 4096> some{};
        const ssize_t got = ::read(from, some.data(), some.size());
        if (got > 0)
            to.append(some.data(), static_cast<std::size_t>(got));
        return got > 0 || (got < 0 && errno == EINTR);
    }

    pid_t id_ = -1;
    int in_ = -1;
    int out_ = -1;
    int err_ = -1;
    bool out_ended_ = false;
    bool err_ended_ = false;
    std::string out_text_;
    std::string err_text_;
};

/// Starts a program, waits until it has ended.
inline ended_program run_program(const std::vector<std::string>& arguments) {
    return child_process(arguments).wait();
}

/// An example's program.
inline std::string example_program(const std::string& name) {
    return (example_program_directory() / name).string();
}

} // namespace annals::test
