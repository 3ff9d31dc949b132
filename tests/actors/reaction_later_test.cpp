#include "reaction_verbs.hpp"

#include <catch2/catch.hpp>

/// Handlers whose work ends later, when a future has its answer: what begins meanwhile, what waits, what
/// the checkpoint says, and what becomes of it when the runtime closes.

namespace annals::test {
namespace {

constexpr std::size_t in_flight = 8;

/// A process in which handling ends when the test says so.
struct patient_process : reaction_process {
    explicit patient_process(std::shared_ptr<projection_store> on, std::size_t partitions = 1)
        : reaction_process(std::move(on), partitions, true, in_flight) {
        holds = [](log_position) { return true; };
    }
    void end(log_position position, result<void> how = {}) {
        answer(position, std::move(how));
        run_until_quiet();
    }
};

std::vector<logged_event> of_streams(const std::vector<std::pair<log_position, int>>& events) {
    std::vector<logged_event> made;
    for (const auto& [position, stream] : events)
        made.push_back({position, "order-" + std::to_string(stream)});
    return made;
}

} // namespace

TEST_CASE("while a handler's future is open, events of other streams begin and its own wait") {
    patient_process process(disk());
    process.take(of_streams({{1, 1}, {2, 1}, {3, 2}, {4, 1}, {5, 3}}), 5);
    process.run_until_quiet();
    REQUIRE(process.positions() == positions{1, 3, 5});
    process.end(3);
    REQUIRE(process.held() == positions{1, 5});
    process.end(1);
    REQUIRE(process.held() == positions{2, 5});
    process.end(2);
    REQUIRE(process.positions() == positions{1, 3, 5, 2, 4});
    process.end(5);
    REQUIRE(process.reports.empty()); // 4 is open
    process.end(4);
    REQUIRE(process.reports.back().done == 5);
    REQUIRE(process.reports.back().finished);
    REQUIRE(process.checkpoint() == checkpoint_record{5, 5, 5, 0});
}

TEST_CASE("no more are on their way than may be, and the checkpoint stays behind the oldest") {
    patient_process process(disk());
    std::vector<std::pair<log_position, int>> events;
    for (int i = 1; i <= 20; ++i)
        events.emplace_back(i, i);
    process.take(of_streams(events), 20);
    process.run_until_quiet();
    REQUIRE(process.held() == range(1, in_flight));
    for (log_position i = 2; i <= in_flight; ++i)
        process.end(i);
    REQUIRE(process.deliveries.size() == in_flight);
    REQUIRE(process.checkpoint() == checkpoint_record{0, in_flight, 0, 0});
    process.end(1);
    REQUIRE(process.held() == range(in_flight + 1, 2 * in_flight));
    REQUIRE(process.checkpoint().done == in_flight);

    SECTION("after a death exactly those come again, flagged") {
        const auto begun = process.checkpoint();
        process.die();
        REQUIRE(begun.begun == 2 * in_flight);
    }
    SECTION("with what ends at once between them") {
        process.holds = [](log_position at) { return at % 2 == 0; };
        for (log_position i = in_flight + 1; i <= 2 * in_flight; ++i)
            process.end(i);
        REQUIRE(process.held() == positions{18, 20});
        process.end(20);
        process.end(18);
        REQUIRE(process.checkpoint() == checkpoint_record{20, 20, 20, 0});
    }
}

TEST_CASE("a future that fails is its event's failure, and what is open finishes first") {
    patient_process process(disk());
    const auto events = of_streams({{1, 1}, {2, 2}, {3, 1}, {4, 2}, {5, 3}});
    process.take(events, 5);
    process.run_until_quiet();
    REQUIRE(process.held() == positions{1, 2, 5});
    process.end(2, failing());
    REQUIRE(process.reports.empty());
    process.end(1);
    REQUIRE(process.held() == positions{5}); // after a failure no other begins
    process.end(5);
    REQUIRE(process.reports.size() == 1);
    REQUIRE(process.reports[0].next == 1);
    REQUIRE(process.reports[0].why == failing().error());
    REQUIRE(process.reports[0].done == 1);
    REQUIRE(process.checkpoint() == checkpoint_record{1, 5, 1, 0});

    process.deliveries.clear();
    process.take(events, 5, 1, 1, 2);
    process.run_until_quiet();
    REQUIRE(process.positions() == positions{2, 3}); // 5 is done, 4 waits for 2
    REQUIRE(process.flagged() == positions{2});
    REQUIRE(process.deliveries[0].attempt == 2);
    process.end(2);
    process.end(3);
    process.end(4);
    REQUIRE(process.reports.back().finished);
    REQUIRE(process.checkpoint() == checkpoint_record{5, 5, 5, 0});
}

TEST_CASE("two streams fail while both are open: each is told with all its attempts") {
    patient_process process(disk());
    const auto events = of_streams({{1, 1}, {2, 2}});
    process.take(events, 2);
    process.run_until_quiet();
    process.end(2, failing("second"));
    process.end(1, failing("first"));
    REQUIRE(process.reports.back().next == 0);
    process.take(events, 2, 1, 0, 2);
    process.run_until_quiet();
    REQUIRE(process.held() == positions{1}); // the other failure is not told yet
    process.end(1);
    REQUIRE(process.reports.back().next == 1);
    REQUIRE(process.reports.back().why == failing("second").error());
    process.take(events, 2, 2, 1, 2);
    process.run_until_quiet();
    process.end(2);
    REQUIRE(process.checkpoint() == checkpoint_record{2, 2, 2, 0});
}

TEST_CASE("a future that goes away without an answer is an error and not silence") {
    patient_process process(disk());
    process.take(of_streams({{1, 1}}), 1);
    process.run_until_quiet();
    process.forget(1);
    process.run_until_quiet();
    REQUIRE(process.reports.back().why->code == errc::aborted);
}

TEST_CASE("partitions share what may be on its way, and each keeps its streams in order") {
    const auto [a, b] = two_streams();
    patient_process process(disk(), 2);
    process.take({{1, a}, {2, b}, {3, a}, {4, b}}, 4);
    process.run_until_quiet();
    REQUIRE(process.held() == positions{1, 2});
    process.end(2);
    REQUIRE(process.held() == positions{1, 4});
    process.end(4);
    process.end(1);
    process.end(3);
    REQUIRE(process.reports.back().finished);
}

// --- closing -----------------------------------------------------------------------------------------

TEST_CASE("what fails after the runtime has begun to close is not the event's failure") {
    const auto on = disk();
    {
        patient_process process(on);
        process.take(of_streams({{1, 1}, {2, 2}, {3, 1}, {4, 3}}), 4);
        std::stop_token told;
        process.begun = [&](log_position, const delivery_terms& terms) { told = terms.stop; };
        process.run_until_quiet();
        REQUIRE_FALSE(told.stop_requested());
        process.activity->close();
        REQUIRE(told.stop_requested());
        REQUIRE_FALSE(process.activity->idle());
        process.end(1);
        REQUIRE(process.held() == positions{2, 4}); // nothing begins any more
        process.end(2, error{errc::closed, "the runtime is closed"});
        process.end(4);
        REQUIRE(process.activity->idle());
        REQUIRE(process.reports.empty());
        process.close();
    }
    REQUIRE(stored_checkpoint(*on, reaction_process::space) == checkpoint_record{1, 4, 1, 0});
    reaction_process process(on);
    process.take(of_streams({{2, 2}, {3, 1}, {4, 3}}), 4);
    process.run_until_quiet();
    REQUIRE(process.positions() == range(2, 4));
    REQUIRE(process.flagged() == range(2, 4));
}

TEST_CASE("a handler that gives up when the runtime closes did not fail, nor does another begin") {
    const auto on = disk();
    {
        reaction_process process(on);
        process.behave = [&](log_position at, const delivery_terms&) {
            if (at != 2)
                return result<void>();
            process.activity->close();
            return result<void>(error{errc::closed, "the runtime is closed"});
        };
        process.take(sold(range(1, 5)), 5);
        process.run_until_quiet();
        process.take(sold(range(6, 9)), 9);
        process.run_until_quiet();
        REQUIRE(process.positions() == range(1, 2));
        REQUIRE(process.reports.empty());
        REQUIRE(process.activity->idle());
    }
    REQUIRE(stored_checkpoint(*on, reaction_process::space) == checkpoint_record{1, 2, 1, 0});
}

TEST_CASE("a sink that is made while the runtime closes delivers nothing") {
    reaction_process process(disk());
    process.activity->close();
    process.sink = process.make_sink(process.checkpoint());
    process.take(sold(range(1, 3)), 3, 1);
    process.run_until_quiet();
    REQUIRE(process.deliveries.empty());
}

TEST_CASE("another sink waits for what the one before has open") {
    patient_process process(disk());
    process.take(of_streams({{1, 1}, {2, 2}}), 2);
    process.run_until_quiet();
    process.sink->stop();
    process.sink = process.make_sink(process.checkpoint());
    process.take(of_streams({{1, 1}, {2, 2}}), 2, 1);
    process.run_until_quiet();
    REQUIRE(process.deliveries.size() == 2);
    process.end(1);
    REQUIRE(process.deliveries.size() == 2);
    process.end(2);
    REQUIRE(process.positions() == range(1, 2)); // both were done
    REQUIRE(process.reports.back().done == 2);
}

} // namespace annals::test
