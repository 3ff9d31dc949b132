#include "examples/terminal.hpp"
#include "online_retail/progress.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

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

TEST_CASE("on a narrow terminal the import's line stays one line") {
    for (const std::size_t columns : {20u, 40u, 60u}) {
        terminal screen(24, static_cast<unsigned short>(columns));
        retail::progress shown(screen.file(), 1'000'000'000, 1'000'000);
        std::string seen;
        while (seen.empty()) {
            shown.update(123'456'789, 500'000'000);
            seen = screen.shown(10);
        }
        CAPTURE(columns, seen);
        const std::string_view begin = "\r\x1b[K";
        REQUIRE(seen.starts_with(std::string(begin) + "50 % 123,456,7"));
        // Up to the next drawing, if there was one.
        const std::string line = seen.substr(begin.size(), seen.find('\r', 1) - begin.size());
        CHECK(line.size() < columns);
    }
}
