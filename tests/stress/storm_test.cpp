#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"
#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

/// Many threads, few residents, other writers, and an end in the middle of it all: every request is
/// answered once, and what was said to be stored is what is there. ThreadSanitizer reports falsely
/// inside the packaged actor framework, so these tests belong to the other sanitizers.

using namespace annals;
using namespace annals::test;
using shop::add_item;

namespace {

constexpr int carts = 40;

std::uint64_t told_seed() {
    const auto seed = random_seed();
    std::printf("ANNALS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    return seed;
}

config crowded(const event_store& store, std::mt19937_64& random) {
    auto with = store.settings();
    with.limits.max_resident_aggregates = 1 + random() % 20;
    with.limits.page_events = 1 + random() % 50;
    with.limits.conflict_retries = 1'000'000;
    with.limits.remembered_commands = 1'000'000;
    return with;
}

/// Units by cart, as the log has them.
std::map<int, int> units_in(const journal& log) {
    std::map<int, int> units;
    for (int cart = 0; cart < carts; ++cart)
        units[cart] = stored_cart(log, std::to_string(cart)).units();
    return units;
}

/// What one host thread has sent and been told.
struct tally {
    std::map<int, int> stored;    ///< units by cart that were acknowledged
    std::map<int, int> uncertain; ///< units that may be there or not
    std::map<std::string, int> answers;
    int unanswered = 0;

    void take(int cart, int units, const annals::outcome<receipt>& answer) {
        const auto what = said(answer);
        ++answers[what];
        if (what == "stored" || what == "already stored")
            stored[cart] += units;
        else if (what == "outcome_unknown")
            uncertain[cart] += units;
    }
};

/// Sends commands for a while, some ahead of their answers.
void send_many(runtime& rt, std::uint64_t seed, int commands, tally& count) {
    struct sent {
        int cart;
        int units;
        future<receipt> coming;
    };
    std::mt19937_64 random(seed);
    std::vector<sent> under_way;
    const auto settle = [&] {
        for (const auto& each : under_way) {
            const auto answer = each.coming.get_for(std::chrono::seconds(60));
            if (answer)
                count.take(each.cart, each.units, *answer);
            else
                ++count.unanswered;
        }
        under_way.clear();
    };
    for (int i = 0; i < commands; ++i) {
        const int cart = static_cast<int>(random() % carts);
        const int units = 1 + static_cast<int>(random() % 9);
        under_way.push_back({cart, units, rt.send(std::to_string(cart), add_item{"tea", units})});
        if (under_way.size() > random() % 64)
            settle();
    }
    settle();
}

} // namespace

TEST_CASE("a storm of commands with few residents and other writers adds up") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto seed = told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto rt = open_shop(crowded(store, random));

    constexpr int hosts = 4;
    std::vector<tally> counts(hosts);
    std::map<int, int> outside;
    {
        std::vector<std::jthread> threads;
        for (auto& count : counts)
            threads.emplace_back(
                [&rt, &count, own = random()] { send_many(rt, own, 1'500, count); });
        threads.emplace_back([&rt, &outside, own = random()] {
            std::mt19937_64 choice(own);
            for (int i = 0; i < 300; ++i) {
                const int cart = static_cast<int>(choice() % carts);
                if (append_outside(rt.journal(), "cart-" + std::to_string(cart),
                                   shop::item_added{"tea", 1}))
                    ++outside[cart];
            }
        });
    }
    std::map<int, int> expected = outside;
    for (auto& count : counts) {
        REQUIRE(count.unanswered == 0);
        REQUIRE(count.answers == std::map<std::string, int>{{"stored", 1'500}});
        for (const auto& [cart, units] : count.stored)
            expected[cart] += units;
    }
    REQUIRE(units_in(rt.journal()) == expected);
    REQUIRE(rt.journal().head() == 6'300);
    int sum = 0;
    for (const auto& [cart, units] : expected)
        sum += units;
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, {6'300, {}})) == std::to_string(sum));
    REQUIRE(rt.status().commands_in_flight == 0);
}

TEST_CASE("everyone who reads after a receipt reads the own write, whatever the storm") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto seed = told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto rt = open_shop(crowded(store, random));

    std::atomic<int> stale{0};
    std::atomic<int> unanswered{0};
    std::atomic<bool> over{false};
    std::atomic<int> backwards{0};
    std::jthread storm([&] { // queries without a wish never go back in time
        for (int before = 0; !over;) {
            const auto seen = rt.ask(shop::look_inside{}).get();
            if (!seen)
                ++unanswered;
            else if (*seen < before)
                ++backwards;
            else
                before = *seen;
        }
    });
    {
        std::vector<std::jthread> hosts;
        for (int host = 0; host < 3; ++host)
            hosts.emplace_back([&, sku = "of host " + std::to_string(host), own = random()] {
                std::mt19937_64 choice(own);
                for (int units = 1; units <= 400; ++units) {
                    const auto written =
                        rt.send(std::to_string(choice() % carts), add_item{sku}).get();
                    const auto seen =
                        written ? rt.ask(shop::demand_for{sku}, after(*written)).get() : 0;
                    if (!written || !seen)
                        ++unanswered;
                    else if (*seen != units)
                        ++stale;
                }
            });
    }
    over = true;
    storm.join();
    REQUIRE(unanswered == 0);
    REQUIRE(stale == 0);
    REQUIRE(backwards == 0);
}

TEST_CASE("a runtime that closes in the middle of a storm answers all and keeps what it said") {
    const auto seed = told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 15; ++round) {
        const event_store store;
        constexpr int hosts = 3;
        std::vector<tally> counts(hosts);
        {
            auto with = crowded(store, random);
            with.close_timeout = std::chrono::milliseconds(random() % 2 * 10'000);
            auto rt = open_shop(std::move(with));
            std::vector<std::jthread> threads;
            for (auto& count : counts)
                threads.emplace_back(
                    [&rt, &count, own = random()] { send_many(rt, own, 1'000, count); });
            const log_position enough = 1 + random() % 800;
            (void)rt.ask(shop::demand_for{"tea"}, {enough, {}}).get(); // until so many are stored
            (void)rt.close();
            threads.clear();
            REQUIRE(rt.status().commands_in_flight == 0);
        }
        std::map<int, int> least;
        std::map<int, int> unsure;
        for (const auto& count : counts) {
            REQUIRE(count.unanswered == 0);
            for (const auto& [cart, units] : count.stored)
                least[cart] += units;
            for (const auto& [cart, units] : count.uncertain)
                unsure[cart] += units;
        }
        auto rt = open_shop(store.settings());
        for (const auto& [cart, units] : units_in(rt.journal())) {
            INFO("round " << round << ", cart " << cart);
            REQUIRE(units >= least[cart]);
            REQUIRE(units <= least[cart] + unsure[cart]); // what was refused is not there
        }
    }
}
