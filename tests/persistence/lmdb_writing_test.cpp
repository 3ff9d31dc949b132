#include "lmdb_store_verbs.hpp"

#include <future>

using namespace annals;
using namespace annals::test;

namespace {

/// Commits with one event each, of `streams` streams in turn.
std::vector<owned_commit> many_commits(std::size_t count, std::size_t streams) {
    std::vector<owned_commit> commits;
    for (std::size_t i = 0; i != count; ++i)
        commits.push_back(commit_of(std::to_string(i), "cart-" + std::to_string(i % streams),
                                    expected_version::exactly(i / streams)));
    return commits;
}

/// Keeps the journal's writer in a completion until it is destroyed.
class held_writer {
public:
    explicit held_writer(journal& to) {
        const auto held = std::make_shared<std::promise<void>>();
        append(to, {commit_of("hold", "hold-1")},
               [held, until = released_.get_future().share()](std::span<const append_result>) {
                   held->set_value();
                   until.wait();
               });
        held->get_future().wait();
    }
    ~held_writer() { released_.set_value(); }

private:
    std::promise<void> released_;
};

} // namespace

TEST_CASE("an operation larger than a batch is completed once, with all results", "[lmdb]") {
    for (const auto& [bytes, commits] : {std::pair{std::size_t{16} << 20, std::size_t{7}},
                                         std::pair{std::size_t{500}, std::size_t{4'096}},
                                         std::pair{std::size_t{1}, std::size_t{1}}}) {
        const temporary_directory directory;
        auto options = small_store();
        options.max_batch_bytes = bytes;
        options.max_batch_commits = commits;
        options.unsafe_no_sync = true;
        const auto journal = open_store(directory.path(), options);
        counter completions;
        std::vector<append_result> results;
        append(*journal, many_commits(200, 9), [&](std::span<const append_result> all) {
            results.assign(all.begin(), all.end());
            completions.add();
        });
        REQUIRE(append_and_wait(*journal, {}).empty()); // a barrier
        REQUIRE(completions.reaches(1));
        REQUIRE(results.size() == 200);
        for (std::size_t i = 0; i != results.size(); ++i)
            REQUIRE(outcome_of(results[i]) == stored(i + 1, i / 9 + 1));
        journal->close();
        REQUIRE(completions.count() == 1);
    }
}

TEST_CASE("operations of all sizes complete in the order of their appending", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    auto options = small_store();
    options.max_batch_commits = 10;
    options.unsafe_no_sync = true;
    const auto journal = open_store(directory.path(), options);
    std::vector<std::size_t> order;
    std::size_t commits_answered = 0;
    std::size_t commits_appended = 0;
    for (std::size_t i = 0; i != 100; ++i) {
        auto commits = many_commits(random() % 35, 1'000);
        commits_appended += commits.size();
        append(*journal, std::move(commits), [&, i](std::span<const append_result> results) {
            order.push_back(i);
            commits_answered += results.size();
        });
    }
    journal->close();
    REQUIRE(order.size() == 100);
    REQUIRE(std::ranges::is_sorted(order));
    REQUIRE(commits_answered == commits_appended);
}

TEST_CASE("a repeated commit is recognised within its own batch", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    const auto twice = commit_of("a", "cart-1", expected_version::no_stream(), {"x", "y"});
    const auto results = append_all(*journal, {twice, twice, commit_of("b", "cart-1"), twice});
    REQUIRE(outcomes_of(results) == std::vector<outcome>{stored(2, 2), already_stored(2, 2),
                                                         stored(3, 3), already_stored(2, 2)});
}

TEST_CASE("more than the queue may hold is refused at once, and breaks its pipeline", "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.max_queued_bytes = 1'000;
    const auto journal = open_store(directory.path(), options);
    const auto chain = std::make_shared<pipeline>();
    std::atomic<bool> large_answered{false};
    {
        const held_writer busy(*journal);
        auto large = commit_of("large", "cart-1");
        large.events[0].payload.resize(5'000);
        append(*journal, {std::move(large)},
               [&](std::span<const append_result>) { large_answered = true; });
        auto refused = commit_of("refused", "cart-2");
        refused.pipeline = chain;
        REQUIRE(append_one(*journal, std::move(refused)).error().code == errc::overloaded);
        REQUIRE(chain->broken());
        REQUIRE_FALSE(large_answered);
    }
    while (!append_one(*journal, commit_of("later", "cart-2"))) {
    }
    REQUIRE(read_upwards(*journal, "cart-1").size() == 1);
    REQUIRE(read_upwards(*journal, "cart-2").size() == 1);
}

TEST_CASE("what was queued before a refusal is stored, what was decided on top of it is not",
          "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.max_queued_bytes = 8'000;
    const auto journal = open_store(directory.path(), options);
    const auto chain = std::make_shared<pipeline>();
    std::vector<outcome> outcomes(3);
    counter done;
    const auto next = [&](std::size_t place, std::size_t size) {
        auto made = commit_of(std::to_string(place), "cart-1", expected_version::exactly(place));
        made.events[0].payload.resize(size);
        made.pipeline = chain;
        made.place = place + 1;
        return made;
    };
    const auto append_next = [&](std::size_t place, std::size_t size) {
        append(*journal, {next(place, size)}, [&, place](std::span<const append_result> results) {
            outcomes[place] = outcome_of(results[0]);
            done.add();
        });
    };
    {
        const held_writer busy(*journal);
        append_next(0, 100);
        append_next(1, 10'000); // more than the queue takes is waiting now
        append_next(2, 100);
    }
    REQUIRE(done.reaches(3));
    // Position 1 is what kept the writer busy.
    REQUIRE(outcomes ==
            std::vector<outcome>{stored(2, 1), stored(3, 2), refused(errc::overloaded)});
    while (!append_one(*journal, commit_of("later", "cart-2"))) {
    }
    REQUIRE(outcome_of(append_one(*journal, next(3, 100))) == refused(errc::predecessor_failed));
}

TEST_CASE("names and metadata that no record should carry are refused", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    REQUIRE(append_one(*journal, commit_of("a", std::string(255, 'x'))));
    REQUIRE(append_one(*journal, commit_of("b", std::string(256, 'x'))).error().code ==
            errc::invalid_argument);
    REQUIRE(append_one(*journal, commit_of("c", std::string(100'000, 'x'))).error().code ==
            errc::invalid_argument);
    REQUIRE(journal->read_stream(std::string(100'000, 'x'), 1, 10).error().code ==
            errc::invalid_argument);
    auto wordy = commit_of("d", "cart-1");
    wordy.about.extra["note"] = std::string(100'000, 'x');
    const auto refused = append_one(*journal, std::move(wordy));
    REQUIRE(refused.error().code == errc::too_large);
    REQUIRE_THAT(refused.error().message,
                 Catch::StartsWith("metadata") && Catch::EndsWith("; shorten it"));
    REQUIRE(journal->head() == 1);
}

TEST_CASE("metadata that a commit repeats too often is refused as a commit too large", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    auto repeating = commit_of("a", "cart-1");
    repeating.about.extra["note"] = std::string(60'000, 'x');
    repeating.events.resize(2'400, repeating.events.front());
    const auto refused = append_one(*journal, std::move(repeating));
    REQUIRE(refused.error().code == errc::too_large);
    REQUIRE_THAT(refused.error().message,
                 Catch::StartsWith("a commit") && Catch::Contains("; split it"));
    REQUIRE(journal->head() == 0);
}

TEST_CASE("a completion may append, close, and drop the last reference to the journal", "[lmdb]") {
    const temporary_directory directory;
    const auto appended = std::make_shared<std::promise<bool>>();
    auto journal = open_store(directory.path());
    auto* const plain = journal.get();
    append(*plain, {commit_of("a", "cart-1")},
           [appended, last = std::move(journal)](std::span<const append_result>) mutable {
               append(*last, {commit_of("b", "cart-1")},
                      [appended](std::span<const append_result> results) {
                          appended->set_value(results[0].has_value());
                      });
               last->close();
               last.reset();
           });
    REQUIRE(appended->get_future().get());
    while (refusal_to_open(directory.path()) == errc::in_use) {
        // the writer is still releasing the store
    }
    REQUIRE(open_store(directory.path())->head() == 2);
}
