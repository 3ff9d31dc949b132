#include "examples/child_process.hpp"
#include "examples/retail_reference.hpp"
#include "online_retail/views.hpp"
#include "support/places.hpp"
#include "support/temporary_directory.hpp"

#include <annals/lmdb_journal.hpp>
#include <annals/testing_catch2.hpp>
#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// The online_retail example: its domain in given/when/then, and the program on the committed sample
/// against figures that are computed a second time.

using namespace annals::testing;
using namespace annals::test;
using nlohmann::json;
using retail::add_item;
using retail::cart;
using retail::item_added;
using retail::item_removed;
using retail::remove_item;

namespace {

// --- the domain ---------------------------------------------------------------------------------

retail::invoice_line line(std::uint64_t row, std::string sku, std::int64_t quantity,
                          retail::thousandths price = 1'000) {
    using namespace std::chrono_literals;
    return {std::move(sku),
            "TEA \"EARL GREY\"",
            quantity,
            price,
            "EIRE",
            std::chrono::sys_days(2010y / 12 / 1) + 8h,
            row};
}

// --- the program --------------------------------------------------------------------------------

const std::string sample_path =
    (source_directory() / "examples/online_retail/sample/online_retail_sample.csv").string();
const std::string header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
                           "CustomerID,Country\n";

std::string sample_text() {
    std::ostringstream text;
    text << std::ifstream(sample_path, std::ios::binary).rdbuf();
    return text.str();
}

/// The first `count` rows of the sample, with its header, as text. No row of it spans two lines.
std::string first_rows(const std::string& text, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t i = 0; i != count + 1; ++i)
        end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

class retail_store {
public:
    [[nodiscard]] std::vector<std::string> command(const std::string& input,
                                                   std::vector<std::string> more = {}) const {
        std::vector<std::string> all{example_program("online_retail"),       "--json",  "--db",
                                     (directory_.path() / "store").string(), "--input", input};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    [[nodiscard]] ended_program import(const std::string& input,
                                       std::vector<std::string> more = {}) const {
        return run_program(command(input, std::move(more)));
    }
    /// Imports `text` and returns what the program printed.
    [[nodiscard]] ended_program import_text(const std::string& text,
                                            std::vector<std::string> more = {}) const {
        child_process program(command("-", std::move(more)));
        program.write(text);
        return program.wait();
    }

    [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "store"; }

private:
    temporary_directory directory_;
};

json printed_by(const ended_program& ended) {
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    REQUIRE(std::count(ended.out.begin(), ended.out.end(), '\n') == 1);
    return json::parse(ended.out);
}

std::uint64_t all_rejected(const json& printed) {
    std::uint64_t all = 0;
    for (const auto& [code, count] : printed["rejected"].items())
        all += count.get<std::uint64_t>();
    return all;
}

} // namespace

TEST_CASE("a cart takes what its invoices add and remove") {
    ANNALS_CHECK(
        given<cart>().when(add_item{line(1, "tea", 2)}).then(item_added{line(1, "tea", 2)}));
    const auto two_teas = given<cart>(item_added{line(1, "tea", 2)});
    ANNALS_CHECK(
        two_teas.when(remove_item{line(2, "tea", 2)}).then(item_removed{line(2, "tea", 2)}));
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "tea", 1)}).then_state([](const cart& c) {
        return c.units.at("tea") == 1;
    }));
    ANNALS_CHECK(two_teas.when(add_item{line(2, "tea", 1, 0)}).then_state([](const cart& c) {
        return c.units.at("tea") == 3;
    }));
}

TEST_CASE("a cart gives back no more than it holds") {
    const auto two_teas = given<cart>(item_added{line(1, "tea", 2)});
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "tea", 3)}).then(rejected("more than in cart")));
    ANNALS_CHECK(two_teas.when(remove_item{line(2, "mug", 1)}).then(rejected("not in cart")));
    ANNALS_CHECK(two_teas.and_given(item_removed{line(2, "tea", 2)})
                     .when(remove_item{line(3, "tea", 1)})
                     .then(rejected("not in cart")));
}

TEST_CASE("nothing is sold for less than nothing") {
    ANNALS_CHECK(
        given<cart>().when(add_item{line(1, "debt", 1, -1)}).then(rejected("negative price")));
    ANNALS_CHECK(given<cart>(item_added{line(1, "tea", 2)})
                     .when(remove_item{line(2, "tea", 1, -5)})
                     .then(item_removed{line(2, "tea", 1, -5)}));
}

TEST_CASE("a row that was decided before is not decided again") {
    // Row 3 was refused; row 4 then added what row 3 had wanted to remove.
    const auto later = given<cart>(item_added{line(2, "mug", 1)}, item_added{line(4, "tea", 2)});
    ANNALS_CHECK(later.when(remove_item{line(3, "tea", 1)}).then_nothing());
    ANNALS_CHECK(later.when(add_item{line(4, "tea", 2)}).then_nothing());
    ANNALS_CHECK(later.when(add_item{line(1, "debt", 1, -1)}).then_nothing());
    ANNALS_CHECK(later.when(remove_item{line(5, "tea", 1)}).then(item_removed{line(5, "tea", 1)}));
}

TEST_CASE("rows of another file were not decided before") {
    const auto of_input = [](std::uint32_t input, std::uint64_t row, std::int64_t quantity) {
        retail::invoice_line made = line(row, "tea", quantity);
        made.input = input;
        return made;
    };
    const auto one_file = given<cart>(item_added{of_input(1, 7, 2)});
    ANNALS_CHECK(one_file.when(add_item{of_input(1, 7, 2)}).then_nothing());
    ANNALS_CHECK(one_file.when(add_item{of_input(2, 3, 5)}).then(item_added{of_input(2, 3, 5)}));
    ANNALS_CHECK(one_file.and_given(item_added{of_input(2, 3, 5)})
                     .when(remove_item{of_input(1, 8, 6)})
                     .then(item_removed{of_input(1, 8, 6)}));
}

TEST_CASE("the sales view is net of what went back") {
    using retail::sales;
    const auto seen =
        given_view<sales>()
            .from("cart-1")
            .and_given(item_added{line(1, "tea", 5, 250)}, item_removed{line(2, "tea", 2, 300)})
            .from("cart-2")
            .and_given(item_added{line(3, "mug", 1, 650)});
    ANNALS_CHECK(seen.ask(retail::overall_sales{}).answers([](const retail::sales_total& t) {
        return t.carts == 2 && t.added == 2 && t.removed == 1 && t.units == 4 &&
               t.revenue == 5 * 250 - 2 * 300 + 650 && t.days == 1;
    }));
    // Equal revenue: by sku.
    ANNALS_CHECK(
        seen.ask(retail::best_products{}).answers([](const std::vector<retail::product_sales>& p) {
            return p.size() == 2 && p[0].sku == "mug" && p[1].sku == "tea" && p[1].units == 3 &&
                   p[0].revenue == 650 && p[1].revenue == 650;
        }));
    ANNALS_CHECK(
        seen.ask(retail::best_products{1}).answers([](const std::vector<retail::product_sales>& p) {
            return p.size() == 1;
        }));
    ANNALS_CHECK(given_view<sales>()
                     .ask(retail::busiest_day{})
                     .answers(std::optional<std::chrono::sys_days>()));
}

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

TEST_CASE("another file for known customers is imported, too") {
    retail_store store;
    const std::string row = ",tea,TEA,2,2010-12-01 08:26:00,1.5,7,EIRE\n";
    CHECK(printed_by(store.import_text(header + "1" + row + "2" + row))["accepted"] == 2);
    const json second = printed_by(store.import_text(header + "3" + row + "4" + row));
    CHECK(second["accepted"] == 2);
    CHECK(second["already_stored"] == 0);
    CHECK(second["units"] == 8);
    // Each of them again, and the first one longer than it was.
    CHECK(printed_by(store.import_text(header + "3" + row + "4" + row))["already_stored"] == 2);
    const json longer = printed_by(store.import_text(header + "1" + row + "2" + row + "5" + row));
    CHECK(longer["already_stored"] == 2);
    CHECK(longer["accepted"] == 1);
    CHECK(longer["units"] == 10);
}

TEST_CASE("a file that begins as an imported one and then differs is refused") {
    retail_store store;
    const std::string row = ",tea,TEA,2,2010-12-01 08:26:00,1.5,7,EIRE\n";
    const std::string refused = "9,mug,MUG,-1,2010-12-01 08:26:00,1.5,7,EIRE\n"; // not in the cart
    const std::string imported = header + "1" + row + "2" + row + refused + "4" + row;
    CHECK(printed_by(store.import_text(imported))["accepted"] == 3);
    const auto differing_at = [&](const std::string& changed, const std::string& told) {
        const ended_program ended = store.import_text(changed);
        CHECK(ended.exit_code == 1);
        CHECK(ended.out.empty());
        CHECK(ended.err.find("the file with this first row has been imported before") !=
              std::string::npos);
        CHECK(ended.err.find(told) != std::string::npos);
    };
    differing_at(header + "1" + row + "3" + row, "row 2 (line 3)");
    differing_at(header + "1" + row + "2" + row + "3" + row + "4" + row, "row 4 (line 5)");
    differing_at(header + "1" + row + "2" + row + "3" + row, "was longer then");
    // A part of it is no other file, and nothing of all this was stored.
    CHECK(printed_by(store.import_text(header + "1" + row + "2" + row))["already_stored"] == 2);
    CHECK(printed_by(store.import_text(imported))["head"] == 3);
}

TEST_CASE("an input that cannot be read makes no store") {
    retail_store store;
    for (const std::string input : {"/no/such/file.csv", "/tmp", "/dev/null"}) {
        CAPTURE(input);
        CHECK(store.import(input).exit_code == 1);
        CHECK_FALSE(std::filesystem::exists(store.path()));
    }
    CHECK(store.import_text("a,b\n1,2\n").exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(store.path()));
}

TEST_CASE("the store of another program is refused") {
    retail_store store;
    {
        annals::bytes payload;
        annals::encoder to(payload);
        to.map(1);
        to.text("sku");
        to.text("tea");
        annals::owned_commit commit;
        commit.stream = "cart-17";
        commit.about.command_id = annals::uuid::of_name("shopping_cart");
        commit.events.push_back({"cart.item_added", payload});
        std::vector<annals::owned_commit> commits;
        commits.push_back(std::move(commit));
        const auto log = annals::open_lmdb_journal(store.path()).value();
        REQUIRE(annals::append_and_wait(*log, std::move(commits)).at(0));
    }
    const ended_program ended = store.import(sample_path);
    CHECK(ended.exit_code == 1);
    CHECK(ended.err.find("the store holds the events of another program") != std::string::npos);
    CHECK(annals::open_lmdb_journal(store.path()).value()->head() == 1);
}

TEST_CASE("a full disk is what the message begins with") {
    retail_store store;
    std::vector<std::string> script{"/usr/bin/unshare",
                                    "-m",
                                    "/bin/sh",
                                    "-c",
                                    "mount -t tmpfs -o size=1m none \"$0\" || exit 77; exec \"$@\"",
                                    store.path().parent_path().string()};
    const auto command = store.command(sample_path);
    script.insert(script.end(), command.begin(), command.end());
    const ended_program ended = run_program(script);
    if (ended.exit_code == 77 || ended.err.starts_with("unshare: ")) {
        WARN("skipped: mounting a small disk is not permitted here");
        return;
    }
    CHECK(ended.exit_code == 1);
    CHECK(ended.out.empty());
    INFO(ended.err);
    CHECK(ended.err.rfind("online_retail: the disk is full: make room under ") !=
          std::string::npos);
}

TEST_CASE("a report that cannot be written is an error") {
    retail_store store;
    std::vector<std::string> script{"/bin/sh", "-c", "exec \"$@\" > /dev/full", "sh"};
    const auto command = store.command(sample_path, {"--stop-after", "10"});
    script.insert(script.end(), command.begin(), command.end());
    const ended_program ended = run_program(script);
    CHECK(ended.exit_code == 1);
    CHECK(ended.err.find("cannot write the report") != std::string::npos);
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
