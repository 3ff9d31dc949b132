#include "reaction_process.hpp"

#include "stream_partition.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

/// Where events reach a reaction: what is stored before and after a delivery, what is told, and what
/// is done when an event, the store or the process fails.

namespace annals::test {
namespace {

using positions = std::vector<log_position>;

std::shared_ptr<projection_store> disk() {
    return make_memory_projection_store();
}

/// Events of one stream at these positions.
std::vector<logged_event> sold(const positions& at, const std::string& stream = "order-1") {
    std::vector<logged_event> made;
    for (const auto position : at)
        made.push_back({position, stream});
    return made;
}

positions range(log_position first, log_position last) {
    positions made;
    for (auto i = first; i <= last; ++i)
        made.push_back(i);
    return made;
}

positions sorted(positions some) {
    std::ranges::sort(some);
    return some;
}

/// A stream in each of two partitions.
std::pair<std::string, std::string> two_streams() {
    std::string other = "order-1";
    for (int i = 2; partition_of(other, 2) == partition_of("order-1", 2); ++i)
        other = "order-" + std::to_string(i);
    return {"order-1", other};
}

result<void> failing(const std::string& why = "the mail server is down") {
    return error{errc::handler_failed, why};
}

std::function<result<void>(log_position, const delivery_terms&)>
fails_at(std::set<log_position> which) {
    return [which = std::move(which)](log_position at, const delivery_terms&) {
        return which.contains(at) ? failing() : result<void>();
    };
}

} // namespace

// --- the hash ----------------------------------------------------------------------------------------

TEST_CASE("the partition of a stream is the same in every build") {
    // The test values of the authors of FNV-1a: "" and "foobar".
    REQUIRE(partition_of("", 1'000'003) == 0xcbf29ce484222325 % 1'000'003);
    REQUIRE(partition_of("foobar", 1'000'003) == 0x85944171f73967e8 % 1'000'003);
    REQUIRE(partition_of("order-1", 1) == 0);
}

// --- the checkpoint ----------------------------------------------------------------------------------

TEST_CASE("before events are delivered, the store says that they may have been") {
    reaction_process process(disk());
    process.take(sold({3, 5}), 9);
    REQUIRE(process.threads[0]->waiting() == 0);
    process.write();
    REQUIRE(process.checkpoint() == checkpoint_record{0, 5, 0, 0});
    REQUIRE(process.threads[0]->waiting() == 0); // the writer has not said so yet
    process.tell();
    process.work(0);
    REQUIRE(process.positions() == positions{3, 5});
    REQUIRE(process.flagged().empty());
}

TEST_CASE("a slice is reported as done when that is stored") {
    reaction_process process(disk());
    process.take(sold({3, 5}), 9);
    process.write();
    process.tell();
    process.work(0);
    process.write();
    REQUIRE(process.reports.empty());
    process.tell();
    REQUIRE(process.checkpoint() == checkpoint_record{9, 9, 2, 0});
    REQUIRE(process.reports.size() == 1);
    REQUIRE(process.reports[0].done == 9);
    REQUIRE(process.reports[0].events == 2);
    REQUIRE(process.reports[0].finished);
    REQUIRE_FALSE(process.reports[0].why);
}

TEST_CASE("while slices wait, each costs one transaction") {
    reaction_process process(disk());
    log_position last = 0;
    const auto next = [&] {
        last += 10;
        process.take(sold(range(last - 9, last)), last);
    };
    int slices = 2;
    process.on_report = [&](const sink_report& report) {
        if (report.finished && ++slices <= 100)
            next();
    };
    next();
    next();
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 1'000));
    REQUIRE(process.checkpoint().done == 1'000);
    REQUIRE(process.store->written() == 101);
}

TEST_CASE("slices without an event for it cost no transactions and are reported at once") {
    reaction_process process(disk());
    process.take({}, 1'000);
    process.take({}, 2'000);
    REQUIRE(process.reports.size() == 2);
    REQUIRE(process.reports[1].done == 2'000);
    REQUIRE(process.reports[1].finished);
    REQUIRE(process.store->waiting() == 0);
    SECTION("unless they have become many") {
        process.take({}, 70'000);
        process.run_until_quiet();
        REQUIRE(process.checkpoint().done == 70'000);
        REQUIRE(process.store->written() == 1);
        process.take({}, 71'000);
        REQUIRE(process.store->waiting() == 0);
    }
    SECTION("and the end of the process stores how far it has looked") {
        process.close();
        REQUIRE(process.checkpoint() == checkpoint_record{2'000, 2'000, 0, 0});
    }
}

TEST_CASE("of a large slice no more than 64 events are on their way at a time") {
    reaction_process process(disk());
    process.take(sold(range(1, 150)), 200);
    process.write();
    process.tell();
    REQUIRE(process.checkpoint() == checkpoint_record{0, 64, 0, 0});
    process.work(0);
    REQUIRE(process.deliveries.size() == 64);
    process.write();
    REQUIRE(process.checkpoint() == checkpoint_record{64, 128, 64, 0});
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 150));
    REQUIRE(process.reports.size() == 3);
    REQUIRE(process.reports[0].done == 64);
    REQUIRE_FALSE(process.reports[0].finished);
    REQUIRE(process.reports[2].done == 200);
    REQUIRE(process.reports[2].finished);
}

// --- another process ---------------------------------------------------------------------------------

TEST_CASE("after a death, what had begun is flagged, and what had not is not") {
    const auto on = disk();
    {
        reaction_process process(on);
        process.take(sold(range(1, 10)), 10);
        process.run_until_quiet();
        process.take(sold(range(11, 20)), 20);
        process.write();
        process.tell();
        process.die();
    }
    reaction_process process(on);
    REQUIRE(process.started_from.done == 10);
    process.take(sold(range(11, 30)), 30);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(11, 30));
    REQUIRE(process.flagged() == range(11, 20));
}

TEST_CASE("after an orderly end nothing is delivered again") {
    const auto on = disk();
    log_position reached = 0;
    {
        reaction_process process(on);
        process.behave = [&](log_position at, const delivery_terms& terms) {
            REQUIRE_FALSE(terms.stop.stop_requested());
            if (at == 17) // the runtime closes while it is handled
                process.sink->stop();
            return result<void>();
        };
        process.take(sold(range(1, 40)), 50);
        process.run_until_quiet();
        REQUIRE(process.positions() == range(1, 17));
        REQUIRE(process.reports.empty());
        process.close();
        reached = process.checkpoint().done;
        REQUIRE(process.checkpoint() == checkpoint_record{17, 17, 17, 0});
    }
    reaction_process process(on);
    process.take(sold(range(reached + 1, 40)), 50);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(18, 40));
    REQUIRE(process.flagged().empty());
}

TEST_CASE("an end between the mark and the delivery takes the mark back") {
    const auto on = disk();
    reaction_process process(on);
    process.take(sold(range(1, 10)), 10);
    SECTION("which is being stored") {}
    SECTION("which is stored") {
        process.write();
    }
    SECTION("whose events wait for the thread") {
        process.write();
        process.tell();
    }
    process.close();
    REQUIRE(process.deliveries.empty());
    REQUIRE(process.checkpoint() == checkpoint_record{0, 0, 0, 0});
}

TEST_CASE("a handler that gives up when it is asked to stop sees its event again") {
    const auto on = disk();
    {
        reaction_process process(on);
        process.behave = [&](log_position at, const delivery_terms& terms) {
            if (at != 3)
                return result<void>();
            process.sink->stop();
            REQUIRE(terms.stop.stop_requested());
            return failing("given up");
        };
        process.take(sold(range(1, 9)), 9);
        process.run_until_quiet();
        process.close();
        REQUIRE(process.reports.empty());
        REQUIRE(process.checkpoint() == checkpoint_record{2, 3, 2, 0});
    }
    reaction_process process(on);
    process.take(sold(range(3, 9)), 9);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(3, 9));
    REQUIRE(process.flagged() == positions{3});
}

TEST_CASE("a sink that is destroyed without a word leaves the checkpoint to its owner") {
    reaction_process process(disk());
    process.behave = [&](log_position at, const delivery_terms&) {
        if (at == 2)
            process.sink.reset();
        return result<void>();
    };
    process.take(sold(range(1, 9)), 9);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 2));
    REQUIRE(process.reports.empty());
    REQUIRE(process.checkpoint() == checkpoint_record{0, 9, 0, 0});
}

TEST_CASE("after a reset all events up to where it had been are flagged") {
    reaction_process process(disk());
    process.take(sold(range(1, 10)), 10);
    process.run_until_quiet();
    process.deliveries.clear();
    const checkpoint_record reset{4, 10, 0, 0};
    SECTION("by the same sink") {
        process.sink->begin_again(reset);
    }
    SECTION("by another") {
        process.sink = process.make_sink(reset);
    }
    process.take(sold(range(5, 12)), 12, 1);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(5, 12));
    REQUIRE(process.flagged() == range(5, 10));
}

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

// --- starting over -----------------------------------------------------------------------------------

TEST_CASE("what an older epoch delivered meanwhile is not delivered again") {
    reaction_process process(disk());
    process.take(sold(range(1, 3)), 3);
    process.write();
    process.tell();
    process.take(sold(range(1, 5)), 5, 1); // while 1 to 3 wait for their thread
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 5));
    REQUIRE(process.reports.back().epoch == 1);
    REQUIRE(process.reports.back().done == 5);
    REQUIRE(process.checkpoint().events == 5);
}

} // namespace annals::test
