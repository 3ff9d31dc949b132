#include "examples/child_process.hpp"
#include "examples/retail_store.hpp"

#include <annals/codec.hpp>
#include <annals/lmdb_journal.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// What the online_retail program takes as the same file, another one, or a changed one; and what it
/// says when it cannot go on.

using namespace annals::test;
using nlohmann::json;

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
