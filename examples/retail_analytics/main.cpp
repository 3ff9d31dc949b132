// Analytics of an online shop: embeds the host of online_retail, adds projections of all three kinds,
// and shows them while the import runs.

#include "analysis.hpp"
#include "revenue_plot.hpp"
#include "shop.hpp"
#include "watch.hpp"

#include "online_retail/importer.hpp"
#include "online_retail/progress.hpp"
#include "online_retail/stop_signal.hpp"
#include "online_retail/store.hpp"

#include <annals/annals.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace {

using namespace retail::analytics;

enum exit_code { done = 0, failed = 1, wrong_usage = 2, stopped_by_signal = 128 };

struct arguments {
    std::string store;
    std::string input;
    std::string plot;
    std::string alerts;
    std::int64_t alert_pounds = 1'000;
    bool watch = false;
    bool json = false;
    std::uint64_t rows_per_line = 50'000;
    retail::import_options import;
};

int fail(const annals::error& why) {
    std::cerr << "retail_analytics: " << why.message << " (" << to_string(why.code) << ")\n";
    return failed;
}

std::unique_ptr<retail::import_display> display_for(const arguments& asked, annals::runtime& rt,
                                                    std::optional<std::uint64_t> input_bytes) {
    if (asked.watch)
        return std::make_unique<watch>(rt, stderr, input_bytes);
    return std::make_unique<retail::progress>(stderr, input_bytes, asked.rows_per_line);
}

annals::result<void> write_plot(const std::string& path, const days_turnover& days) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << revenue_plot(days, "Revenue by day");
    file.close();
    if (!file)
        return annals::error{annals::errc::io_error, "cannot write the plot to " + path};
    return {};
}

/// Imports and asks; the runtime is closed when it returns.
annals::result<analysis> import_and_analyse(const arguments& asked, const retail::input& input,
                                            alert_file& alerts) {
    annals::config with;
    with.directory = asked.store;
    auto rt = open_shop(std::move(with), alerts, asked.alert_pounds * 1'000);
    if (!rt)
        return rt.error();
    if (const auto ours = retail::check_events(rt->journal()); !ours)
        return ours.error();
    analysis made;
    {
        const auto started = std::chrono::steady_clock::now();
        const auto shown = display_for(asked, *rt, input.bytes());
        retail::importer importer(*rt, input, *shown, asked.import);
        if (const auto imported = importer.run(); !imported)
            return imported.error();
        made = ask_analysis(*rt);
        made.shop.counts = importer.counts();
        made.alerts_are_all = wait_for_projections(*rt, *shown);
        made.shop.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    }
    if (const std::string failed = failed_projections(*rt); !failed.empty())
        return annals::error{annals::errc::unavailable, failed};
    if (const auto closed = rt->close(); !closed)
        return closed.error();
    made.alerts = alerts.count();
    return made;
}

annals::result<void> report(const arguments& asked, const analysis& made) {
    if (!asked.plot.empty())
        if (const auto plotted = write_plot(asked.plot, made.days); !plotted)
            return plotted;
    if (asked.json)
        write_json(std::cout, made);
    else
        write_summary(std::cout, made);
    std::cout.flush();
    if (!std::cout)
        return annals::error{annals::errc::io_error, "cannot write the report"};
    return {};
}

int run(const arguments& asked) {
    retail::input input(asked.input); // what cannot be read makes no store
    if (const auto header = input.check_header(); !header) {
        if (retail::stop_signal() == 0)
            return fail(header.error());
        std::cerr << "retail_analytics: stopped before the first row\n";
        return stopped_by_signal + retail::stop_signal();
    }
    std::filesystem::create_directories(asked.store);
    alert_file alerts(asked.alerts.empty() ? std::filesystem::path(asked.store) / "alerts.txt"
                                           : std::filesystem::path(asked.alerts));
    const auto made = import_and_analyse(asked, input, alerts);
    if (!made)
        return fail(retail::name_full_disk(made.error(), asked.store));
    if (const auto reported = report(asked, *made); !reported)
        return fail(reported.error());
    if (const int signal = retail::stop_signal(); signal != 0) {
        std::cerr << "retail_analytics: stopped after row " << made->shop.counts.rows
                  << "; run it again, it will continue\n";
        return stopped_by_signal + signal;
    }
    return done;
}

void add_options(CLI::App& app, arguments& asked) {
    app.add_option("--store,--db", asked.store, "Directory of the store; made if missing")
        ->required();
    app.add_option("--input", asked.input, "CSV file; - is the standard input")->required();
    app.add_flag("--watch", asked.watch,
                 "Show rates, lag and the best sellers while the import runs");
    app.add_option("--plot", asked.plot, "Draw revenue by day into this SVG file");
    app.add_option("--alerts", asked.alerts,
                   "File for big orders, one line each; alerts.txt in the store if not given");
    app.add_option("--alert-from", asked.alert_pounds, "Pounds from which an order is big")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));
    app.add_flag("--json", asked.json, "Print one JSON object instead of a summary");
    app.add_option("--max-malformed-reports", asked.import.max_malformed_reports,
                   "Malformed rows to report one by one")
        ->capture_default_str();
    app.add_option("--stop-after", asked.import.stop_after, "Stop orderly after this many rows");
    app.add_option(
           "--progress-every", asked.rows_per_line,
           "Rows between two lines of progress where there is neither a terminal nor --watch")
        ->capture_default_str();
}

} // namespace

int main(int argc, char** argv) {
    arguments asked;
    CLI::App app("Imports the invoice lines of an online shop and analyses them while it does: by "
                 "product, customer, country, day and hour. A repeated run goes on where the last "
                 "one ended.");
    add_options(app, asked);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const bool was_help = app.exit(e) == 0;
        std::cout.flush();
        return was_help ? (std::cout ? done : failed) : wrong_usage;
    }
    asked.import.stop_requested = [] { return retail::stop_signal() != 0; };
    try {
        retail::catch_stop_signals();
        return run(asked);
    } catch (const annals::bad_result& e) {
        return fail(e.error());
    } catch (const std::exception& e) {
        std::cerr << "retail_analytics: " << e.what() << '\n';
        return failed;
    }
}
