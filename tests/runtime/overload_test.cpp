#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <functional>

/// More than a runtime is configured to hold is answered `overloaded`, at once; none is lost.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;
using shop::run_inside;

namespace {

struct limited_shop {
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    runtime rt;

    explicit limited_shop(const std::function<void(engine_limits&)>& set) : rt(open(log, set)) {}
    static runtime open(std::shared_ptr<holding_journal> log,
                        const std::function<void(engine_limits&)>& set) {
        auto with = event_store(keeping::in_memory).settings();
        with.journal = std::move(log);
        set(with.limits);
        return open_shop(std::move(with));
    }
};

std::map<std::string, int> counted(const std::vector<future<receipt>>& coming) {
    std::map<std::string, int> answers;
    for (const auto& each : coming)
        ++answers[said(each)];
    return answers;
}
using tally = std::map<std::string, int>;

} // namespace

TEST_CASE("more commands in flight than allowed are answered overloaded") {
    limited_shop limited([](auto& limits) { limits.max_commands_in_flight = 10; });
    limited.log->hold();
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 10; ++i)
        coming.push_back(limited.rt.send(std::to_string(i), add_item{"tea"}));
    for (int i = 0; i < 5; ++i) {
        coming.push_back(limited.rt.send(std::to_string(i), add_item{"tea"}));
        REQUIRE(coming.back().is_ready()); // at once
    }
    REQUIRE(limited.rt.status().commands_in_flight == 10);
    limited.log->release();
    REQUIRE(counted(coming) == tally{{"stored", 10}, {"overloaded", 5}});
    REQUIRE(mentions(coming.back(), "10"));
    REQUIRE(said(limited.rt.send("17", add_item{"tea"})) == "stored");
}

TEST_CASE("commands that hold more memory than allowed are answered overloaded") {
    limited_shop limited([](auto& limits) { limits.max_command_bytes_in_flight = 4'000'000; });
    limited.log->hold();
    const add_item large{std::string(900'000, 'x')};
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 2; ++i) {
        coming.push_back(limited.rt.send(std::to_string(i), large));
        REQUIRE(limited.log->holds(coming.size())); // its event counts, too
    }
    for (int i = 2; i < 5; ++i)
        coming.push_back(limited.rt.send(std::to_string(i), large));
    REQUIRE(limited.rt.status().command_bytes_in_flight > 3'600'000);
    limited.log->release();
    REQUIRE(counted(coming) == tally{{"stored", 2}, {"overloaded", 3}});
    REQUIRE(said(limited.rt.send("17", large)) == "stored");
    REQUIRE(limited.rt.status().command_bytes_in_flight == 0);
}

TEST_CASE("a command larger than all commands may be is too large, whatever is in flight") {
    limited_shop limited([](auto& limits) { limits.max_command_bytes_in_flight = 200'000; });
    const auto refused = limited.rt.send("17", add_item{std::string(300'000, 'x')});
    REQUIRE(said(refused) == "too_large");
    REQUIRE(mentions(refused, "200000"));
    REQUIRE(mentions(refused, "raise engine_limits::max_command_bytes_in_flight"));
    REQUIRE(limited.rt.status().command_bytes_in_flight == 0);

    limited.log->hold();
    const auto coming = limited.rt.send("17", add_item{std::string(80'000, 'x')});
    REQUIRE(limited.log->holds(1)); // its event counts, too
    REQUIRE(said(limited.rt.send("17", add_item{std::string(300'000, 'x')})) == "too_large");
    REQUIRE(said(limited.rt.send("17", add_item{std::string(80'000, 'x')})) == "overloaded");
    limited.log->release();
    REQUIRE(said(coming) == "stored");
    REQUIRE(said(limited.rt.send("17", add_item{std::string(80'000, 'x')})) == "stored");
}

TEST_CASE("metadata larger than all commands may be is too large for the journal first") {
    const event_store store(keeping::on_disk);
    auto with = store.settings();
    with.limits.max_command_bytes_in_flight = 200'000;
    auto rt = open_shop(std::move(with));
    send_options options;
    options.about.extra["note"] = std::string(300'000, 'n');
    const auto described = rt.send("17", add_item{"tea"}, options);
    REQUIRE(said(described) == "too_large");
    REQUIRE(
        mentions(described, "metadata of 300004 bytes")); // raising the other limit would not help
}

TEST_CASE("a command that waits alone may be larger than those of one aggregate together") {
    limited_shop limited(
        [](auto& limits) { limits.max_command_bytes_waiting_per_aggregate = 10'000; });
    gate inside;
    const auto busy = limited.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const auto alone = limited.rt.send("17", add_item{std::string(80'000, 'x')});
    REQUIRE(said(limited.rt.send("17", add_item{"tea"})) == "overloaded");
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(said(alone) == "stored");
}

TEST_CASE("more commands waiting for one aggregate than allowed are answered overloaded") {
    limited_shop limited([](auto& limits) { limits.max_commands_waiting_per_aggregate = 7; });
    gate inside;
    std::vector<future<receipt>> coming;
    const auto busy = limited.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    for (int i = 0; i < 20; ++i)
        coming.push_back(limited.rt.send("17", add_item{"tea"}));
    REQUIRE(said(limited.rt.send("18", add_item{"tea"})) == "stored"); // others go on
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(counted(coming) == tally{{"stored", 7}, {"overloaded", 13}});
    REQUIRE(said(limited.rt.send("17", confirm_units{7})) == "nothing to do");
    REQUIRE(limited.rt.status().commands_in_flight == 0);
}

TEST_CASE("more queries than allowed are answered overloaded") {
    limited_shop limited([](auto& limits) { limits.max_queries_in_flight = 4; });
    std::vector<future<int>> coming;
    for (int i = 0; i < 6; ++i)
        coming.push_back(limited.rt.ask(shop::demand_for{"tea"}, {1, {}}));
    REQUIRE(limited.rt.status().queries_in_flight == 4);
    REQUIRE(said(coming[4]) == "overloaded");
    REQUIRE(said(coming[5]) == "overloaded");
    const auto written = limited.rt.send("17", add_item{"tea"}).get().value();
    for (std::size_t i = 0; i < 4; ++i)
        REQUIRE(said(coming[i]) == "1");
    REQUIRE(said(limited.rt.ask(shop::demand_for{"tea"}, after(written))) == "1");
    REQUIRE(limited.rt.status().queries_failed == 2);
}

TEST_CASE("who waits for each answer before the next request never meets a limit") {
    limited_shop limited([](auto& limits) {
        limits.max_commands_in_flight = 1;
        limits.max_queries_in_flight = 1;
    });
    int refused = 0;
    for (int i = 0; i < 5'000; ++i) {
        refused += !limited.rt.send(std::to_string(i % 5), add_item{"tea"}).get();
        refused += !limited.rt.ask(shop::demand_for{"tea"}).get();
    }
    REQUIRE(refused == 0);
}

TEST_CASE("a journal that is overloaded fails the command and the aggregate goes on") {
    limited_shop limited([](auto&) {});
    limited.log->fail_next(errc::overloaded);
    REQUIRE(said(limited.rt.send("17", add_item{"tea"})) == "overloaded");
    REQUIRE(said(limited.rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(limited.rt.send("17", confirm_units{1})) == "nothing to do");
}
