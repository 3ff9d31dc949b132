#include "online_retail/progress.hpp"

#include <catch2/catch.hpp>

#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

namespace {

/// A terminal, and what a program shows on it.
class terminal {
public:
    terminal() {
        int inner = -1;
        REQUIRE(::openpty(&outer_, &inner, nullptr, nullptr, nullptr) == 0);
        file_.reset(::fdopen(inner, "w"));
        REQUIRE(file_ != nullptr);
    }
    ~terminal() { ::close(outer_); }
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    [[nodiscard]] std::FILE* file() const noexcept { return file_.get(); }

    /// What has been shown since, after at most `milliseconds`; empty if nothing came.
    [[nodiscard]] std::string shown(int milliseconds) const {
        pollfd wanted{outer_, POLLIN, 0};
        if (::poll(&wanted, 1, milliseconds) <= 0)
            return {};
        char text[512];
        const auto size = ::read(outer_, text, sizeof text);
        return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
    }

private:
    int outer_ = -1;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, std::fclose};
};

} // namespace

TEST_CASE("on a terminal the import shows a bar with its rate and the time left") {
    const terminal screen;
    std::string seen;
    {
        retail::progress shown(screen.file(), 1'000, 1'000'000);
        while (seen.empty()) { // a bar is due ten times a second
            shown.update(500, 500);
            seen = screen.shown(10);
        }
        CAPTURE(seen);
        CHECK(seen.starts_with("\r\x1b[K[###############...............] 50 % 500 rows, "));
        CHECK(seen.find(" rows/s, ") != std::string::npos);
        CHECK(seen.ends_with(" s left"));

        shown.print("line 7: not a number; row skipped");
        seen = screen.shown(1'000);
        CHECK(seen == "\r\x1b[Kline 7: not a number; row skipped\r\n"); // the bar makes way
    }
}
