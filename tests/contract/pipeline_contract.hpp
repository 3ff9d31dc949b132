#pragma once

// Part of contract/journal_contract.hpp: commits that depend on each other, completions, and
// appends from several threads.

#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace annals::test {

/// At `place` in the pipeline; without places, all that fails breaks all that comes later.
inline owned_commit in_pipeline(const std::shared_ptr<pipeline>& chain, owned_commit one,
                                pipeline::place place = 0) {
    one.pipeline = chain;
    one.place = place;
    return one;
}

ANNALS_JOURNAL_PROMISE("commits of a pipeline are stored one on top of the other") {
    journal_under_test store;
    const auto journal = store.open();
    const auto chain = std::make_shared<pipeline>();
    std::vector<owned_commit> commits;
    for (stream_version v = 0; v != 5; ++v)
        commits.push_back(in_pipeline(
            chain, commit_of(std::to_string(v), "cart-1", expected_version::exactly(v))));
    REQUIRE(
        outcomes_of(append_all(*journal, commits)) ==
        std::vector<outcome>{stored(1, 1), stored(2, 2), stored(3, 3), stored(4, 4), stored(5, 5)});
    REQUIRE_FALSE(chain->broken());
}

ANNALS_JOURNAL_PROMISE("when a commit is not stored, its pipeline's later commits are not either") {
    journal_under_test store;
    const auto journal = store.open();
    const auto chain = std::make_shared<pipeline>();
    const auto next = [&](const char* name, stream_version expected) {
        return in_pipeline(chain, commit_of(name, "cart-1", expected_version::exactly(expected)));
    };
    REQUIRE(outcomes_of(append_all(*journal, {next("a", 0), next("b", 5), next("c", 1),
                                              commit_of("other", "cart-2")})) ==
            std::vector<outcome>{stored(1, 1), refused(errc::version_conflict, 1),
                                 refused(errc::predecessor_failed), stored(2, 1)});
    REQUIRE(chain->broken());
    REQUIRE(outcome_of(append_one(*journal, next("d", 1))) == refused(errc::predecessor_failed));
    REQUIRE(outcome_of(append_one(
                *journal, commit_of("e", "cart-1", expected_version::exactly(1)))) == stored(3, 2));
}

ANNALS_JOURNAL_PROMISE("a pipeline is broken from a place on, and what comes before it is stored") {
    journal_under_test store;
    const auto journal = store.open();
    const auto chain = std::make_shared<pipeline>();
    const auto next = [&](const char* name, pipeline::place place, stream_version expected) {
        return in_pipeline(chain, commit_of(name, "cart-1", expected_version::exactly(expected)),
                           place);
    };
    chain->break_from(30); // as a refusal does that overtakes those before it
    chain->break_from(40); // says nothing new
    REQUIRE(chain->broken());
    REQUIRE_FALSE(chain->broken_at(29));
    REQUIRE(outcomes_of(append_all(*journal, {next("a", 10, 0), next("b", 20, 1), next("c", 30, 2),
                                              next("d", 31, 2)})) ==
            std::vector<outcome>{stored(1, 1), stored(2, 2), refused(errc::predecessor_failed),
                                 refused(errc::predecessor_failed)});
    REQUIRE(outcome_of(append_one(*journal, next("e", 25, 7))) ==
            refused(errc::version_conflict, 2));
    REQUIRE(chain->broken_at(25));
    REQUIRE_FALSE(chain->broken_at(24));
    REQUIRE(outcome_of(append_one(*journal, next("f", 24, 2))) == stored(3, 3));
}

ANNALS_JOURNAL_PROMISE("whatever keeps a commit from being stored breaks its pipeline") {
    journal_under_test store;
    const auto journal = store.open();
    auto too_large = commit_of("large", "cart-1");
    too_large.events[0].payload.resize(journal->capabilities().max_event_bytes + 1);
    auto invalid = commit_of("invalid", "cart-1");
    invalid.events.clear();
    for (const auto& failing : {too_large, invalid}) {
        const auto chain = std::make_shared<pipeline>();
        const auto results = append_all(
            *journal, {in_pipeline(chain, failing), in_pipeline(chain, commit_of("a", "cart-1"))});
        REQUIRE_FALSE(results[0]);
        REQUIRE(outcome_of(results[1]) == refused(errc::predecessor_failed));
    }
    REQUIRE(journal->head() == 0);
}

ANNALS_JOURNAL_PROMISE("a commit that was stored already does not break its pipeline") {
    journal_under_test store;
    const auto journal = store.open();
    const auto first = commit_of("a", "cart-1", expected_version::no_stream());
    REQUIRE(append_one(*journal, first));
    const auto chain = std::make_shared<pipeline>();
    const auto second = in_pipeline(chain, commit_of("b", "cart-1", expected_version::exactly(1)));
    REQUIRE(outcomes_of(append_all(*journal, {in_pipeline(chain, first), second})) ==
            std::vector<outcome>{already_stored(1, 1), stored(2, 2)});
}

ANNALS_JOURNAL_PROMISE("a stale successor is not stored even if its version comes to fit") {
    journal_under_test store;
    const auto journal = store.open();
    const auto chain = std::make_shared<pipeline>();
    // Both were decided when the stream was expected to hold one event, which never got stored.
    const auto stale =
        in_pipeline(chain, commit_of("stale", "cart-1", expected_version::exactly(1)));
    const auto successor =
        in_pipeline(chain, commit_of("successor", "cart-1", expected_version::exactly(2)));
    const auto outsider =
        commit_of("outsider", "cart-1", expected_version::no_stream(), {"x", "y"});

    SECTION("in one append") {
        REQUIRE(outcomes_of(append_all(*journal, {stale, outsider, successor})) ==
                std::vector<outcome>{refused(errc::version_conflict, 0), stored(2, 2),
                                     refused(errc::predecessor_failed)});
    }
    SECTION("in appends of their own") {
        REQUIRE(outcome_of(append_one(*journal, stale)) == refused(errc::version_conflict, 0));
        REQUIRE(outcome_of(append_one(*journal, outsider)) == stored(2, 2));
        REQUIRE(outcome_of(append_one(*journal, successor)) == refused(errc::predecessor_failed));
    }
    SECTION("in appends that are under way at the same time") {
        std::vector<outcome> outcomes; // completions run one after the other
        counter done;
        for (const auto& each : {stale, outsider, successor})
            append(*journal, {each}, [&](std::span<const append_result> results) {
                outcomes.push_back(outcome_of(results[0]));
                done.add();
            });
        REQUIRE(done.reaches(3));
        REQUIRE(outcomes == std::vector<outcome>{refused(errc::version_conflict, 0), stored(2, 2),
                                                 refused(errc::predecessor_failed)});
    }
    REQUIRE(payloads_of(read_log(*journal)) ==
            std::vector<std::string>{"outsider/1", "outsider/2"});
}

ANNALS_JOURNAL_PROMISE("appends are completed in their order, with what they stored readable") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr std::size_t appends = 500;
    std::vector<std::size_t> order;
    std::size_t unreadable = 0;
    counter done;
    for (std::size_t i = 0; i != appends; ++i) {
        const auto stream = "cart-" + std::to_string(i % 7);
        append(*journal, {commit_of(std::to_string(i), stream)},
               [&, i](std::span<const append_result> results) {
                   order.push_back(i);
                   unreadable += !results[0] || journal->head() < results[0]->position;
                   done.add();
               });
    }
    REQUIRE(done.reaches(appends));
    REQUIRE(unreadable == 0);
    REQUIRE(order.size() == appends);
    REQUIRE(std::ranges::is_sorted(order));
}

ANNALS_JOURNAL_PROMISE("appends of several threads are completed in the order of their positions") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr std::size_t threads = 4;
    constexpr std::size_t appends = 250;
    std::vector<log_position> positions; // completions run one after the other
    counter done;
    std::vector<std::thread> appenders;
    for (std::size_t t = 0; t != threads; ++t)
        appenders.emplace_back([&, t] {
            for (std::size_t i = 0; i != appends; ++i) {
                const auto name = std::to_string(t) + "." + std::to_string(i);
                append(*journal, {commit_of(name, "cart-" + std::to_string(i % 10))},
                       [&](std::span<const append_result> results) {
                           positions.push_back(results[0] ? results[0]->position : 0);
                           done.add();
                       });
            }
        });
    for (auto& each : appenders)
        each.join();
    REQUIRE(done.reaches(threads * appends));
    REQUIRE(std::ranges::is_sorted(positions));
    REQUIRE(std::ranges::adjacent_find(positions) == positions.end());
    REQUIRE(positions.front() > 0);
    REQUIRE(journal->head() == threads * appends);
}

ANNALS_JOURNAL_PROMISE("a completion may append, and is never interrupted by the next") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr std::size_t appends = 300;
    std::size_t number = 0;
    bool within = false;
    std::size_t interrupted = 0;
    counter done;
    std::function<void()> append_next = [&] {
        append(*journal,
               {commit_of(std::to_string(number), "cart-1", expected_version::exactly(number))},
               [&](std::span<const append_result> results) {
                   interrupted += within || !results[0];
                   within = true;
                   if (++number != appends)
                       append_next();
                   within = false;
                   done.add();
               });
    };
    append_next();
    REQUIRE(done.reaches(appends));
    REQUIRE(interrupted == 0);
    REQUIRE(journal->describe("cart-1").value().version == appends);
}

ANNALS_JOURNAL_PROMISE("of concurrent commits for one version exactly one is stored") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr std::size_t threads = 4;
    constexpr stream_version wanted = 300;
    std::vector<std::vector<stream_version>> won(threads);
    std::atomic<bool> failed{false};
    std::vector<std::thread> appenders;
    for (std::size_t t = 0; t != threads; ++t)
        appenders.emplace_back([&, t] {
            stream_version version = 0;
            while (version < wanted && !failed) {
                const auto name = std::to_string(t) + "." + std::to_string(version);
                const auto result = append_one(
                    *journal, commit_of(name, "cart-1", expected_version::exactly(version)));
                if (result) {
                    version = result->version;
                    won[t].push_back(version);
                } else if (result.error().code == errc::version_conflict &&
                           result.error().actual > version) {
                    version = result.error().actual;
                } else {
                    failed = true;
                }
            }
        });
    for (auto& each : appenders)
        each.join();
    REQUIRE_FALSE(failed);

    std::vector<stream_version> all;
    for (const auto& versions : won)
        all.insert(all.end(), versions.begin(), versions.end());
    std::ranges::sort(all);
    REQUIRE(all.size() == wanted);
    REQUIRE(std::ranges::adjacent_find(all) == all.end());
    REQUIRE(read_upwards(*journal, "cart-1").size() == wanted);
}

} // namespace annals::test
