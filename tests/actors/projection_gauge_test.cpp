#include "projection_gauge.hpp"

#include "annals/host.hpp"
#include "support/shop.hpp"

#include <catch2/catch.hpp>

/// What the status of a projection says of its progress, computed by hand.

using namespace annals;
using namespace std::chrono_literals;
using state = projection_status::state;

namespace {

constexpr steady_time start{1'000s};

/// A gauge of a projection that stands at `position` since `start`.
struct standing_gauge {
    explicit standing_gauge(log_position position = 0) : gauge(*demand.projection, {}) {
        gauge.stands_at(position);
    }
    /// A hundred positions in each of so many seconds, beginning at `start`.
    void moves_for(int seconds) {
        for (int i = 0; i != seconds; ++i)
            gauge.reached(gauge.position() + 100, 50, {}, start + std::chrono::seconds(i));
    }

    const hosted demand = host<shop::demand>;
    projection_gauge gauge;
};

} // namespace

TEST_CASE("a projection at 100 positions a second is 500 behind for another five seconds") {
    standing_gauge at;
    at.moves_for(5);
    const auto status = at.gauge.read(1'000, start + 5s);
    CHECK(status.now == state::catching_up);
    CHECK(status.position == 500);
    CHECK(status.events == 250);
    CHECK(status.lag == 500);
    CHECK(status.per_second == Approx(100));
    CHECK(status.time_left == 5s);
    CHECK(status.behind_for == 5s);
}

TEST_CASE("where a projection stood at opening is no progress") {
    standing_gauge at(1'000'000);
    at.moves_for(1);
    const auto status = at.gauge.read(1'000'200, start + 500ms);
    CHECK(status.per_second == Approx(200)); // 100 in half a second
    CHECK(status.time_left == 500ms);
}

TEST_CASE("the rate is that of the last ten seconds, and none is no estimate") {
    standing_gauge at;
    at.moves_for(5);
    CHECK(at.gauge.read(1'000, start + 10s).per_second == Approx(50));
    const auto later = at.gauge.read(1'000, start + 60s);
    CHECK(later.per_second == 0);
    CHECK_FALSE(later.time_left);
    CHECK(later.behind_for == 60s);
}

TEST_CASE("before the first event there is neither a rate nor an estimate") {
    const standing_gauge at;
    const auto status = at.gauge.read(1'000, start);
    CHECK(status.per_second == 0);
    CHECK_FALSE(status.time_left);
    CHECK(status.behind_for == 0s);
}

TEST_CASE(
    "a projection that has read to the log's end is live, and says since when it is not there") {
    standing_gauge at;
    at.gauge.reached(10, 10, start, start);
    auto status = at.gauge.read(10, start + 3s);
    CHECK(status.now == state::live);
    CHECK(status.lag == 0);
    CHECK(status.time_left == 0s);
    CHECK(status.behind_for == 0s);
    status = at.gauge.read(14, start + 3s);
    CHECK(status.now == state::live);
    CHECK(status.lag == 4);
    CHECK(status.behind_for == 3s);
}

TEST_CASE("a rebuild says how far it is and how long it will take, beside what serves") {
    standing_gauge at;
    at.gauge.reached(1'000, 1'000, start, start);
    at.gauge.rebuilds(rebuild_status{2, 0, {}});
    at.gauge.rebuilt_up_to(0, start);
    CHECK_FALSE(at.gauge.read(1'000, start + 1s).rebuilding->time_left); // nothing is known yet
    at.gauge.rebuilt_up_to(250, start + 1s);
    const auto status = at.gauge.read(1'000, start + 1s);
    CHECK(status.position == 1'000);
    CHECK(status.rebuilding->version == 2);
    CHECK(status.rebuilding->position == 250);
    CHECK(status.rebuilding->time_left == 3s);
    at.gauge.rebuilt_up_to(1'000, start + 4s);
    CHECK(at.gauge.read(1'000, start + 4s).rebuilding->time_left == 0s);
    at.gauge.rebuilds({});
    CHECK_FALSE(at.gauge.read(1'000, start + 4s).rebuilding);
}

TEST_CASE("how a projection is run comes before how far it is") {
    standing_gauge at;
    at.gauge.reached(10, 10, start, start);
    const auto [mode, shown] = GENERATE(
        table<projection_gauge::mode, state>({{projection_gauge::mode::paused, state::paused},
                                              {projection_gauge::mode::failed, state::failed},
                                              {projection_gauge::mode::retrying, state::retrying},
                                              {projection_gauge::mode::stopped, state::stopped},
                                              {projection_gauge::mode::running, state::live}}));
    at.gauge.is(mode);
    CHECK(at.gauge.read(10, start).now == shown);
}
