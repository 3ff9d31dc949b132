#include "examples/terminal.hpp"
#include "retail_analytics/watch.hpp"

#include <annals/annals.hpp>
#include <annals/memory_journal.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

/// The live view of the retail_analytics example, on a terminal and on none.

using namespace annals::test;
using namespace retail::analytics;
using namespace std::chrono_literals;

namespace {

annals::runtime shop_in_memory() {
    annals::config with;
    with.journal = annals::make_memory_journal();
    return annals::runtime::open(std::move(with), annals::host<retail::cart>,
                                 annals::host_published<sales_by_product>)
        .value();
}

void sell(annals::runtime& rt, std::string sku, std::int64_t quantity, std::uint64_t row) {
    const retail::invoice_line line{std::move(sku),
                                    "MUG",
                                    quantity,
                                    1'000,
                                    "EIRE",
                                    std::chrono::sys_days(2010y / 12 / 1) + 8h,
                                    row};
    const auto sold = rt.send("17850", retail::add_item{line}).get().value();
    (void)rt.ask(top_sellers{1}, annals::after(sold)).get().value();
}

} // namespace

TEST_CASE("on a terminal the live view is drawn again in its place") {
    annals::runtime rt = shop_in_memory();
    terminal screen;
    {
        watch shown(rt, screen.file(), 1'000);
        sell(rt, "22423", 5, 1);
        shown.update(1, 500);
        (void)screen.shown_until(" 1   22423"); // a frame that follows one with it
        // The frame had seven lines. The cursor goes up by them, and all below is taken away.
        CHECK(screen.shown_until("rows, ").ends_with("\x1b[7A\x1b[J1 rows, "));
        CHECK(screen.shown_until("\r\n").ends_with(" s left\r\n"));

        shown.print("line 7: not a number; row skipped");
        CHECK(screen.shown_until("skipped\r\n")
                  .ends_with("\x1b[7A\x1b[Jline 7: not a number; row skipped\r\n"));
        CHECK(screen.shown_until("rows, ") == "1 rows, "); // nothing to take away

        sell(rt, "85123A", 50, 2);
        CHECK(screen.shown_until(" 2 - 22423").find(" 1 * 85123A") != std::string::npos);
        shown.update(2, 1'000);
    }
    const std::string last = screen.shown_until("2 rows, ");
    CHECK(last.ends_with("2 rows, "));
    CHECK(screen.shown_until(" 2   22423").find(" 100 % read\r\n") != std::string::npos);
}

TEST_CASE("where there is no terminal the live view ends with one line") {
    annals::runtime rt = shop_in_memory();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
    {
        watch shown(rt, file.get(), std::nullopt);
        sell(rt, "22423", 5, 1);
        shown.print("line 7: not a number; row skipped");
        shown.update(1, 500);
    }
    std::rewind(file.get());
    char text[512]{};
    const std::string seen(text, std::fread(text, 1, sizeof text, file.get()));
    CHECK(seen.find("line 7: not a number; row skipped\n") != std::string::npos);
    CHECK(seen.find("\n1 rows, ") != std::string::npos);
    CHECK(seen.ends_with("/s; every projection is up to date; best: 22423\n"));
}
