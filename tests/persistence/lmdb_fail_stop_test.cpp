// What happens when the disk fails in the middle of a commit.

#include "failing_disk.hpp"
#include "lmdb_store_verbs.hpp"

using namespace annals;
using namespace annals::test;
TEST_CASE("a failing disk stops the store: unknown once, unavailable from then on", "[lmdb]") {
    for (const auto which : {written_by::pages_descriptor, written_by::meta_descriptor}) {
        const temporary_directory directory;
        auto journal = open_store(directory.path());
        REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
        fail_writes(directory.path() / "journal.mdb", which);

        const auto chain = std::make_shared<pipeline>();
        auto unlucky = commit_of("b", "cart-1", expected_version::exactly(1));
        unlucky.pipeline = chain;
        REQUIRE(append_one(*journal, unlucky).error().code == errc::outcome_unknown);
        REQUIRE(chain->broken());
        for (const auto& refused :
             append_all(*journal, {commit_of("c", "cart-1"), commit_of("d", "cart-2")}))
            REQUIRE(refused.error().code == errc::unavailable);
        REQUIRE(journal->head() == 1);

        // What is durable may be read, or not, but nothing else.
        const auto page = journal->read_all(0, 10);
        if (page)
            REQUIRE(page->events.size() == 1);
        else
            REQUIRE(page.error().code == errc::unavailable);

        // Opening again finds out, and the repeated command is stored once.
        journal->close();
        REQUIRE(verify_store(directory.path(), small_store()));
        journal = open_store(directory.path());
        unlucky.pipeline.reset();
        const auto repeated = append_one(*journal, unlucky);
        REQUIRE(repeated);
        REQUIRE(repeated->version == 2);
        REQUIRE(payloads_of(read_log(*journal)) == std::vector<std::string>{"a/1", "b/1"});
    }
}
