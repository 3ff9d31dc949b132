#include "examples/child_process.hpp"
#include "examples/retail_reference.hpp"
#include "examples/retail_store.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <string>
#include <vector>

/// The online_retail program on the committed sample, against figures that are computed a second time.

using namespace annals::test;
using nlohmann::json;

namespace {

std::uint64_t all_rejected(const json& printed) {
    std::uint64_t all = 0;
    for (const auto& [code, count] : printed["rejected"].items())
        all += count.get<std::uint64_t>();
    return all;
}

} // namespace

TEST_CASE("the sample's figures are those of a second computation") {
    retail_store store;
    const std::vector<csv_row> rows = split_csv(sample_text());
    REQUIRE(rows.size() == 5'000);
    json first_run;
    const json expected = reference_figures(rows, rows.size(), &first_run);

    const json printed = printed_by(store.import(sample_path));
    CHECK(store_figures(printed) == expected);
    CHECK(printed["rows"] == rows.size());
    CHECK(printed["accepted"] == first_run["accepted"]);
    CHECK(printed["rejected"] == first_run["rejected"]);
    CHECK(printed["already_stored"] == 0);
    CHECK(printed["malformed"] == 0);
    CHECK(printed["seconds"].get<double>() > 0);
    CHECK(printed.size() == 15);

    SECTION("a second run changes nothing and says so") {
        const json again = printed_by(store.import(sample_path));
        CHECK(store_figures(again) == expected);
        CHECK(again["accepted"] == 0);
        // Only refusals after the last row that a cart stored are made again.
        CHECK(all_rejected(again) <= all_rejected(printed));
        CHECK(again["already_stored"] == rows.size() - all_rejected(again));
        CHECK(again["already_stored"] >= printed["accepted"]);
    }
}

TEST_CASE("an import that was stopped in the middle goes on") {
    retail_store store;
    const std::vector<csv_row> rows = split_csv(sample_text());
    const json half = printed_by(store.import(sample_path, {"--stop-after", "2345"}));
    CHECK(half["rows"] == 2'345);
    CHECK(store_figures(half) == reference_figures(rows, 2'345));

    json first_run;
    const json expected = reference_figures(rows, rows.size(), &first_run);
    const json whole = printed_by(store.import(sample_path));
    CHECK(store_figures(whole) == expected);
    CHECK(whole["accepted"].get<int>() + half["accepted"].get<int>() == first_run["accepted"]);
}

TEST_CASE("an import that was killed again and again ends with the same figures") {
    retail_store store;
    const std::string text = sample_text();
    const std::vector<csv_row> rows = split_csv(text);
    for (const std::size_t durable : {1u, 700u, 701u, 1'900u, 3'600u}) {
        CAPTURE(durable);
        child_process program(store.command("-", {"--progress-every", "1"}));
        // The input pauses here, so these rows are reported once they are on disk...
        const std::string beginning = first_rows(text, durable);
        REQUIRE(program.write(beginning));
        std::string number = std::to_string(durable);
        if (number.size() > 3)
            number.insert(number.size() - 3, ",");
        REQUIRE(program.wait_for_error_text(number + " rows done"));
        // ...and these are on their way, anywhere, when the program dies.
        REQUIRE(program.write(text.substr(beginning.size(), 100'000)));
        program.send_signal(SIGKILL);
        const ended_program ended = program.wait();
        REQUIRE(ended.signal == SIGKILL);
        REQUIRE(ended.out.empty());
    }
    const json printed = printed_by(store.import(sample_path));
    CHECK(store_figures(printed) == reference_figures(rows, rows.size()));
    CHECK(printed["already_stored"].get<std::uint64_t>() >= 3'000);
}

TEST_CASE("a signal ends the import orderly") {
    const int number = GENERATE(SIGINT, SIGTERM);
    retail_store store;
    const std::string text = sample_text();
    child_process program(store.command("-", {"--progress-every", "1"}));
    REQUIRE(program.write(first_rows(text, 1'000) + "\"cut off"));
    REQUIRE(program.wait_for_error_text("1,000 rows done"));
    program.send_signal(number);
    REQUIRE(program.wait_for_error_text("it will continue")); // while its input is still open
    const ended_program ended = program.wait();
    CHECK(ended.exit_code == 128 + number);
    const json printed = json::parse(ended.out);
    CHECK(printed["rows"] == 1'000);
    CHECK(store_figures(printed) == reference_figures(split_csv(text), 1'000));
}

TEST_CASE("malformed rows are reported with their line, counted, and passed over") {
    retail_store store;
    const ended_program ended = store.import_text(
        header +                                                     // line 1
        "1,tea,\"TEA\",2,2010-12-01 08:26:00,1.5,7,EIRE\n"           // row 1
        "1,tea,\"TEA\",two,2010-12-01 08:26:00,1.5,7,EIRE\n"         // row 2
        "1,tea,\"TEA\n\nLEAVES\",1,2010-12-01 08:26:00,1.5,7,EIRE\n" // row 3, lines 4 to 6
        "1,tea,\"TEA,1,2010-12-01 08:26:00,1.5,7,EIRE\n"             // row 4
        "1,tea,\"TEA\",1,2010-12-01 08:26:00,1.5,7,\"EIRE\"\n"       // row 5
        "1,tea\n"                                                    // row 6
        "1,tea,TEA,1,2010-02-30 08:26:00,1.5,7,EIRE\n"               // row 7
        "1,tea,TEA,1,2010-12-02 08:26:00,1.5000,7,EIRE\n"            // row 8
        "1,tea,TE\xc9,1,2010-12-02 08:26:00,1.5,7,EIRE\n"            // row 9
        "1,tea,TEA,0,2010-12-02 08:26:00,1.5,7,EIRE\n"               // row 10
        "1,tea,TEA,-4,2010-12-02 08:26:00,1.25,7,EIRE");             // row 11
    const json printed = printed_by(ended);
    CHECK(printed["rows"] == 11);
    CHECK(printed["malformed"] == 7);
    CHECK(printed["accepted"] == 4);
    CHECK(printed["units"] == 0);
    CHECK(printed["revenue_thousandths"] == 4 * 1'500 - 4 * 1'250);
    CHECK(printed["days"] == 2);
    CHECK(printed["busiest_day"] == "2010-12-01");
    CHECK(ended.err ==
          "line 3: Quantity \"two\" is not a whole number; row skipped\n"
          "line 7: text after a closing quote; row skipped\n"
          "line 9: 2 columns instead of 8; row skipped\n"
          "line 10: InvoiceDate \"2010-02-30 08:26:00\" is not a date and time like "
          "2010-12-01 08:26:00; row skipped\n"
          "line 11: UnitPrice \"1.5000\" is not an amount with at most three decimals; "
          "row skipped\n"
          "line 12: not UTF-8; row skipped\n"
          "line 13: Quantity \"0\" neither adds nor removes anything; row skipped\n");
}

TEST_CASE("many malformed rows are counted, and some of them shown") {
    retail_store store;
    std::string text = header;
    for (int i = 0; i != 30; ++i)
        text += "x\n";
    const auto lines = [](const std::string& err) {
        return std::count(err.begin(), err.end(), '\n');
    };
    const ended_program usual = store.import_text(text);
    CHECK(printed_by(usual)["malformed"] == 30);
    CHECK(lines(usual.err) == 21);
    CHECK(usual.err.ends_with("further 10 malformed rows not shown\n"));
    const ended_program quiet = store.import_text(text, {"--max-malformed-reports", "0"});
    CHECK(quiet.err == "further 30 malformed rows not shown\n");
    const ended_program full = store.import_text(text, {"--max-malformed-reports", "30"});
    CHECK(lines(full.err) == 30);
}

TEST_CASE("a file without rows has figures of nothing") {
    retail_store store;
    const json printed = printed_by(store.import_text(header));
    CHECK(store_figures(printed) == reference_figures({}, 0));
    CHECK(printed["busiest_day"].is_null());
    CHECK(printed["rejected"] == json::object());
}

TEST_CASE("what is not such a file, and wrong usage, are told apart") {
    retail_store store;
    const ended_program other = store.import_text("a,b\n1,2\n");
    CHECK(other.exit_code == 1);
    CHECK(other.err.find("does not begin with the header") != std::string::npos);
    CHECK(store.import_text("").exit_code == 1);
    const ended_program missing = store.import("/no/such/file.csv");
    CHECK(missing.exit_code == 1);
    CHECK(missing.err.find("/no/such/file.csv") != std::string::npos);
    CHECK(run_program({example_program("online_retail"), "--input", "-"}).exit_code == 2);
    CHECK(run_program({example_program("online_retail"), "--help"}).exit_code == 0);
}

TEST_CASE("a store is used by one import at a time") {
    retail_store store;
    child_process first(store.command("-", {"--progress-every", "1"}));
    REQUIRE(first.write(first_rows(sample_text(), 1)));
    REQUIRE(first.wait_for_error_text("1 rows done"));
    const ended_program second = store.import(sample_path);
    CHECK(second.exit_code == 1);
    CHECK(second.err.find("(in_use)") != std::string::npos);
    CHECK(first.wait().exit_code == 0);
}
