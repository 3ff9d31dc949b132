#include "examples/child_process.hpp"
#include "examples/retail_reference.hpp"
#include "online_retail/importer.hpp"
#include "online_retail/progress.hpp"
#include "retail_analytics/analysis.hpp"
#include "retail_analytics/shop.hpp"
#include "support/places.hpp"
#include "support/temporary_directory.hpp"

#include <annals/annals.hpp>
#include <annals/memory_journal.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

/// The retail_analytics example over a store: its figures agree with those of online_retail, however
/// often it is stopped or killed.

using namespace annals::test;
using namespace retail::analytics;
using nlohmann::json;

namespace {

const std::string sample_path =
    (source_directory() / "examples/online_retail/sample/online_retail_sample.csv").string();

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

/// Imports the sample in this process, up to row `stop_after`, and asks every view.
analysis analyse_sample(const std::filesystem::path& directory, std::uint64_t stop_after) {
    alert_file alerts(directory / "alerts.txt");
    annals::config with;
    with.directory = directory / "store";
    with.store.unsafe_no_sync = true; // nothing here asks what a power cut leaves
    annals::runtime rt = open_shop(std::move(with), alerts, 500'000).value();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> unseen(std::tmpfile(), std::fclose);
    retail::progress shown(unseen.get(), std::nullopt, 1'000'000);
    const retail::input input(sample_path);
    retail::import_options import;
    import.stop_after = stop_after;
    retail::importer importer(rt, input, shown, import);
    REQUIRE(importer.run());
    analysis made = ask_analysis(rt);
    made.alerts_are_all = wait_for_projections(rt, shown);
    CHECK(made.alerts_are_all);
    CHECK(failed_projections(rt) == "");
    REQUIRE(rt.close());
    made.alerts = alerts.count();
    return made;
}

/// Each view of the analytics against the one view of online_retail.
void check_agreement(const analysis& made) {
    const retail::sales_total& shop = made.shop.total;
    const turnover total = made.total();
    CHECK(total.revenue() == shop.revenue);
    CHECK(total.units() == shop.units);
    CHECK(total.lines == shop.added + shop.removed);
    CHECK(made.days.size() == shop.days);
    const auto sum = [](const auto& parts, auto turnover_of) {
        turnover all;
        for (const auto& part : parts)
            all += turnover_of(part);
        return all;
    };
    CHECK(sum(made.hours, [](const turnover& hour) { return hour; }) == total);
    CHECK(sum(made.countries, [](const auto& country) { return country.second; }) == total);
    CHECK(sum(made.spenders, [](const spender& one) { return one.known.total; }) == total);
    CHECK(made.spenders.size() == shop.carts);

    std::map<std::string, retail::thousandths> by_country;
    for (const auto& [country, one] : made.countries)
        by_country[country] = one.revenue();
    CHECK(by_country == made.shop.by_country);

    REQUIRE(made.best.size() == made.shop.top_products.size());
    for (std::size_t i = 0; i != made.best.size(); ++i) {
        const retail::product_sales& expected = made.shop.top_products[i];
        CHECK(made.best[i].sku == expected.sku);
        CHECK(made.best[i].total.units() == expected.units);
        CHECK(made.best[i].total.revenue() == expected.revenue);
    }
    const auto busiest =
        std::max_element(made.days.begin(), made.days.end(), [](const auto& a, const auto& b) {
            return a.second.lines < b.second.lines;
        });
    CHECK((busiest == made.days.end() ? std::nullopt : std::optional(busiest->first)) ==
          made.shop.busiest);
}

class analytics_store {
public:
    [[nodiscard]] std::vector<std::string> command(const std::string& input,
                                                   std::vector<std::string> more = {}) const {
        std::vector<std::string> all{example_program("retail_analytics"), "--json",  "--store",
                                     (path() / "store").string(),         "--input", input};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    [[nodiscard]] json import_sample(std::vector<std::string> more = {}) const {
        const ended_program ended = run_program(command(sample_path, std::move(more)));
        INFO(ended.err);
        REQUIRE(ended.exit_code == 0);
        return json::parse(ended.out);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

private:
    temporary_directory directory_;
};

json without_counts_of_the_run(json printed) {
    for (const char* of_the_run : {"rows", "accepted", "already_stored", "seconds"})
        printed.erase(of_the_run);
    return printed;
}

std::string first_rows(const std::string& text, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t i = 0; i != count + 1; ++i)
        end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

} // namespace

TEST_CASE("the analytics agree with online_retail, also after an import in two parts") {
    const temporary_directory directory;
    check_agreement(analyse_sample(directory.path(), 0));
    check_agreement(analyse_sample(directory.path(), 2'345));
    const analysis whole = analyse_sample(directory.path(), 5'000);
    check_agreement(whole);
    CHECK(whole.total().units_returned > 0);
    CHECK(whole.alerts == 201);
    CHECK(std::is_sorted(whole.spenders.begin(), whole.spenders.end(),
                         [](const spender& a, const spender& b) {
                             return a.known.total.revenue() > b.known.total.revenue();
                         }));
}

TEST_CASE("the analytics of the sample are those of a second computation") {
    const analytics_store store;
    const std::vector<csv_row> rows = split_csv(text_of(sample_path));
    const json expected = reference_figures(rows, rows.size());
    const json printed = store.import_sample();
    CHECK(printed["total"]["revenue_thousandths"] == expected["revenue_thousandths"]);
    CHECK(printed["total"]["units_sold"].get<int>() -
              printed["total"]["units_returned"].get<int>() ==
          expected["units"]);
    CHECK(printed["customers"] == expected["carts"]);
    CHECK(printed["days"].size() == expected["days"]);
    CHECK(printed["head"] == expected["head"]);
    for (const auto& [country, revenue] : expected["revenue_by_country"].items())
        CHECK(printed["countries"][country]["revenue_thousandths"] == revenue);
    CHECK(printed["top_sellers"][0]["sku"] == expected["top_products"][0]["sku"]);
    CHECK(printed["biggest_spenders"].size() == 10);
    CHECK(printed["hours"].size() == 24);

    const json again = store.import_sample();
    CHECK(without_counts_of_the_run(again) == without_counts_of_the_run(printed));
    CHECK(again["accepted"] == 0);
}

TEST_CASE("a plot of the sample has a bar for each of its days") {
    const analytics_store store;
    const std::string plot = (store.path() / "days.svg").string();
    const json printed = store.import_sample({"--plot", plot});
    const std::string drawn = text_of(plot);
    std::size_t bars = 0;
    for (std::size_t at = 0; (at = drawn.find("<rect class=\"day", at)) != drawn.npos; ++at)
        ++bars;
    CHECK(bars == printed["days"].size());
    CHECK(drawn.ends_with("</svg>\n"));

    const ended_program lost =
        run_program(store.command(sample_path, {"--plot", "/no/such/directory/days.svg"}));
    CHECK(lost.exit_code == 1);
    CHECK(lost.err.find("cannot write the plot to /no/such/directory/days.svg") !=
          std::string::npos);
}

TEST_CASE("watched without a terminal, an import says in lines how it ended") {
    const analytics_store store;
    const ended_program ended = run_program(store.command(sample_path, {"--watch"}));
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("5,000 rows, ") != std::string::npos);
    CHECK(ended.err.ends_with("every projection is up to date; best: 21711\n"));
    CHECK(ended.err.find('\x1b') == std::string::npos);
}

TEST_CASE("analytics that were stopped by a signal, and killed, end with the same figures") {
    const analytics_store whole;
    const json expected = without_counts_of_the_run(whole.import_sample({"--alert-from", "500"}));
    CHECK(expected["alerts"] == 201);

    const analytics_store store;
    const std::string text = text_of(sample_path);
    const std::vector<std::string> more{"--progress-every", "1", "--alert-from", "500"};
    for (const std::size_t durable : {700u, 1'900u, 3'600u}) {
        CAPTURE(durable);
        child_process program(store.command("-", more));
        const std::string beginning = first_rows(text, durable);
        REQUIRE(program.write(beginning));
        std::string number = std::to_string(durable);
        if (number.size() > 3)
            number.insert(number.size() - 3, ",");
        REQUIRE(program.wait_for_error_text(number + " rows done"));
        if (durable == 700u) {
            program.send_signal(SIGINT);
            CHECK(program.wait().exit_code == 128 + SIGINT);
            continue;
        }
        REQUIRE(program.write(text.substr(beginning.size(), 100'000)));
        program.send_signal(SIGKILL);
        REQUIRE(program.wait().signal == SIGKILL);
    }
    CHECK(without_counts_of_the_run(store.import_sample({"--alert-from", "500"})) == expected);

    std::istringstream alerts(text_of(store.path() / "store" / "alerts.txt"));
    std::set<std::string> told;
    for (std::string line; std::getline(alerts, line);)
        CHECK(told.insert(line).second);
    CHECK(told.size() == expected["alerts"]);
}

TEST_CASE("alerts are told to be all only when every event was looked at") {
    const analytics_store store;
    CHECK(store.import_sample()["alerts_are_all"] == true);

    const temporary_directory directory;
    alert_file alerts(directory.path() / "alerts.txt");
    annals::config with;
    with.journal = annals::make_memory_journal();
    annals::runtime rt = open_shop(std::move(with), alerts, 1).value();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> unseen(std::tmpfile(), std::fclose);
    retail::progress shown(unseen.get(), std::nullopt, 1'000'000);
    REQUIRE(rt.projection<big_order_alerts>().pause().get());
    const retail::input input(sample_path);
    retail::import_options import;
    import.stop_after = 100;
    retail::importer importer(rt, input, shown, import);
    REQUIRE(importer.run());
    analysis made = ask_analysis(rt);
    CHECK_FALSE(wait_for_projections(rt, shown)); // the reaction is paused, as after Ctrl-C
    std::ostringstream printed;
    made.alerts_are_all = false;
    write_summary(printed, made);
    CHECK(printed.str().find("0 alerts for big orders so far; the next run tells the rest\n") !=
          std::string::npos);
    REQUIRE(rt.projection<big_order_alerts>().resume().get());
    CHECK(wait_for_projections(rt, shown));
    REQUIRE(rt.close());
}

TEST_CASE("a long customer number does not run into the country") {
    analysis made;
    made.spenders.push_back({"12345678901234567890", {"EIRE", {}, {}, {}}});
    made.spenders.push_back({"guest-" + std::string(40, '9'), {"EIRE", {}, {}, {}}});
    std::ostringstream printed;
    write_summary(printed, made);
    CHECK(printed.str().find("12345678901234567890 EIRE") != std::string::npos);
    CHECK(printed.str().find("guest-9999999999999… EIRE") != std::string::npos);
}

TEST_CASE("analytics make no store for an input that cannot be read") {
    const analytics_store store;
    for (const std::string input : {"/no/such/file.csv", "/tmp", "/dev/null"}) {
        CAPTURE(input);
        CHECK(run_program(store.command(input)).exit_code == 1);
        CHECK_FALSE(std::filesystem::exists(store.path() / "store"));
    }
}

TEST_CASE("analytics with wrong usage, or without a file, say so") {
    const analytics_store store;
    CHECK(run_program({example_program("retail_analytics"), "--input", "-"}).exit_code == 2);
    CHECK(run_program({example_program("retail_analytics"), "--help"}).exit_code == 0);
    CHECK(run_program(store.command("/no/such/file.csv")).exit_code == 1);
    CHECK(run_program(store.command(sample_path, {"--alert-from", "-1"})).exit_code == 2);
}
