#include "examples/retail_reference.hpp"
#include "online_retail/importer.hpp"
#include "online_retail/progress.hpp"
#include "online_retail/report.hpp"
#include "online_retail/store.hpp"
#include "support/holding_journal.hpp"
#include "support/places.hpp"
#include "support/temporary_directory.hpp"

#include <annals/annals.hpp>
#include <catch2/catch.hpp>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

/// The importer of the online_retail example over a journal that fails: it stops, says so, and leaves
/// nothing out unseen.

using namespace annals::test;
using nlohmann::json;

namespace {

const std::string sample_path =
    (source_directory() / "examples/online_retail/sample/online_retail_sample.csv").string();

json expected_figures() {
    std::ostringstream text;
    text << std::ifstream(sample_path, std::ios::binary).rdbuf();
    const std::vector<csv_row> rows = split_csv(text.str());
    return reference_figures(rows, rows.size());
}

struct imported {
    annals::result<void> ended;
    retail::import_counts counts;
    json figures;
};

/// Imports the sample into the store in `directory`; commits fail where `fails` says so.
imported import_sample(const std::filesystem::path& directory, holding_journal::rule fails) {
    annals::lmdb_options options;
    options.unsafe_no_sync = true; // nothing here asks what a power cut leaves
    auto log =
        std::make_shared<holding_journal>(annals::open_lmdb_journal(directory, options).value());
    log->fail_where(std::move(fails));
    annals::config with;
    with.journal = log;
    annals::runtime rt =
        annals::runtime::open(with, annals::host<retail::cart>, annals::host<retail::sales>)
            .value();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> unseen(std::tmpfile(), std::fclose);
    retail::progress shown(unseen.get(), std::nullopt, 1'000'000);
    const retail::input input(sample_path);
    retail::import_options import;
    import.window = 64;
    retail::importer importer(rt, input, shown, import);
    imported made{importer.run(), importer.counts(), {}};
    retail::report asked = retail::ask_figures(rt);
    std::ostringstream printed;
    retail::write_json(printed, asked);
    made.figures = store_figures(json::parse(printed.str()));
    REQUIRE(rt.close());
    return made;
}

std::optional<annals::error> never(const annals::commit&) {
    return std::nullopt;
}

} // namespace

TEST_CASE("a full disk stops the import, with room again the next run finishes it") {
    const temporary_directory directory;
    const auto stopped = import_sample(directory.path(), [seen = 0](const annals::commit&) mutable {
        return ++seen > 1'000 ? std::optional(annals::error{annals::errc::disk_full, "no room"})
                              : std::nullopt;
    });
    REQUIRE_FALSE(stopped.ended);
    CHECK(stopped.ended.error().code == annals::errc::disk_full);
    CHECK(stopped.ended.error().message.find("no room; run it again, it will continue") !=
          std::string::npos);
    CHECK(stopped.counts.accepted == 1'000);
    CHECK(stopped.counts.rows < 1'200);

    const auto finished = import_sample(directory.path(), never);
    REQUIRE(finished.ended);
    CHECK(finished.figures == expected_figures());
}

TEST_CASE("of several errors the import tells the one that explains the others") {
    using annals::errc;
    CHECK(retail::explains_more(errc::disk_full, errc::outcome_unknown));
    CHECK(retail::explains_more(errc::io_error, errc::outcome_unknown));
    CHECK(retail::explains_more(errc::outcome_unknown, errc::predecessor_failed));
    CHECK_FALSE(retail::explains_more(errc::predecessor_failed, errc::aborted));
    CHECK_FALSE(retail::explains_more(errc::io_error, errc::disk_full));
}

TEST_CASE("a row that fails alone is made up for by the next run") {
    const temporary_directory directory;
    const int failing = GENERATE(1, 40, 333, 1'500, 2'222);
    CAPTURE(failing);
    const auto stopped =
        import_sample(directory.path(), [failing, seen = 0](const annals::commit&) mutable {
            return ++seen == failing
                       ? std::optional(annals::error{annals::errc::unavailable, "just now"})
                       : std::nullopt;
        });
    REQUIRE_FALSE(stopped.ended);
    CHECK(stopped.ended.error().message.find("run it again, it will continue") !=
          std::string::npos);
    const auto finished = import_sample(directory.path(), never);
    REQUIRE(finished.ended);
    CHECK(finished.figures == expected_figures());
}
