#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <thread>

/// However a runtime ends, whoever waits for an answer gets one.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;
using shop::run_inside;

namespace {

struct held_shop {
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    config settings() const {
        auto with = event_store(keeping::in_memory).settings();
        with.journal = log;
        with.close_timeout = std::chrono::milliseconds(50);
        return with;
    }
};

} // namespace

TEST_CASE("a closed runtime answers everything with closed") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(rt.close());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "closed");
    REQUIRE(said(rt.send("17", add_item{"tea"}, within(std::chrono::seconds(1)))) == "closed");
    REQUIRE(said(rt.ask(shop::demand_for{"tea"})) == "closed");
    REQUIRE(rt.journal().describe("cart-17").error().code == errc::closed);
    REQUIRE(rt.close());
    REQUIRE(rt.status().commands_in_flight == 0);
    REQUIRE(rt.status().commands_stored == 1);
    REQUIRE(status_of(rt, "demand").now == projection_status::state::stopped);
}

TEST_CASE("close lets what was accepted finish") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 2'000; ++i)
        coming.push_back(rt.send(std::to_string(i % 100), add_item{"tea"}));
    REQUIRE(rt.close());
    std::size_t stored = 0;
    for (const auto& each : coming)
        stored += each.is_ready() && each.get().has_value();
    REQUIRE(stored == coming.size());
}

TEST_CASE("a destroyed runtime has answered what it accepted") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    std::vector<future<receipt>> coming;
    {
        auto rt = open_shop(store.settings());
        for (int i = 0; i < 500; ++i)
            coming.push_back(rt.send(std::to_string(i % 10), add_item{"tea"}));
    }
    std::size_t stored = 0;
    for (const auto& each : coming)
        stored += each.is_ready() && each.get().has_value();
    REQUIRE(stored == coming.size());
}

TEST_CASE("assigning another runtime closes the one that was there") {
    const event_store store;
    auto rt = open_shop(store.settings());
    const auto coming = rt.send("17", add_item{"tea"});
    rt = open_shop();
    REQUIRE(coming.is_ready());
    REQUIRE(said(coming) == "stored");
    REQUIRE(said(rt.send("17", confirm_units{0})) == "nothing to do");
    auto again = open_shop(store.settings());
    REQUIRE(said(again.send("17", confirm_units{1})) == "nothing to do");
}

TEST_CASE("close waits for a stuck journal no longer than it may, and all are answered") {
    held_shop held;
    auto rt = open_shop(held.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    held.log->hold();
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 20; ++i)
        coming.push_back(rt.send(std::to_string(i % 3 + 16), add_item{"tea"}));
    coming.push_back(rt.send("17", shop::remove_item{"rum"}));
    const auto parked = rt.ask(shop::demand_for{"tea"}, {1'000, {}});
    REQUIRE(held.log->holds(21));

    SECTION("with what it became, where the journal can tell") {
        const auto closed = rt.close();
        REQUIRE(closed.error().code == errc::deadline_exceeded);
        for (std::size_t i = 0; i < 20; ++i)
            REQUIRE(said(coming[i]) == "stored");
        REQUIRE(said(coming[20]) == "rejected: not in cart");
    }
    SECTION("with outcome unknown, where it cannot") {
        held.log->lose_what_is_held();
        const auto closed = rt.close();
        REQUIRE(closed.error().code == errc::deadline_exceeded);
        std::map<std::string, int> answers;
        for (const auto& each : coming)
            ++answers[said(each)];
        // The first of each aggregate is unknown. The others were decided on top of it.
        REQUIRE(answers["outcome_unknown"] == 3);
        REQUIRE(answers["no answer"] == 0);
        REQUIRE(answers["stored"] == 0);
    }
    REQUIRE(said(parked) == "aborted");
    REQUIRE(rt.status().commands_in_flight == 0);
    REQUIRE(rt.status().queries_in_flight == 0);
}

TEST_CASE("a repeated command is answered even if the runtime closes while the first is stuck") {
    held_shop held;
    auto rt = open_shop(held.settings());
    held.log->hold();
    const auto first = rt.send("17", add_item{"tea"}, as_command("once"));
    const auto second = rt.send("17", add_item{"tea"}, as_command("once"));
    REQUIRE(held.log->holds(2));
    REQUIRE_FALSE(rt.close());
    REQUIRE(said(first) == "stored");
    // Its first is stored, so neither `aborted` nor `closed`, which mean "not stored", is true.
    REQUIRE((said(second) == "outcome_unknown" || said(second) == "already stored"));
    REQUIRE(rt.status().commands_in_flight == 0);
}

TEST_CASE("commands that were not decided before the end are answered aborted") {
    held_shop held;
    auto rt = open_shop(held.settings());
    gate inside;
    const auto busy = rt.send("17", run_inside{[&] { inside.pass(); }});
    std::vector<future<receipt>> waiting;
    for (int i = 0; i < 5; ++i)
        waiting.push_back(rt.send("17", add_item{"tea"}));
    REQUIRE(inside.reached());
    // The handler goes on when the runtime has given up waiting: its actors are told to end first.
    const auto parked = rt.ask(shop::demand_for{"tea"}, {1'000, {}}); // answered by the end
    std::jthread later([&] {
        (void)parked.get();
        inside.open();
    });
    REQUIRE_FALSE(rt.close());
    REQUIRE(said(busy) == "nothing to do");
    for (const auto& each : waiting)
        REQUIRE((said(each) == "aborted" || said(each) == "stored"));
    REQUIRE(rt.status().commands_in_flight == 0);
}

TEST_CASE("threads may go on sending while another closes") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    with.close_timeout = std::chrono::milliseconds(200); // the parked queries never finish
    auto rt = open_shop(std::move(with));
    gate under_way;
    std::vector<std::map<std::string, int>> answers(3);
    std::vector<std::jthread> hosts;
    for (std::size_t host = 0; host < 3; ++host)
        hosts.emplace_back([&, host] {
            for (bool open = true; open;) {
                const auto answer = said(
                    rt.send(std::to_string(host), add_item{"tea"}, within(std::chrono::hours(1))));
                ++answers[host][answer];
                (void)rt.ask(shop::demand_for{"tea"}, {1'000'000, std::chrono::hours(1)});
                if (answers[host][answer] == 20)
                    under_way.pass();
                open = answer != "closed";
            }
        });
    REQUIRE(under_way.reached(3));
    under_way.open();
    (void)rt.close();
    for (auto& each : hosts)
        each.join();
    int stored = 0;
    for (auto& each : answers) {
        stored += each["stored"];
        REQUIRE(each["stored"] >= 20);
        REQUIRE(each["closed"] == 1);
        REQUIRE(each.size() <= 3); // and perhaps aborted
    }
    REQUIRE(rt.status().commands_stored == static_cast<std::uint64_t>(stored));
}

TEST_CASE("a future may outlive its runtime") {
    std::optional<future<receipt>> written;
    std::optional<future<int>> asked;
    {
        auto rt = open_shop();
        written.emplace(rt.send("17", add_item{"tea"}));
        asked.emplace(rt.ask(shop::demand_for{"tea"}));
    }
    REQUIRE(said(*written) == "stored");
    REQUIRE(asked->get().has_value());
    bool ran = false;
    written->then([&](const annals::outcome<receipt>& answer) { ran = answer.has_value(); });
    REQUIRE(ran);
}

TEST_CASE("close from inside a handler is refused instead of waiting for itself") {
    auto rt = open_shop();
    std::optional<errc> inside;
    REQUIRE(said(rt.send("17", run_inside{[&] {
                             const auto closed = rt.close();
                             if (!closed)
                                 inside = closed.error().code;
                         }})) == "nothing to do");
    REQUIRE(inside == errc::would_deadlock);
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
}
