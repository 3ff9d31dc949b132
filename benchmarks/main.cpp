// Measures annals, each figure beside a baseline on the same disk in the same run, and says which
// goals are met.

#include "figures.hpp"
#include "report.hpp"
#include "scratch.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace {

enum exit_code { done = 0, failed = 1, wrong_usage = 2 };

bool is_figure(const std::string& name) {
    return std::any_of(bench::all_figures.begin(), bench::all_figures.end(),
                       [&](const auto& known) { return known.name == name; });
}

std::string all_names() {
    std::string names;
    for (const auto& known : bench::all_figures)
        names.append(names.empty() ? "" : ", ").append(known.name);
    return names;
}

/// A figure that fails says so in its notes; the others are measured all the same.
bench::figure measure(const bench::figure_entry& wanted, const bench::setting& how) {
    std::cerr << "annals_bench: " << wanted.name << std::endl;
    try {
        return wanted.measure(how);
    } catch (const std::exception& e) {
        bench::figure none;
        none.name = wanted.name;
        none.notes = std::string("failed: ") + e.what();
        none.failed = true;
        return none;
    }
}

} // namespace

int main(int argc, char** argv) {
    bench::setting how;
#ifdef ANNALS_ONLINE_RETAIL_PROGRAM
    how.online_retail = ANNALS_ONLINE_RETAIL_PROGRAM;
#endif
    bool as_json = false;
    std::filesystem::path parent = ".";
    std::vector<std::string> only;
    CLI::App app(
        "Measures annals, each figure beside a baseline on the same disk in the same run.");
    app.add_flag("--json", as_json, "Print a list of objects instead of a table");
    app.add_flag("--quick", how.quick, "Small sizes, to see that everything works");
    app.add_option("--only", only, "Only these figures: " + all_names())
        ->delimiter(',')
        ->check([](const std::string& name) {
            return is_figure(name) ? std::string() : "no figure is called " + name;
        });
    app.add_option("--dir", parent, "Where stores are made, and removed afterwards")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    app.add_option("--retail", how.retail_csv, "The file of online_retail; skipped without it");
    app.add_option("--online-retail", how.online_retail, "The example program to run with it");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? done : wrong_usage;
    }

    try {
        const bench::scratch place(parent, "annals_bench");
        how.directory = place.path();
        std::vector<bench::figure> figures;
        for (const auto& known : bench::all_figures)
            if (only.empty() || std::find(only.begin(), only.end(), known.name) != only.end())
                figures.push_back(measure(known, how));
        as_json ? write_json(std::cout, figures) : write_table(std::cout, figures);
        const bool all_measured =
            std::none_of(figures.begin(), figures.end(), [](const auto& f) { return f.failed; });
        return all_measured && std::cout.flush() ? done : failed;
    } catch (const std::exception& e) {
        std::cerr << "annals_bench: " << e.what() << '\n';
        return failed;
    }
}
