#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <functional>

/// An aggregate that takes long to read holds up its own commands only.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;

namespace {

struct slow_shop {
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    runtime rt;

    explicit slow_shop(const std::function<void(engine_limits&)>& set) : rt(open(log, set)) {}
    static runtime open(std::shared_ptr<holding_journal> log,
                        const std::function<void(engine_limits&)>& set) {
        log->hold_reads("cart-slow");
        auto with = event_store(keeping::in_memory).settings();
        with.journal = std::move(log);
        set(with.limits);
        return open_shop(std::move(with));
    }

    /// So many commands to the slow one, and in turn with them as many to others.
    std::vector<future<receipt>> send(int commands, const std::string& sku = "tea") {
        std::vector<future<receipt>> slow;
        for (int i = 0; i < commands; ++i) {
            slow.push_back(rt.send("slow", add_item{sku}));
            refused_elsewhere += said(rt.send(std::to_string(i % 10), add_item{sku})) != "stored";
        }
        return slow;
    }
    int refused_elsewhere = 0;
};

int count(const std::vector<future<receipt>>& coming, const std::string& answer) {
    int found = 0;
    for (const auto& each : coming)
        found += said(each) == answer;
    return found;
}
int refused_by_now(const std::vector<future<receipt>>& coming) {
    int found = 0;
    for (const auto& each : coming)
        found += each.is_ready() && said(each) == "overloaded";
    return found;
}

} // namespace

TEST_CASE("commands that wait for their aggregate to be read count as waiting") {
    slow_shop shop([](auto& limits) { limits.max_commands_waiting_per_aggregate = 20; });
    const auto coming = shop.send(100);
    REQUIRE(shop.refused_elsewhere == 0);
    REQUIRE(refused_by_now(coming) == 80);
    REQUIRE(shop.rt.status().commands_in_flight == 20);
    shop.log->let_read();
    REQUIRE(count(coming, "stored") == 20);
    REQUIRE(said(shop.rt.send("slow", confirm_units{20})) == "nothing to do");
    REQUIRE(count(shop.send(20), "stored") == 20); // all that waited were counted off
}

TEST_CASE("one aggregate takes no more than half of the commands in flight, however they are set") {
    slow_shop shop([](auto& limits) { limits.max_commands_in_flight = 40; });
    const auto coming = shop.send(100);
    REQUIRE(shop.refused_elsewhere == 0);
    REQUIRE(refused_by_now(coming) == 80);
    shop.log->let_read();
    REQUIRE(count(coming, "stored") == 20);
}

TEST_CASE("one aggregate takes no more than half of the memory for commands") {
    slow_shop shop([](auto& limits) { limits.max_command_bytes_in_flight = 2'000'000; });
    const auto coming = shop.send(50, std::string(100'000, 'x'));
    REQUIRE(shop.refused_elsewhere == 0);
    REQUIRE(refused_by_now(coming) == 41);
    shop.log->let_read();
    REQUIRE(count(coming, "stored") == 9);
    REQUIRE(shop.rt.status().command_bytes_in_flight == 0);
}

TEST_CASE("a stream that cannot be read in the end gives back what waited for it") {
    slow_shop shop([](auto& limits) { limits.max_commands_waiting_per_aggregate = 20; });
    const auto coming = shop.send(50);
    shop.log->fail_reads(error{errc::io_error, "cannot read"});
    // Who waits to read has asked before; what it reads now is an empty stream.
    shop.log->let_read();
    REQUIRE(count(coming, "stored") + count(coming, "io_error") == 20);
    shop.log->fail_reads(std::nullopt);
    REQUIRE(count(shop.send(20), "stored") == 20);
}
