#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace annals::test {

/// A program under way, whose lines the test reads.
class child_process {
public:
    explicit child_process(std::vector<std::string> command) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            return;
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::vector<char*> arguments;
        for (auto& each : command)
            arguments.push_back(each.data());
        arguments.push_back(nullptr);
        if (::posix_spawn(&id_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
            id_ = -1;
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ends[0];
    }
    ~child_process() {
        kill();
        (void)wait();
        if (output_ >= 0)
            ::close(output_);
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    [[nodiscard]] bool started() const noexcept { return id_ > 0; }

    /// The next line; empty at the end. A line that was cut off by the end is dropped.
    [[nodiscard]] std::optional<std::string> next_line() {
        for (;;) {
            if (const auto end = read_.find('\n', at_); end != std::string::npos) {
                std::string line = read_.substr(at_, end - at_);
                at_ = end + 1;
                return line;
            }
            read_.erase(0, at_);
            at_ = 0;
            char block[4096];
            const ssize_t got = ::read(output_, block, sizeof block);
            if (got <= 0)
                return std::nullopt;
            read_.append(block, static_cast<std::size_t>(got));
        }
    }
    void kill() {
        if (id_ > 0)
            ::kill(id_, SIGKILL);
    }
    /// How it ended, as waitpid says.
    int wait() {
        int status = 0;
        if (id_ > 0)
            ::waitpid(id_, &status, 0);
        id_ = -1;
        return status;
    }

private:
    pid_t id_ = -1;
    int output_ = -1;
    std::string read_;
    std::size_t at_ = 0;
};

} // namespace annals::test
