#pragma once

#include <catch2/catch.hpp>

#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace annals::test {

/// A terminal, and what a program shows on it.
class terminal {
public:
    /// Of the usual size, or of a given one.
    explicit terminal(unsigned short rows = 24, unsigned short columns = 80) {
        winsize size{};
        size.ws_row = rows;
        size.ws_col = columns;
        int inner = -1;
        REQUIRE(::openpty(&outer_, &inner, nullptr, nullptr, &size) == 0);
        file_.reset(::fdopen(inner, "w"));
        REQUIRE(file_ != nullptr);
    }
    ~terminal() { ::close(outer_); }
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    [[nodiscard]] std::FILE* file() const noexcept { return file_.get(); }

    /// What has been shown since, after at most `milliseconds`; empty if nothing came.
    [[nodiscard]] std::string shown(int milliseconds) {
        if (unread_.empty())
            read_some(milliseconds);
        return std::exchange(unread_, {});
    }

    /// What is shown from now on, up to and with `wanted`; without it if nothing comes for ten seconds.
    [[nodiscard]] std::string shown_until(std::string_view wanted) {
        std::size_t at = 0;
        while ((at = unread_.find(wanted)) == std::string::npos)
            if (!read_some(10'000))
                return std::exchange(unread_, {});
        std::string seen = unread_.substr(0, at + wanted.size());
        unread_.erase(0, seen.size());
        return seen;
    }

private:
    bool read_some(int milliseconds) {
        pollfd wanted{outer_, POLLIN, 0};
        if (::poll(&wanted, 1, milliseconds) <= 0)
            return false;
        char text[512];
        const auto size = ::read(outer_, text, sizeof text);
        if (size > 0)
            unread_.append(text, static_cast<std::size_t>(size));
        return size > 0;
    }

    std::string unread_;
    int outer_ = -1;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, std::fclose};
};

} // namespace annals::test
