// What happens when the disk fails in the middle of a commit. The failure is brought about by
// putting a read-only descriptor in the place of one that LMDB writes by.

#include "lmdb_store_verbs.hpp"

#include <fcntl.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

/// LMDB writes pages by a descriptor that may read, and its meta page by one that may not.
enum class written_by { pages_descriptor, meta_descriptor };

void fail_writes(const fs::path& directory, written_by which) {
    const auto file = directory / "journal.mdb";
    const auto wanted = which == written_by::pages_descriptor ? O_RDWR : O_WRONLY;
    std::vector<int> found;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (fs::read_symlink(entry.path(), ignored) != fs::canonical(file))
            continue;
        const auto descriptor = std::stoi(entry.path().filename());
        if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == wanted)
            found.push_back(descriptor);
    }
    REQUIRE(found.size() == 1);
    const auto read_only = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(read_only >= 0);
    REQUIRE(::dup3(read_only, found[0], O_CLOEXEC) == found[0]);
    ::close(read_only);
}

} // namespace

TEST_CASE("a failing disk stops the store: unknown once, unavailable from then on", "[lmdb]") {
    for (const auto which : {written_by::pages_descriptor, written_by::meta_descriptor}) {
        const temporary_directory directory;
        auto journal = open_store(directory.path());
        REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
        fail_writes(directory.path(), which);

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
