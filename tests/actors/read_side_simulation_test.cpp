#include "read_side_history.hpp"

/// The hand-overs of the read side, each under many seeded interleavings: from old events to new
/// ones, from one life to the next, from what serves to what was built. `history` holds each answer
/// against the log.
namespace {

using read_side::action;
using read_side::history;
using last_resort = annals::failure_policy::last_resort;
constexpr std::uint32_t seeds = 200;

history::tally& operator+=(history::tally& to, const history::tally& one) {
    to.answers += one.answers;
    to.joint += one.joint;
    to.updates += one.updates;
    to.ordered += one.ordered;
    to.done += one.done;
    to.listed += one.listed;
    to.failures += one.failures;
    to.deliveries += one.deliveries;
    to.redeliveries += one.redeliveries;
    to.refused += one.refused;
    to.looks += one.looks;
    to.reached += one.reached;
    return to;
}

struct script {
    int rounds = 50;
    std::size_t steps = 8;
    unsigned look_percent = 30;
    unsigned ask_percent = 60;
    unsigned joint_percent = 10;
    unsigned live_percent = 5;
    unsigned crash_percent = 0;
    unsigned raise_percent = 0; ///< of the crashes
    unsigned order_percent = 0;
    std::vector<action> orders = {};
};

history::tally play(std::uint32_t seed, const history::conditions& how, const script& by) {
    history h(seed, how);
    const auto in_a_hundred = [&](unsigned percent) { return h.below(100) < percent; };
    for (int i = 0; i != by.rounds; ++i) {
        if (in_a_hundred(60))
            h.send();
        if (in_a_hundred(15))
            h.append_outside();
        if (in_a_hundred(by.look_percent))
            h.look();
        if (in_a_hundred(by.ask_percent))
            h.ask();
        if (in_a_hundred(by.joint_percent))
            h.ask_together();
        if (in_a_hundred(by.live_percent))
            h.watch();
        if (in_a_hundred(by.order_percent))
            h.order(by.orders);
        h.go_on(by.steps);
        if (in_a_hundred(30))
            h.pass(std::chrono::milliseconds(h.below(60)));
        if (in_a_hundred(by.crash_percent))
            h.crash(in_a_hundred(by.raise_percent));
        if (in_a_hundred(3))
            h.run_until_quiet();
    }
    h.settle();
    return h.count();
}

/// All seeds, one after the other.
history::tally play_all(const history::conditions& how, const script& by) {
    history::tally all;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        auto each = how;
        each.stored_before = how.stored_before * (seed % 5);
        all += play(seed, each, by);
    }
    return all;
}

} // namespace

TEST_CASE(
    "a projection that catches up misses nothing where the old events end and the new begin") {
    const auto all = play_all({.stored_before = 12}, {});
    CHECK(all.answers > seeds);
    CHECK(all.redeliveries == 0);
}

TEST_CASE("answers together are of one position and live ones follow without a gap") {
    const auto all = play_all({.stored_before = 5}, {.joint_percent = 50, .live_percent = 20});
    CHECK(all.joint > seeds);
    CHECK(all.updates > seeds);
}

TEST_CASE("a process may die at any moment and the next goes on from what is durable") {
    SECTION("with the same code") {
        const auto all = play_all({.stored_before = 5}, {.crash_percent = 8});
        CHECK(all.redeliveries > 0);
    }
    SECTION("with a full disk now and then") {
        play_all({.faulty_writes = 10, .stored_before = 5}, {.crash_percent = 8});
    }
    SECTION("with events that fail") {
        const auto all = play_all({.failing_percent = 10, .faulty_writes = 3, .stored_before = 5},
                                  {.crash_percent = 8});
        CHECK(all.listed > seeds);
    }
}

TEST_CASE("what a raised version of the views builds takes its place and misses nothing") {
    SECTION("of views that take every event") {
        play_all({.faulty_writes = 3, .stored_before = 5},
                 {.crash_percent = 8, .raise_percent = 50});
    }
    SECTION("of views that set events aside") {
        play_all({.failing_percent = 10, .stored_before = 5},
                 {.crash_percent = 8, .raise_percent = 50});
    }
}

TEST_CASE("what is rebuilt takes its place at one position and no answer goes back") {
    const std::vector<action> orders = {action::rebuild, action::rebuild, action::pause,
                                        action::resume, action::resume};
    SECTION("while all goes well") {
        const auto all = play_all({.stored_before = 5}, {.order_percent = 25, .orders = orders});
        CHECK(all.done > seeds);
    }
    SECTION("while events and writes fail") {
        play_all({.failing_percent = 10, .faulty_writes = 5, .stored_before = 5},
                 {.order_percent = 25, .orders = orders});
    }
    SECTION("while processes die") {
        play_all({.failing_percent = 5, .stored_before = 5},
                 {.crash_percent = 6, .order_percent = 25, .orders = orders});
    }
}

/// The stored position of rows stays behind over events that they do not list.
TEST_CASE("no answer is behind a position that was told before, whatever is not listed") {
    const std::vector<action> orders = {action::rebuild, action::rebuild, action::rebuild,
                                        action::pause, action::resume};
    history::conditions how;
    how.stored_before = 2;
    how.unlisted_percent = 80;
    how.rows_only = true;
    script by;
    by.rounds = 80;
    by.steps = 30; // so that it keeps up and often changes places
    by.look_percent = 100;
    by.ask_percent = 100;
    by.joint_percent = 0;
    by.order_percent = 30;
    by.orders = orders;
    SECTION("while all goes well") {
        const auto all = play_all(how, by);
        CHECK(all.looks > seeds);
        CHECK(all.reached > seeds);
        CHECK(all.answers > seeds);
        CHECK(all.done > seeds);
    }
    SECTION("while events and writes fail") {
        how.failing_percent = 5;
        how.faulty_writes = 10;
        play_all(how, by);
    }
    SECTION("while new versions take the place of old ones") {
        by.crash_percent = 6;
        by.raise_percent = 50;
        play_all(how, by);
    }
}

TEST_CASE("pausing and resetting in any order ends where the log does") {
    const std::vector<action> orders = {action::pause, action::resume, action::reset,
                                        action::rebuild};
    SECTION("while all goes well") {
        play_all({.stored_before = 5}, {.order_percent = 30, .orders = orders});
    }
    SECTION("while events and writes fail") {
        play_all({.failing_percent = 10, .faulty_writes = 5, .stored_before = 5},
                 {.order_percent = 30, .orders = orders});
    }
    SECTION("while processes die") {
        play_all({.stored_before = 5}, {.crash_percent = 6, .order_percent = 30, .orders = orders});
    }
}

TEST_CASE("what fails is listed or waited for and nothing is skipped in silence") {
    const std::vector<action> orders = {action::resume, action::replay, action::replay,
                                        action::give_up, action::rebuild};
    SECTION("where it is set aside at once") {
        const auto all = play_all({.failing_percent = 15, .stored_before = 5},
                                  {.order_percent = 30, .orders = orders});
        CHECK(all.failures > seeds);
        CHECK(all.listed > seeds);
    }
    SECTION("where it is tried again first") {
        play_all({.failing_percent = 15, .faulty_writes = 3, .retries = 2, .stored_before = 5},
                 {.order_percent = 30, .orders = orders});
    }
    SECTION("where the projection stops") {
        play_all(
            {.failing_percent = 5, .then = last_resort::stop, .retries = 1, .stored_before = 5},
            {.order_percent = 40, .orders = {action::resume, action::resume, action::rebuild}});
    }
}

TEST_CASE("the read side survives whatever a seed thinks of") {
    const std::vector<action> orders = {action::pause,  action::resume,  action::resume,
                                        action::reset,  action::rebuild, action::rebuild,
                                        action::replay, action::give_up};
    SECTION("where what fails is set aside") {
        play_all({.failing_percent = 8, .faulty_writes = 4, .retries = 1, .stored_before = 5},
                 {.joint_percent = 15,
                  .live_percent = 10,
                  .crash_percent = 5,
                  .raise_percent = 30,
                  .order_percent = 30,
                  .orders = orders});
    }
    SECTION("where it stops the projection") {
        play_all({.failing_percent = 4,
                  .faulty_writes = 4,
                  .then = last_resort::stop,
                  .retries = 1,
                  .stored_before = 5},
                 {.joint_percent = 15,
                  .live_percent = 10,
                  .crash_percent = 5,
                  .raise_percent = 30,
                  .order_percent = 30,
                  .orders = orders});
    }
}
