#include "tally_history.hpp"

/// How many aggregates are in memory, and which: under seeded interleavings, and without a look at the clock
/// unless a test passes time.

using namespace tally_history;

namespace {

annals::engine_limits room_for(std::size_t aggregates) {
    auto limits = small();
    limits.idle_timeout = std::chrono::hours(1);
    limits.max_resident_aggregates = aggregates;
    return limits;
}

/// An aggregate that loses its state with each event it decides.
struct lose {};
struct lost {
    ANNALS_EVENT(lost, "losers.lost")
};
struct losers {
    static constexpr std::string_view name = "losers";
    using command = std::variant<lose>;
    using event = std::variant<lost>;
    using decision = annals::decision<event>;
};
losers::decision decide(const losers&, const lose&) {
    return lost{};
}
void evolve(losers&, const lost&) {
    throw std::runtime_error("cannot be folded");
}

} // namespace

TEST_CASE("when all is answered no more aggregates are in memory than may be") {
    for (std::uint32_t seed = 1; seed <= seeds / 4; ++seed) {
        INFO("seed " << seed);
        world w(seed, room_for(1 + seed % 20), {annals::host<tally>, annals::host<losers>});
        w.journal->fail_by([&](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(10) != 0)
                return std::nullopt;
            return annals::error{annals::errc::disk_full, "simulated"};
        });
        std::vector<annals::future<annals::receipt>> answers;
        for (int i = 0; i < 200; ++i) {
            const auto to = std::to_string(w.below(150));
            if (w.below(8) == 0)
                answers.push_back(w.send(to, lose{}));
            else // one in twelve is rejected, one throws
                answers.push_back(w.send(to, add{static_cast<int>(w.below(15)) - 1}));
            w.step_some(12);
        }
        w.run_until_quiet();
        for (const auto& each : answers)
            REQUIRE(each.is_ready());
        REQUIRE(w.engine().status().resident_aggregates <= 1 + seed % 20);
    }
}

TEST_CASE("many commands to new aggregates leave no more of them in memory than may be") {
    world w(7, room_for(10), {annals::host<tally>});
    std::vector<annals::future<annals::receipt>> answers;
    for (int i = 0; i < 2'000; ++i)
        answers.push_back(w.send(std::to_string(i), add{1}));
    w.run_until_quiet();
    REQUIRE(w.engine().status().resident_aggregates == 10);
    for (const auto& each : answers)
        REQUIRE(each.get().has_value());
}

TEST_CASE("aggregates in use stay in memory when others come and go") {
    constexpr int used = 128;
    constexpr int others = 3'000;
    world w(3, room_for(5 * used), {annals::host<tally>});
    for (int i = 0; i < others; ++i) {
        (void)w.send("other " + std::to_string(i), add{1});
        (void)w.send("used " + std::to_string(i % used), add{1});
        w.clock->advance(std::chrono::milliseconds(1));
        w.step_some(20);
    }
    w.run_until_quiet();
    const auto status = w.engine().status();
    REQUIRE(status.resident_aggregates == 5 * used);
    CHECK(status.rehydrations < others + used + used / 4);
}

TEST_CASE("idle aggregates leave some at a time") {
    auto limits = room_for(10'000);
    limits.idle_timeout = std::chrono::minutes(1);
    world w(1, limits, {annals::host<tally>});
    for (int i = 0; i < 1'000; ++i)
        (void)w.send(std::to_string(i), add{1});
    w.run_until_quiet();
    std::size_t before = w.engine().status().resident_aggregates;
    REQUIRE(before == 1'000);
    w.clock->advance(std::chrono::minutes(2));
    for (int looks = 0; looks != 4; ++looks) {
        const auto next = w.engine().tick();
        w.run_until_quiet();
        const std::size_t now = w.engine().status().resident_aggregates;
        REQUIRE(before - now > 0);
        REQUIRE(before - now <= 256);
        before = now;
        if (now != 0) // the rest leaves soon
            REQUIRE(next <= w.clock->steady() + std::chrono::milliseconds(10));
        w.clock->advance(std::chrono::milliseconds(10));
    }
    REQUIRE(before == 0);
}
