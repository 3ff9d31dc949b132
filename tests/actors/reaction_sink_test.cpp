#include "reaction_verbs.hpp"

#include <catch2/catch.hpp>

/// Where events reach a reaction: what is stored before and after a delivery, what is told, and what
/// another process, or another sink, finds.

namespace annals::test {

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
    const auto on = disk();
    row_changes reset;
    catalog::put_checkpoint(reset, reaction_process::space, {4, 10, 0, 0});
    REQUIRE(apply_and_wait(*on, std::move(reset)));
    reaction_process process(on);
    process.take(sold(range(5, 12)), 12);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(5, 12));
    REQUIRE(process.flagged() == range(5, 10));
}

// --- another sink ------------------------------------------------------------------------------------

TEST_CASE("a sink begins behind what the one before it still had on its way") {
    reaction_process process(disk());
    const auto replace = [&] {
        process.sink = process.make_sink(process.checkpoint());
        process.take(sold(range(1, 9)), 9, 1);
    };
    SECTION("with the handler") {
        process.behave = [&](log_position at, const delivery_terms&) {
            if (at == 2) {
                process.sink->stop();
                replace();
            }
            return result<void>();
        };
        process.take(sold(range(1, 5)), 5);
        process.run_until_quiet();
    }
    SECTION("with the store") {
        process.take(sold(range(1, 5)), 5);
        process.write();
        process.tell();
        process.work(0);
        process.sink->stop();
        replace();
        process.run_until_quiet();
    }
    REQUIRE(process.positions() == range(1, 9));
    REQUIRE(process.flagged().empty());
    REQUIRE(process.checkpoint() == checkpoint_record{9, 9, 9, 0});
}

TEST_CASE("a sink that cannot read where it stands says so, and tries again when it is asked to") {
    reaction_process process(disk(), 2, false);
    process.take(sold(range(1, 3)), 3);
    process.work(0);
    process.work(1);
    const error closed{errc::closed, "the store is closed"};
    process.write(closed);
    process.tell();
    REQUIRE(process.reports.size() == 1);
    REQUIRE(process.reports[0].lost);
    REQUIRE(process.reports[0].why == closed);
    process.take(sold(range(1, 3)), 3, 1);
    process.run_until_quiet();
    REQUIRE(process.deliveries.size() == 3);
    REQUIRE(process.reports.back().finished);
}

// --- starting over -----------------------------------------------------------------------------------

TEST_CASE("what an older epoch delivered meanwhile is not delivered again") {
    reaction_process process(disk());
    process.take(sold(range(1, 3)), 3);
    process.write();
    process.tell();
    process.take(sold(range(1, 2)), 2, 1); // while 1 to 3 wait for their thread
    process.take(sold(range(3, 5)), 5, 1);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(1, 5));
    REQUIRE(process.reports.back().epoch == 1);
    REQUIRE(process.reports.back().done == 5);
    REQUIRE(process.checkpoint().events == 5);
}

TEST_CASE("what an older epoch delivered is behind the checkpoint of an orderly end") {
    const auto on = disk();
    {
        reaction_process process(on);
        process.take(sold(range(1, 3)), 3);
        process.write();
        process.tell();
        process.take(sold(range(1, 5)), 5, 1); // while 1 to 3 wait for their thread
        process.work(0);
        process.close(); // while that 4 and 5 begin is being stored
        REQUIRE(process.positions() == range(1, 3));
    }
    REQUIRE(stored_checkpoint(*on, reaction_process::space) == checkpoint_record{3, 3, 3, 0});
}

TEST_CASE("what an older epoch has not begun to deliver is not delivered") {
    reaction_process process(disk());
    process.take(sold(range(1, 3)), 3);
    process.take(sold(range(4, 5)), 5, 1); // while that 1 to 3 begin is being stored
    process.run_until_quiet();
    REQUIRE(process.positions() == range(4, 5));
}

} // namespace annals::test
