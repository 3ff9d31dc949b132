#include "examples/child_process.hpp"
#include "examples/real_data.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

/// The retail_analytics example on the whole data set, killed once in the middle, beside online_retail.

using namespace annals::test;
using nlohmann::json;

namespace {

json printed_by(const std::vector<std::string>& command) {
    const ended_program ended = run_program(command);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    return json::parse(ended.out);
}

json sum_of(const json& parts, const std::string& figure) {
    std::int64_t all = 0;
    for (const json& part : parts)
        all += part[figure].get<std::int64_t>();
    return all;
}

} // namespace

TEST_CASE("the analytics of the whole data set agree with online_retail, although killed once") {
    const std::filesystem::path packed = packed_data();
    const temporary_directory directory;
    const std::filesystem::path file = directory.path() / "online_retail.csv";
    if (!std::filesystem::exists(packed) || !unpack(packed, file)) {
        WARN("skipped: there is no " + packed.string() + ", or no xz to unpack it");
        return;
    }
    const json expected =
        printed_by({example_program("online_retail"), "--json", "--db",
                    (directory.path() / "shop").string(), "--input", file.string()});

    const std::vector<std::string> command{
        example_program("retail_analytics"),       "--json",  "--store",
        (directory.path() / "analytics").string(), "--input", file.string()};
    std::vector<std::string> reporting = command;
    reporting.insert(reporting.end(), {"--progress-every", "150000"});
    child_process killed(reporting);
    REQUIRE(killed.wait_for_error_text(" rows done"));
    killed.send_signal(SIGKILL);
    REQUIRE(killed.wait().signal == SIGKILL);
    const json printed = printed_by(command);

    CHECK(printed["head"] == expected["head"]);
    const json& total = printed["total"];
    CHECK(total["revenue_thousandths"] == expected["revenue_thousandths"]);
    CHECK(total["units_sold"].get<std::int64_t>() - total["units_returned"].get<std::int64_t>() ==
          expected["units"]);
    CHECK(total["lines"] == expected["head"]); // one event for each line
    CHECK(printed["days"].size() == expected["days"]);
    CHECK(printed["customers"] == expected["carts"]);
    for (const char* parts : {"days", "hours", "countries"})
        for (const char* figure : {"units_sold", "units_returned", "revenue_thousandths", "lines"})
            CHECK(sum_of(printed[parts], figure) == total[figure]);
    CHECK(printed["countries"].size() == expected["revenue_by_country"].size());
    for (const auto& [country, revenue] : expected["revenue_by_country"].items())
        CHECK(printed["countries"][country]["revenue_thousandths"] == revenue);
    REQUIRE(printed["top_sellers"].size() == expected["top_products"].size());
    for (std::size_t i = 0; i != expected["top_products"].size(); ++i)
        for (const char* figure : {"sku", "revenue_thousandths"})
            CHECK(printed["top_sellers"][i][figure] == expected["top_products"][i][figure]);

    std::ifstream alerts(directory.path() / "analytics" / "alerts.txt");
    std::set<std::string> told;
    for (std::string line; std::getline(alerts, line);)
        CHECK(told.insert(line).second);
    CHECK(told.size() == printed["alerts"]);
    WARN("the run after the kill: " << printed["rows"] << " rows in " << printed["seconds"]
                                    << " s, " << printed["alerts"] << " alerts");
}
