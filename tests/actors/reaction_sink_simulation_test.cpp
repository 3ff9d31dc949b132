#include "reaction_history.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

/// Reactions through lives that end at any step. `reaction_history` holds each delivery against what
/// was promised.

namespace annals::test {
namespace {

using ending = reaction_history::ending;

/// Ends a first life behind each of its steps, and looks whether the second one does what is left.
void end_at_every_step(const reaction_history::conditions& how, ending first_ends) {
    const auto seed = random_seed();
    bool all = false;
    std::size_t steps = 0;
    for (; !all; ++steps) {
        CAPTURE(seed, steps);
        reaction_history history(seed, how);
        all = history.live(steps, first_ends);
        history.live_on();
    }
    REQUIRE(steps > how.positions / 2); // it did end in between
}

} // namespace

TEST_CASE("a process may die at any step: nothing is missed, and what comes again is flagged") {
    SECTION("of a reaction that never fails") {
        end_at_every_step({.positions = 250}, ending::death);
    }
    SECTION("of one that fails") {
        end_at_every_step({.positions = 120, .failing_percent = 15}, ending::death);
    }
    SECTION("of one with partitions") {
        end_at_every_step({.partitions = 3, .positions = 150, .failing_percent = 15},
                          ending::death);
    }
    SECTION("of one that ends later") {
        end_at_every_step({.partitions = 2,
                           .positions = 120,
                           .failing_percent = 15,
                           .later_percent = 70,
                           .most_in_part = 20},
                          ending::death);
    }
}

TEST_CASE("a process may close at any step, likewise") {
    const auto partitions = GENERATE(std::size_t{1}, std::size_t{3});
    const auto failing = GENERATE(0U, 10U);
    const auto later = GENERATE(0U, 60U);
    const auto seed = random_seed();
    for (std::size_t steps = 0; steps != 60; ++steps) {
        CAPTURE(seed, steps, partitions, failing);
        reaction_history history(
            seed, {.partitions = partitions, .failing_percent = failing, .later_percent = later});
        (void)history.live(steps, ending::order);
        history.live_on();
    }
}

TEST_CASE("reactions survive whatever a seed thinks of") {
    const auto seed = random_seed();
    for (std::uint64_t i = 0; i != 400; ++i) {
        CAPTURE(seed, i);
        std::mt19937_64 random(seed + i);
        reaction_history history(seed + i, {.partitions = 1 + random() % 4,
                                            .positions = 50 + random() % 400,
                                            .retries = static_cast<unsigned>(random() % 3),
                                            .failing_percent = static_cast<unsigned>(random() % 20),
                                            .faulty_writes = static_cast<unsigned>(random() % 10),
                                            .largest_slice = 1 + random() % 200,
                                            .later_percent = random() % 2 == 0 ? 0U : 50U,
                                            .most_in_part = 1 + random() % 100});
        for (auto lives = random() % 5; lives != 0; --lives)
            (void)history.live(random() % 300, random() % 2 == 0 ? ending::death : ending::order);
        history.live_on();
    }
}

} // namespace annals::test
