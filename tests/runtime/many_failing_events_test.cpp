#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>

/// What many failing events cost a view in memory: not a new beginning for each of them.

using namespace annals;
using namespace annals::test;

namespace {

struct careful_positions;
struct positions_taken {
    using view = careful_positions;
};
/// Fails at items called "bad", half way.
struct careful_positions {
    static constexpr std::string_view name = "careful";
    using event = std::variant<shop::item_added>;
    using query = std::variant<positions_taken>;
    std::vector<log_position> taken;
    static inline std::atomic<std::size_t> evolved{0};
};
void evolve(careful_positions& to, const shop::item_added& happened, const logged_context& at) {
    ++careful_positions::evolved;
    to.taken.push_back(at.position);
    if (happened.sku == "bad")
        throw std::runtime_error("cannot take it");
}
std::vector<log_position> answer(const careful_positions& of, const positions_taken&) {
    return of.taken;
}

/// Appends one item for each of `bad`.
void append_items(journal& to, const std::vector<bool>& bad) {
    std::vector<owned_commit> commits;
    for (std::size_t i = 0; i != bad.size(); ++i) {
        if (i % 100 == 0) {
            commits.emplace_back();
            commits.back().stream = "cart-" + std::to_string(i / 100);
            commits.back().about.command_id = random_ids()->next();
        }
        commits.back().events.push_back({std::string(event_name<shop::item_added>()),
                                         to_bytes(shop::item_added{bad[i] ? "bad" : "good"})});
    }
    for (const auto& each : append_and_wait(to, std::move(commits)))
        REQUIRE(each);
}

} // namespace

TEST_CASE("many failing events do not have a view in memory folded again for each of them") {
    constexpr std::size_t events = 6'000;
    constexpr std::size_t page = 16;
    const bool together = GENERATE(true, false);
    CAPTURE(together);
    std::vector<bool> bad(events);
    std::vector<log_position> good;
    const std::size_t failing = together ? 100 : 60;
    for (std::size_t i = 0; i != events; ++i) {
        bad[i] = together ? i >= events - 200 && i % 2 == 0 : i % 100 == 99;
        if (!bad[i])
            good.push_back(i + 1);
    }
    auto with = event_store(keeping::in_memory).settings();
    with.clock = std::make_shared<manual_clock>(); // a copy takes no time, so there is always one
    with.limits.page_events = page;
    append_items(*with.journal, bad);
    careful_positions::evolved = 0;
    projection_options options;
    options.on_failure.then = failure_policy::last_resort::set_aside;
    auto rt =
        runtime::open(std::move(with), host<shop::cart>, host<careful_positions>(options)).value();
    REQUIRE(eventually(rt, [&] { return status_of(rt, "careful").position == events; }));
    REQUIRE(rt.ask(positions_taken{}, latest()).get().value() == good);
    REQUIRE(status_of(rt, "careful").set_aside == failing);
    // Once, once more up to the first failure, and a page or two for each of the others.
    const auto first_bad =
        static_cast<std::size_t>(std::find(bad.begin(), bad.end(), true) - bad.begin());
    REQUIRE(careful_positions::evolved <= events + first_bad + failing * 2 * page);
}
