#include "examples/child_process.hpp"
#include "examples/real_data.hpp"
#include "examples/retail_reference.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// The online_retail example on the whole data set, killed once in the middle.

using namespace annals::test;
using nlohmann::json;

namespace {

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("the whole data set gives the figures of a second computation, although killed once") {
    const std::filesystem::path packed = packed_data();
    temporary_directory directory;
    const std::filesystem::path file = directory.path() / "online_retail.csv";
    if (!std::filesystem::exists(packed) || !unpack(packed, file)) {
        WARN("skipped: there is no " + packed.string() + ", or no xz to unpack it");
        return;
    }
    const std::vector<csv_row> rows = split_csv(text_of(file));
    REQUIRE(rows.size() == 541'909);
    json first_run;
    const json expected = reference_figures(rows, rows.size(), &first_run);
    const std::vector<std::string> command{
        example_program("online_retail"),      "--json",  "--db",
        (directory.path() / "store").string(), "--input", file.string()};

    std::vector<std::string> reporting = command;
    reporting.insert(reporting.end(), {"--progress-every", "150000"});
    child_process killed(reporting);
    REQUIRE(killed.wait_for_error_text(" rows done"));
    killed.send_signal(SIGKILL);
    REQUIRE(killed.wait().signal == SIGKILL);

    const ended_program ended = run_program(command);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    const json printed = json::parse(ended.out);
    CHECK(store_figures(printed) == expected);
    CHECK(printed["rows"] == rows.size());
    CHECK(printed["malformed"] == 0);
    CHECK(printed["already_stored"].get<std::uint64_t>() > 100'000);
    CHECK(printed["accepted"].get<std::uint64_t>() < first_run["accepted"].get<std::uint64_t>());
    WARN("the run after the kill: " << printed["rows"] << " rows in " << printed["seconds"]
                                    << " s");
}
