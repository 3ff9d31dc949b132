#include "support/gate.hpp"
#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// What commands hold is counted as it is, and given back to the byte.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::remove_item;
using shop::run_inside;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kib = 1'024;
constexpr std::size_t large = 64 * kib;
std::string text() {
    return std::string(large, 'x');
}

struct measured_shop {
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::shared_ptr<holding_journal> log = std::make_shared<holding_journal>(make_memory_journal());
    runtime rt;

    explicit measured_shop(std::size_t budget = std::size_t{64} << 20) : rt(open(budget)) {}
    [[nodiscard]] std::size_t held() const { return rt.status().command_bytes_in_flight; }
    runtime open(std::size_t budget) const {
        auto with = event_store(keeping::in_memory).settings();
        with.clock = clock;
        with.journal = log;
        with.limits.max_command_bytes_in_flight = budget;
        return open_shop(std::move(with));
    }
};

send_options with_metadata() {
    send_options options;
    options.about.actor = std::string(8 * kib, 'a');
    options.about.extra["note"] = std::string(8 * kib, 'n');
    return options;
}

} // namespace

TEST_CASE("a command counts for what it holds without saying so") {
    measured_shop shop;
    gate inside;
    const auto busy = shop.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const std::size_t before = shop.held();
    const auto one = shop.rt.send("17", add_item{text()});
    const std::size_t with_one = shop.held();
    REQUIRE(with_one - before >= large);
    REQUIRE(with_one - before < large + 4 * kib);
    const auto other = shop.rt.send("17", add_item{"tea"}, with_metadata());
    REQUIRE(shop.held() - with_one >= 16 * kib);
    REQUIRE(shop.held() - with_one < 20 * kib);
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(said(one) == "stored");
    REQUIRE(said(other) == "stored");
    REQUIRE(shop.held() == 0);
}

TEST_CASE("events count from the decision on, and keep others out") {
    measured_shop shop(3 * large);
    shop.log->hold();
    const auto first = shop.rt.send("17", add_item{text()});
    REQUIRE(shop.log->holds(1));
    REQUIRE(shop.held() >= 2 * large);
    const auto refused = shop.rt.send("18", add_item{text()});
    REQUIRE(said(refused) == "overloaded");
    shop.log->release();
    REQUIRE(said(first) == "stored");
    REQUIRE(shop.held() == 0);
    REQUIRE(said(shop.rt.send("18", add_item{text()})) == "stored");
    REQUIRE(shop.held() == 0);
}

TEST_CASE("whoever has the answer finds the memory given back, whatever the answer is") {
    measured_shop shop;
    const auto answered = [&](const future<receipt>& coming) {
        const auto how = said(coming);
        return shop.held() == 0 ? how : how + ", and still held";
    };
    for (int round = 0; round < 200; ++round) {
        REQUIRE(answered(shop.rt.send("17", add_item{text()}, as_command("once"))) ==
                (round == 0 ? "stored" : "already stored"));
        REQUIRE(answered(shop.rt.send("17", remove_item{text() + "y"})) == "rejected: not in cart");
        REQUIRE(answered(shop.rt.send("17", add_item{text(), 0})) == "nothing to do");
        REQUIRE(answered(shop.rt.send("17", add_item{std::string(2'000 * kib, 'x')})) ==
                "too_large");
        REQUIRE(answered(shop.rt.send("", add_item{text()})) == "invalid_argument");
        REQUIRE(answered(shop.rt.send("17", add_item{"tea"}, with_metadata())) == "stored");
        shop.log->fail_next(errc::disk_full);
        REQUIRE(answered(shop.rt.send("17", add_item{text()})) == "disk_full");
        REQUIRE(answered(shop.rt.send("17", add_items{{text(), text()}})) == "stored");
    }
}

TEST_CASE("what a deadline has answered counts until the journal is through with it") {
    measured_shop shop;
    shop.log->hold();
    const auto coming = shop.rt.send("17", add_item{text()}, within(5s));
    REQUIRE(shop.log->holds(1));
    let_pass(6s, *shop.clock, shop.rt);
    REQUIRE(said(coming) == "outcome_unknown");
    REQUIRE(shop.rt.status().commands_in_flight == 0);
    REQUIRE(shop.held() >= 2 * large);
    shop.log->release();
    REQUIRE(said(shop.rt.send("17", add_item{"tea"})) == "stored"); // after the other
    REQUIRE(shop.held() == 0);
    REQUIRE(stored_cart(*shop.log, "17").units() == 2);
}

TEST_CASE("what a deadline has answered before it was begun is let go of at once") {
    measured_shop shop;
    gate inside;
    const auto busy = shop.rt.send("17", run_inside{[&] { inside.pass(); }});
    REQUIRE(inside.reached());
    const std::size_t before = shop.held();
    const auto coming = shop.rt.send("17", add_item{text()}, within(5s));
    let_pass(6s, *shop.clock, shop.rt);
    REQUIRE(said(coming) == "deadline_exceeded");
    REQUIRE(shop.held() == before);
    inside.open();
    REQUIRE(said(busy) == "nothing to do");
    REQUIRE(said(shop.rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(shop.held() == 0);
}
