// Imports the invoice lines of an online shop as commands to carts, and reports what the log says.

#include "importer.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "stop_signal.hpp"
#include "store.hpp"

#include <annals/annals.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

namespace {

enum exit_code { done = 0, failed = 1, wrong_usage = 2, stopped_by_signal = 128 };

struct arguments {
    std::string db;
    std::string input;
    bool json = false;
    std::uint64_t rows_per_line = 50'000;
    retail::import_options import;
};

int fail(const annals::error& why) {
    std::cerr << "online_retail: " << why.message << " (" << to_string(why.code) << ")\n";
    return failed;
}

int stopped_before_the_first_row() {
    std::cerr << "online_retail: stopped before the first row\n";
    return stopped_by_signal + retail::stop_signal();
}

int run(const arguments& asked) {
    const auto started = std::chrono::steady_clock::now();
    retail::input input(asked.input);
    if (const auto header = input.check_header(); !header)
        return retail::stop_signal() != 0 ? stopped_before_the_first_row() : fail(header.error());
    auto rt =
        annals::runtime::open(asked.db, annals::host<retail::cart>, annals::host<retail::sales>);
    if (!rt)
        return fail(retail::name_full_disk(rt.error(), asked.db));
    if (const auto ours = retail::check_events(rt->journal()); !ours)
        return fail(ours.error());

    retail::import_counts counts;
    {
        retail::progress shown(stderr, input.bytes(), asked.rows_per_line);
        retail::importer importer(*rt, input, shown, asked.import);
        const auto imported = importer.run();
        counts = importer.counts();
        if (!imported) {
            (void)rt->close();
            return fail(retail::name_full_disk(imported.error(), asked.db));
        }
    }
    retail::report made = retail::ask_figures(*rt);
    if (auto closed = rt->close(); !closed)
        return fail(retail::name_full_disk(closed.error(), asked.db));
    made.counts = counts;
    made.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (asked.json)
        write_json(std::cout, made);
    else
        write_summary(std::cout, made);
    std::cout.flush();
    if (!std::cout)
        return fail({annals::errc::io_error, "cannot write the report"});
    if (const int signal = retail::stop_signal(); signal != 0) {
        std::cerr << "online_retail: stopped after row " << counts.rows
                  << "; run it again, it will continue\n";
        return stopped_by_signal + signal;
    }
    return done;
}

} // namespace

int main(int argc, char** argv) {
    arguments asked;
    CLI::App app("Imports the invoice lines of an online shop as commands to carts, and reports "
                 "what the log says. A repeated run goes on where the last one ended.");
    app.add_option("--db", asked.db, "Directory of the store; made if missing")->required();
    app.add_option("--input", asked.input, "CSV file; - is the standard input")->required();
    app.add_flag("--json", asked.json, "Print one JSON object instead of a summary");
    app.add_option("--max-malformed-reports", asked.import.max_malformed_reports,
                   "Malformed rows to report one by one")
        ->capture_default_str();
    app.add_option("--stop-after", asked.import.stop_after, "Stop orderly after this many rows");
    app.add_option("--progress-every", asked.rows_per_line,
                   "Rows between two lines of progress where there is no terminal")
        ->capture_default_str();
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
        std::cerr << "online_retail: " << e.what() << '\n';
        return failed;
    }
}
