#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

/// A command that may not wait for ever is answered in time, with what is certain by then.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::run_inside;
using namespace std::chrono_literals;

namespace {

struct timed_shop {
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    runtime rt = open();

    runtime open() const {
        auto with = event_store(keeping::in_memory).settings();
        with.clock = clock;
        with.journal = log;
        return open_shop(std::move(with));
    }
    void let_pass(std::chrono::milliseconds time) { test::let_pass(time, *clock, rt); }
};

} // namespace

TEST_CASE("a command that is not started before its deadline is certainly not stored") {
    timed_shop timed;
    gate inside;
    const auto busy = timed.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const auto coming = timed.rt.send("17", add_item{"tea"}, within(5s));
    timed.let_pass(4s);
    REQUIRE_FALSE(coming.is_ready());
    timed.let_pass(2s);
    REQUIRE(said(coming) == "deadline_exceeded");
    REQUIRE(timed.rt.status().commands_in_flight == 1);
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(said(timed.rt.send("17", shop::confirm_units{0})) == "nothing to do");
    REQUIRE(timed.log->head() == 0);
}

TEST_CASE("a command whose deadline has passed when it is sent is not started") {
    const event_store store(keeping::in_memory);
    auto rt = open_shop(store.settings());
    const auto timeout = GENERATE(std::chrono::milliseconds(-1), std::chrono::milliseconds(0),
                                  std::chrono::milliseconds::min());
    std::map<std::string, int> answers;
    for (int i = 0; i != 2'000; ++i)
        ++answers[said(rt.send(std::to_string(i % 7), add_item{"tea"}, within(timeout)))];
    REQUIRE(answers == std::map<std::string, int>{{"deadline_exceeded", 2'000}});
    REQUIRE(rt.journal().head() == 0);
}

TEST_CASE("a deadline that two threads meet stores nothing behind it in its chain") {
    timed_shop timed;
    gate inside;
    const auto busy = timed.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    auto options = within(5s);
    options.chain = std::make_shared<command_chain>();
    send_options without_deadline;
    without_deadline.chain = options.chain;
    options.about.extra["note"] = std::string(8'192, 'n'); // too large to be kept with the answer
    gate answered;
    // Dropped by the thread that looks at the clock, when the deadline has claimed the command. It goes on when
    // an actor's thread has answered the next one.
    std::shared_ptr<void> when_dropped(static_cast<void*>(&timed), [&](void*) {
        inside.open();
        answered.pass();
    });
    const auto late = timed.rt.send(
        "17", run_inside{[kept = std::exchange(when_dropped, {})] { (void)kept; }}, options);
    const auto next = timed.rt.send("17", add_item{"tea"}, without_deadline);
    next.then([&](const auto&) { answered.open(); });
    timed.let_pass(6s);
    REQUIRE(said(late) == "deadline_exceeded");
    REQUIRE(said(next) == "predecessor_failed");
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(timed.log->head() == 0);
}

TEST_CASE("of a command that is started but not stored by its deadline the outcome is unknown") {
    timed_shop timed;
    timed.log->hold();
    const auto coming = timed.rt.send("17", add_item{"tea"}, within(5s, as_command("order")));
    REQUIRE(timed.log->holds(1));
    timed.let_pass(6s);
    REQUIRE(said(coming) == "outcome_unknown");
    timed.log->release();
    // Repeating it with the same id finds out.
    REQUIRE(said(timed.rt.send("17", add_item{"tea"}, as_command("order"))) == "already stored");
    REQUIRE(said(coming) == "outcome_unknown");
    REQUIRE(stored_cart(*timed.log, "17").units() == 1);
}

TEST_CASE("a command that is answered in time never hears of its deadline") {
    timed_shop timed;
    const auto coming = timed.rt.send("17", add_item{"tea"}, within(5s));
    REQUIRE(said(coming) == "stored");
    timed.let_pass(10s);
    REQUIRE(said(coming) == "stored");
}

TEST_CASE("deadlines are met in their order, whatever the order of sending") {
    timed_shop timed;
    gate inside;
    const auto busy = timed.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const auto late = timed.rt.send("17", add_item{"tea"}, within(30s));
    const auto early = timed.rt.send("17", add_item{"tea"}, within(10s));
    const auto middle = timed.rt.send("17", add_item{"tea"}, within(20s));
    timed.let_pass(11s);
    REQUIRE(said(early) == "deadline_exceeded");
    REQUIRE_FALSE(middle.is_ready());
    timed.let_pass(10s);
    REQUIRE(said(middle) == "deadline_exceeded");
    REQUIRE_FALSE(late.is_ready());
    inside.open();
    REQUIRE(said(late) == "stored");
    REQUIRE(said(busy) == "nothing to do");
}

TEST_CASE("a deadline as far away as time goes is no deadline") {
    timed_shop timed;
    gate inside;
    const auto busy = timed.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const auto coming =
        timed.rt.send("17", add_item{"tea"}, within(std::chrono::milliseconds::max()));
    timed.let_pass(1h);
    inside.open();
    REQUIRE(said(coming) == "stored");
    REQUIRE(said(busy) == "nothing to do");
}

TEST_CASE("real time is kept, too") {
    auto rt = open_shop();
    gate inside;
    const auto busy = rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    REQUIRE(said(rt.send("17", add_item{"tea"}, within(20ms))) == "deadline_exceeded");
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, {1, 20ms})) == "version_out_of_reach");
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
}

TEST_CASE("many deadlines at once are all kept") {
    timed_shop timed;
    gate inside;
    const auto busy = timed.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 1'000; ++i)
        coming.push_back(timed.rt.send("17", add_item{"tea"}, within(1s)));
    timed.let_pass(2s);
    for (const auto& each : coming)
        REQUIRE(said(each) == "deadline_exceeded");
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(timed.log->head() == 0);
}
