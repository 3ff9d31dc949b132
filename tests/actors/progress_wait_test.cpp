#include "simulation.hpp"
#include "wait_actor.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <stdexcept>
#include <vector>

/// Waiting for projections in numbers: how many may, who does the work, and in which portions.
namespace {

using annals::errc;
using annals::log_position;
using annals::result;
using simulation::world;
using std::chrono::milliseconds;

struct add {};
struct added {
    int value = 0;
    ANNALS_EVENT(added, "counter.added", value)
};
struct counter {
    static constexpr std::string_view name = "counter";
    using command = std::variant<add>;
    using event = std::variant<added>;
    using decision = annals::decision<event>;
};
counter::decision decide(const counter&, const add&) {
    return added{1};
}
void evolve(counter&, const added&) {}

struct how_many {};
struct seen {
    static constexpr std::string_view name = "seen";
    using event = std::variant<added>;
    using query = std::variant<how_many>;
    int events = 0;
};
void evolve(seen& view, const added&) {
    ++view.events;
}
int answer(const seen& view, const how_many&) {
    return view.events;
}
struct other {
    static constexpr std::string_view name = "other";
    using event = std::variant<added>;
    using query = std::variant<how_many>;
    int events = 0;
};
void evolve(other& view, const added&) {
    ++view.events;
}
[[maybe_unused]] int answer(const other& view, const how_many&) {
    return view.events;
}

/// Waits for the projections and counts what becomes of it.
class waiting {
public:
    explicit waiting(std::size_t at_most, std::uint32_t seed = 1)
        : world_(seed, limits(at_most),
                 {annals::host<counter>, annals::host<seen>, annals::host<other>}) {
        world_.run_until_quiet();
    }
    void wait(log_position position, milliseconds timeout, std::vector<std::string> on = {"seen"}) {
        world_.engine().when_reached(
            on, position, world_.clock->steady() + timeout, [this](const result<void>& came) {
                ++came_[came ? "reached" : std::string(to_string(came.error().code))];
                if (!came)
                    last_ = came.error().message;
            });
    }
    void store(int events) {
        for (int i = 0; i != events; ++i)
            (void)world_.send("1", add{});
        world_.run_until_quiet();
    }
    world& in() { return world_; }
    std::size_t told(const std::string& how) { return came_[how]; }
    const std::string& last_message() const { return last_; }
    std::size_t count() { return world_.engine().status().waits; }

private:
    static annals::engine_limits limits(std::size_t at_most) {
        annals::engine_limits made;
        made.max_waits = at_most;
        return made;
    }
    std::map<std::string, std::size_t> came_;
    std::string last_;
    world world_; ///< last: while it ends, it still tells the rest
};

} // namespace

TEST_CASE("so many may wait for projections and more are overloaded, until some are answered") {
    waiting all(1'000);
    for (int i = 0; i != 1'500; ++i)
        all.wait(1, milliseconds(100));
    CHECK(all.told("overloaded") == 500);
    CHECK(all.last_message().find("max_waits") != std::string::npos);
    all.in().run_until_quiet();
    CHECK(all.count() == 1'000);
    all.store(1);
    CHECK(all.told("reached") == 1'000);
    CHECK(all.count() == 0);
    all.wait(2, milliseconds(100));
    all.in().run_until_quiet();
    CHECK(all.count() == 1);
    all.in().pass(milliseconds(101));
    all.in().run_until_quiet();
    CHECK(all.told("version_out_of_reach") == 1);
    CHECK(all.last_message().find("\"seen\" is at position 1 and did not reach 2") !=
          std::string::npos);
    CHECK(all.count() == 0);
}

TEST_CASE("200,000 who wait are all answered, whether they expire or are there") {
    waiting all(200'000);
    for (int i = 0; i != 200'000; ++i)
        all.wait(static_cast<log_position>(1 + i % 100), milliseconds(50 + i % 3),
                 i % 2 == 0 ? std::vector<std::string>{"seen"}
                            : std::vector<std::string>{"seen", "other", "seen"});
    all.in().run_until_quiet();
    CHECK(all.count() == 200'000);
    all.store(50);
    CHECK(all.told("reached") == 100'000);
    all.in().pass(milliseconds(100));
    all.in().run_until_quiet();
    CHECK(all.told("version_out_of_reach") == 100'000);
    CHECK(all.count() == 0);
}

TEST_CASE("those who wait and expire at once are answered in portions, and delay nobody else") {
    waiting all(20'000);
    for (int i = 0; i != 20'000; ++i)
        all.wait(7, milliseconds(50));
    all.in().run_until_quiet();
    auto request = std::make_shared<annals::typed_query<seen, how_many>>(how_many{});
    request->at_least = 9;
    request->deadline = all.in().clock->steady() + milliseconds(51);
    annals::future<int> parked(request);
    all.in().engine().ask(std::move(request));
    all.in().run_until_quiet();
    all.in().pass(milliseconds(60));
    CHECK(parked.is_ready()); // by looking at the clock once, which does nothing for the others
    CHECK(all.told("version_out_of_reach") == 0);
    auto later = all.in().ask<seen>(how_many{});
    int steps = 0;
    for (; !later.is_ready() && all.in().step(); ++steps)
        REQUIRE(all.told("version_out_of_reach") <=
                static_cast<std::size_t>(steps + 1) * annals::wait_actor::most_at_once);
    CHECK(all.told("version_out_of_reach") < 20'000);
    all.in().run_until_quiet();
    CHECK(all.told("version_out_of_reach") == 20'000);
}

TEST_CASE("who waits is never answered by whoever stores, moves a projection or asks") {
    waiting all(1'000);
    all.store(3);
    all.wait(2, milliseconds(100)); // it is there
    CHECK(all.told("reached") == 0);
    all.in().run_until_quiet();
    CHECK(all.told("reached") == 1);
    for (int i = 0; i != 900; ++i)
        all.wait(4, milliseconds(100));
    all.in().run_until_quiet();
    (void)all.in().send("1", add{});
    std::size_t before = 1;
    while (all.in().step()) { // in no step more than its portion
        REQUIRE(all.told("reached") - before <= annals::wait_actor::most_at_once);
        before = all.told("reached");
    }
    CHECK(all.told("reached") == 901);
}

TEST_CASE("all who wait are told when the engine stops, and so is who asks later") {
    waiting all(10'000);
    for (int i = 0; i != 5'000; ++i)
        all.wait(7, milliseconds(50));
    all.in().run_until_quiet();
    for (int i = 0; i != 5'000; ++i)
        all.wait(7, milliseconds(50)); // on their way
    all.in().engine().stop_actors();
    all.in().run_until_quiet();
    CHECK(all.told("closed") == 10'000);
    all.wait(7, milliseconds(50));
    CHECK(all.told("closed") == 10'001);
    CHECK(all.count() == 0);
}

TEST_CASE("waiting survives positions that fall and rise under every interleaving") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        waiting all(1'000, seed);
        std::size_t waits = 0;
        for (int i = 0; i != 60; ++i) {
            if (all.in().below(2) == 0)
                (void)all.in().send("1", add{});
            for (std::size_t n = all.in().below(4); n != 0; --n, ++waits)
                all.wait(all.in().journal->head() + all.in().below(3),
                         milliseconds(all.in().below(40)),
                         all.in().below(2) == 0 ? std::vector<std::string>{"seen"}
                                                : std::vector<std::string>{"other", "seen"});
            if (all.in().below(10) == 0) {
                auto reset = std::make_shared<annals::control_request>(
                    annals::control_request::action::reset, 0);
                all.in().engine().control("seen", std::move(reset));
            }
            all.in().step_some(6);
            if (all.in().below(4) == 0)
                all.in().pass(milliseconds(all.in().below(20)));
        }
        all.in().run_until_quiet();
        all.in().pass(milliseconds(100));
        all.in().run_until_quiet();
        REQUIRE(all.told("reached") + all.told("version_out_of_reach") == waits);
        REQUIRE(all.count() == 0);
    }
}
