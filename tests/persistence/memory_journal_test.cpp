#include "annals/memory_journal.hpp"

#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

// What the in-memory journal promises beyond the contract (tests/contract).

namespace annals::test {
namespace {

TEST_CASE("an append to memory is completed before it returns") {
    const auto journal = make_memory_journal();
    bool completed = false;
    append(*journal, {commit_of("a", "cart-1")},
           [&](std::span<const append_result>) { completed = true; });
    REQUIRE(completed);
}

TEST_CASE(
    "an append from within a completion is completed after it, before the outer one returns") {
    const auto journal = make_memory_journal();
    std::string story;
    append(*journal, {commit_of("outer", "cart-1")}, [&](std::span<const append_result>) {
        append(*journal, {commit_of("inner", "cart-1")},
               [&](std::span<const append_result>) { story += "inner"; });
        story += "outer ";
    });
    REQUIRE(story == "outer inner");
    REQUIRE(journal->head() == 2);
}

TEST_CASE("a completion may close the journal") {
    const auto journal = make_memory_journal();
    append(*journal, {commit_of("a", "cart-1")},
           [&](std::span<const append_result>) { journal->close(); });
    REQUIRE(journal->read_all(0, 1).error().code == errc::closed);
}

TEST_CASE("memory refuses events over its own limit") {
    const auto journal = make_memory_journal(10);
    auto eleven = commit_of("a", "cart-1");
    eleven.events[0].payload.resize(11);
    REQUIRE(outcome_of(append_one(*journal, eleven)) == refused(errc::too_large));
    REQUIRE_FALSE(journal->capabilities().durable);
    REQUIRE(journal->capabilities().dense_positions);
    REQUIRE(journal->capabilities().max_event_bytes == 10);
}

} // namespace
} // namespace annals::test
