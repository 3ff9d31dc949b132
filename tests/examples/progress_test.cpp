#include "examples/terminal.hpp"
#include "online_retail/progress.hpp"

#include <catch2/catch.hpp>

#include <string>

using annals::test::terminal;

TEST_CASE("on a terminal the import shows a bar with its rate and the time left") {
    terminal screen;
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
        seen = screen.shown_until("skipped\r\n");
        CHECK(seen == "\r\x1b[Kline 7: not a number; row skipped\r\n"); // the bar makes way
    }
}
