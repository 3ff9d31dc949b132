#include "reaction_verbs.hpp"

#include <catch2/catch.hpp>

#include <map>

/// What a reaction's sink does when an event fails, or the store: what it tells, what it tries again,
/// what it never does twice.

namespace annals::test {

// --- an event fails ----------------------------------------------------------------------------------

TEST_CASE("a failure is reported behind what took effect, and tried again as the next attempt") {
    reaction_process process(disk());
    process.behave = fails_at({3});
    process.take(sold(range(1, 5)), 5);
    process.take(sold(range(6, 9)), 9);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 3));
    REQUIRE(process.reports.size() == 1);
    REQUIRE(process.reports[0].done == 2);
    REQUIRE(process.reports[0].events == 2);
    REQUIRE(process.reports[0].next == 2);
    REQUIRE(process.reports[0].why == failing().error());
    REQUIRE_FALSE(process.reports[0].lost);
    REQUIRE(process.checkpoint() == checkpoint_record{2, 3, 2, 0});

    process.take(sold({6}), 6); // of the old epoch
    process.run_until_quiet();
    REQUIRE(process.deliveries.size() == 3);

    process.behave = fails_at({});
    process.take(sold(range(1, 5)), 5, 1, 2, 2);
    process.run_until_quiet();
    REQUIRE(process.positions() == positions{1, 2, 3, 3, 4, 5});
    REQUIRE(process.flagged() == positions{3});
    REQUIRE(process.deliveries[3].attempt == 2);
    REQUIRE(process.deliveries[4].attempt == 1);
    REQUIRE(process.reports.back().finished);
}

TEST_CASE("an attempt that fails like the one before costs no transaction") {
    reaction_process process(disk());
    process.behave = fails_at({1});
    process.take(sold({1}), 1);
    process.run_until_quiet();
    const auto before = process.store->written();
    for (unsigned attempt = 2; attempt != 5; ++attempt) {
        process.take(sold({1}), 1, attempt, 0, attempt);
        process.run_until_quiet();
        REQUIRE(process.reports.size() == attempt);
        REQUIRE(process.deliveries.back().attempt == attempt);
    }
    REQUIRE(process.store->written() == before);
}

TEST_CASE("an event that is tried again from another slice is flagged all the same") {
    reaction_process process(disk());
    process.behave = fails_at({3});
    process.take(sold(range(1, 5)), 5);
    process.run_until_quiet();
    process.behave = fails_at({});
    process.take(sold(range(3, 9)), 9, 1);
    process.run_until_quiet();
    REQUIRE(process.flagged() == positions{3});
}

TEST_CASE("when an event fails, the other partitions finish their share") {
    const auto [a, b] = two_streams();
    reaction_process process(disk(), 2);
    process.behave = fails_at({2});
    const std::vector<logged_event> events{{1, b}, {2, a}, {3, b}, {4, a}, {5, b}};
    process.take(events, 5);
    process.run_until_quiet();
    REQUIRE(sorted(process.positions()) == positions{1, 2, 3, 5});
    REQUIRE(process.reports.size() == 1);
    REQUIRE(process.reports[0].next == 1);
    REQUIRE(process.reports[0].done == 1);
    REQUIRE(process.checkpoint() == checkpoint_record{1, 5, 1, 0});

    SECTION("and what they did is not done again") {
        process.deliveries.clear();
        process.behave = fails_at({});
        process.take(events, 5, 1, 1, 2);
        process.run_until_quiet();
        REQUIRE(process.positions() == positions{2, 4});
        REQUIRE(process.flagged() == positions{2});
        REQUIRE(process.reports.back().done == 5);
        REQUIRE(process.reports.back().events == 4);
    }
    SECTION("but after an end it is, flagged") {
        process.close();
        REQUIRE(process.checkpoint() == checkpoint_record{1, 5, 1, 0});
    }
}

TEST_CASE("several failures are told one after the other, each with all its attempts") {
    const auto [a, b] = two_streams();
    reaction_process process(disk(), 2);
    process.behave = fails_at({1, 2});
    const std::vector<logged_event> events{{1, a}, {2, b}, {3, a}, {4, b}};
    process.take(events, 4);
    process.run_until_quiet();
    REQUIRE(process.reports.back().next == 0);

    process.behave = fails_at({2});
    process.take(events, 4, 1, 0, 2);
    process.run_until_quiet();
    REQUIRE(process.reports.back().next == 1);
    REQUIRE(process.reports.back().done == 1);
    REQUIRE(process.reports.back().why);

    process.behave = fails_at({});
    process.take(events, 4, 2, 1, 2);
    process.run_until_quiet();
    REQUIRE(process.reports.back().finished);
    std::map<log_position, std::vector<unsigned>> attempts;
    for (const auto& one : process.deliveries)
        attempts[one.position].push_back(one.attempt);
    REQUIRE(attempts[1] == std::vector<unsigned>{1, 2});
    REQUIRE(attempts[2] == std::vector<unsigned>{1, 2});
    REQUIRE(attempts[3] == std::vector<unsigned>{1});
    REQUIRE(attempts[4] == std::vector<unsigned>{1});
}

TEST_CASE("an event that is given up is passed over by its checkpoint") {
    reaction_process process(disk());
    process.behave = fails_at({3});
    process.take(sold(range(1, 5)), 5);
    process.run_until_quiet();
    row_changes into;
    process.sink->pass_over(into, 3);
    SECTION("and the reaction goes on behind it") {
        process.store->apply(std::move(into), {});
        process.run_until_quiet();
        REQUIRE(process.checkpoint() == checkpoint_record{3, 3, 2, 0});
        process.take(sold(range(1, 5)), 5, 1, 3);
        process.run_until_quiet();
        REQUIRE(process.positions() == range(1, 5));
        REQUIRE(process.flagged().empty());
        REQUIRE(process.checkpoint() == checkpoint_record{5, 5, 4, 0});
    }
    SECTION("also if nothing comes any more") {
        process.store->apply(std::move(into), {});
        process.close();
        REQUIRE(process.checkpoint() == checkpoint_record{3, 3, 2, 0});
    }
    SECTION("but not if that could not be stored") {
        process.behave = fails_at({});
        process.take(sold(range(1, 5)), 5, 1, 2, 2);
        process.run_until_quiet();
        REQUIRE(process.positions() == positions{1, 2, 3, 3, 4, 5});
    }
    SECTION("nor if the process ends before") {
        process.close();
        REQUIRE(process.checkpoint() == checkpoint_record{2, 3, 2, 0});
    }
}

TEST_CASE("the end of the process does not take back that an event was passed over") {
    reaction_process process(disk());
    process.behave = fails_at({3});
    process.take(sold({3, 5}), 5); // nothing took effect, so nothing was stored behind it
    process.run_until_quiet();
    row_changes into;
    process.sink->pass_over(into, 3);
    process.store->apply(std::move(into), {});
    process.close();
    REQUIRE(process.checkpoint() == checkpoint_record{3, 3, 0, 0});
}

// --- an event is replayed ----------------------------------------------------------------------------

TEST_CASE("an event that was set aside is delivered again, out of order, and leaves the list") {
    const auto on = disk();
    const auto listed = [&] {
        return catalog::set_aside_positions(**on->snapshot(), reaction_process::name)->size();
    };
    row_changes aside;
    set_aside_event record;
    record.position = 3;
    catalog::put_set_aside(aside, reaction_process::name, record);
    REQUIRE(apply_and_wait(*on, std::move(aside)));

    reaction_process process(on);
    process.take(sold({5, 6}), 9);
    process.run_until_quiet();
    const auto before = process.checkpoint();
    slice replay;
    replay.events = std::make_shared<plain_events>(sold({3}), 3);
    replay.attempt = 1;
    replay.replayed = 3;
    SECTION("if it succeeds") {
        process.sink->take(replay);
        process.run_until_quiet();
        REQUIRE(process.positions() == positions{5, 6, 3});
        REQUIRE(process.flagged() == positions{3});
        REQUIRE(process.reports.back().finished);
        REQUIRE(process.reports.back().events == 1);
        REQUIRE(process.reports.back().done == 9);
        REQUIRE(listed() == 0);
    }
    SECTION("if it fails, it stays there") {
        process.behave = fails_at({3});
        process.sink->take(replay);
        process.run_until_quiet();
        REQUIRE(process.reports.back().why);
        REQUIRE(process.reports.back().done == 9);
        REQUIRE(listed() == 1);
        process.take(sold({10}), 10, 1);
        process.run_until_quiet();
        REQUIRE(process.reports.back().finished);
        REQUIRE(process.flagged() == positions{3});
        return;
    }
    SECTION("if the process ends meanwhile") {
        process.behave = [&](log_position, const delivery_terms&) {
            process.sink->stop();
            return result<void>();
        };
        process.sink->take(replay);
        process.run_until_quiet();
        process.close();
        REQUIRE(listed() == 0);
    }
    REQUIRE(process.checkpoint() == before);
}

// --- the store fails ---------------------------------------------------------------------------------

TEST_CASE("a change that could not be stored is reported as a loss") {
    reaction_process process(disk());
    const error full{errc::disk_full, "make room"};
    process.take(sold(range(1, 3)), 3);
    SECTION("before a delivery: nothing was delivered") {
        process.write(full);
        process.tell();
        REQUIRE(process.deliveries.empty());
        REQUIRE(process.reports.size() == 1);
        REQUIRE(process.reports[0].done == 0);
    }
    SECTION("behind one: what took effect does not do so again") {
        process.write();
        process.tell();
        process.work(0);
        process.write(full);
        process.tell();
        REQUIRE(process.reports[0].done == 0);
        REQUIRE(process.reports[0].events == 3);
    }
    REQUIRE(process.reports[0].lost);
    REQUIRE(process.reports[0].why == full);
    process.take(sold(range(1, 5)), 5, 1);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 5));
    REQUIRE(process.flagged().empty());
    REQUIRE(process.checkpoint() == checkpoint_record{5, 5, 5, 0});
}

TEST_CASE("another sink after a loss flags what was delivered") {
    reaction_process process(disk());
    process.take(sold(range(1, 3)), 3);
    process.write();
    process.tell();
    process.work(0);
    process.write(error{errc::disk_full, "make room"});
    process.tell();
    process.sink = process.make_sink(process.checkpoint());
    process.take(sold(range(1, 5)), 5, 1);
    process.run_until_quiet();
    REQUIRE(process.positions() == positions{1, 2, 3, 1, 2, 3, 4, 5});
    REQUIRE(process.flagged() == range(1, 3));
}

TEST_CASE("a failure that could not be stored is told after the loss") {
    reaction_process process(disk());
    process.behave = fails_at({2});
    process.take(sold(range(1, 3)), 3);
    process.write();
    process.tell();
    process.work(0);
    process.write(error{errc::disk_full, "make room"});
    process.tell();
    REQUIRE(process.reports.back().lost);
    process.take(sold(range(1, 3)), 3, 1);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 2));
    REQUIRE(process.reports.back().why == failing().error());
    REQUIRE(process.reports.back().next == 1);
    REQUIRE(process.reports.back().done == 1);
}

} // namespace annals::test
