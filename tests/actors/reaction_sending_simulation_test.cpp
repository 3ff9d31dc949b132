#include "simulation.hpp"
#include "support/expected_leaks.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

/// Reactions that send commands, through lives that close in good order or die at any step: every event
/// is dealt with, none is held against itself because a runtime closed, and no command is stored twice.
namespace {

using annals::delivery;
using annals::log_position;
using annals::receipt;

// --- the domain --------------------------------------------------------------------------------------

struct place {
    int units = 0;
};
struct cancel {
    int units = 0;
};
struct placed {
    int units = 0;
    ANNALS_EVENT(placed, "order.placed", units)
};
struct cancelled {
    int units = 0;
    ANNALS_EVENT(cancelled, "order.cancelled", units)
};
struct order {
    static constexpr std::string_view name = "order";
    using command = std::variant<place, cancel>;
    using event = std::variant<placed, cancelled>;
    using decision = annals::decision<event>;
};
order::decision decide(const order&, const place& c) {
    return placed{c.units};
}
order::decision decide(const order&, const cancel& c) {
    return cancelled{c.units};
}
void evolve(order&, const placed&) {}
void evolve(order&, const cancelled&) {}

/// Every seventh unit is refused.
struct reserve {
    int units = 0;
};
struct reserved {
    int units = 0;
    ANNALS_EVENT(reserved, "stock.reserved", units)
};
struct stock {
    static constexpr std::string_view name = "stock";
    using command = std::variant<reserve>;
    using event = std::variant<reserved>;
    using decision = annals::decision<event>;
};
stock::decision decide(const stock&, const reserve& c) {
    if (c.units % 7 == 0)
        return annals::reject("sold out");
    return reserved{c.units};
}
void evolve(stock&, const reserved&) {}

struct nothing_seen;
struct seen_by_nobody {
    using view = nothing_seen;
};
struct nothing_seen {
    static constexpr std::string_view name = "nothing_seen";
    using event = std::variant<placed>;
    using query = std::variant<seen_by_nobody>;
};
void evolve(nothing_seen&, const placed&) {}
int answer(const nothing_seen&, const seen_by_nobody&) {
    return 0;
}

// --- the reaction ------------------------------------------------------------------------------------

/// What happened to the events, over all lives.
struct witness {
    std::map<log_position, unsigned> delivered;
    std::map<log_position, unsigned> dealt_with;
    std::map<std::string, log_position, std::less<>> latest; ///< of each stream, in this life
    unsigned unflagged_again = 0;
    unsigned out_of_order = 0;
    unsigned refused = 0;
    /// Asks what will not be answered before the end; empty: it does not.
    std::function<annals::future<int>()> wait_in_vain;
};
witness& seen() {
    static witness only;
    return only;
}

void begins(const delivery& about) {
    auto& all = seen();
    all.unflagged_again += all.delivered[about.position]++ > 0 && !about.redelivered ? 1U : 0U;
    auto& last = all.latest[std::string(about.stream)];
    all.out_of_order += about.position < last ? 1U : 0U;
    last = about.position;
}

struct glue {
    static constexpr std::string_view name = "glue";
    using event = std::variant<placed, cancelled>;
};
annals::future<receipt> react(glue&, const placed& e, const delivery& about) {
    begins(about);
    return about.send("shelf-" + std::to_string(e.units % 3), reserve{e.units});
}
/// Two commands one after the other; and now and then it waits for what will never come.
annals::reaction_task react(glue&, const cancelled& e, const delivery& about) {
    begins(about);
    const auto at = about.position;
    const std::string stream(about.stream);
    auto first = about.send("back", reserve{e.units});
    const auto came = co_await first;
    if (came.is_rejected())
        ++seen().refused;
    else
        came.value();
    if (e.units % 5 == 0 && seen().wait_in_vain) {
        auto never = seen().wait_in_vain();
        (co_await never).value();
    }
    auto second = about.send("back", reserve{e.units + 1'000});
    const auto then = co_await second;
    if (then.is_error())
        then.value();
    ++seen().dealt_with[at];
    seen().out_of_order +=
        seen().latest[stream] == at ? 0U : 1U; // none of its stream began meanwhile
}

// --- a history ---------------------------------------------------------------------------------------

class history {
public:
    explicit history(std::uint32_t seed)
        : world_(seed, limits(seed), {}, simulation::disk::stepped) {
        seen() = {};
        world_.die();
        open();
    }
    ~history() { seen().wait_in_vain = {}; }
    history(const history&) = delete;
    history& operator=(const history&) = delete;

    void send() {
        const auto id = std::to_string(world_.below(4));
        const int units = ++units_;
        const auto answer =
            world_.below(2) == 0 ? world_.send(id, place{units}) : world_.send(id, cancel{units});
        (void)answer;
    }
    void go_on(std::size_t steps) { world_.step_some(steps); }
    void pass() { world_.pass(std::chrono::milliseconds(world_.below(200))); }
    void close_and_open() {
        world_.close();
        REQUIRE(set_aside().empty());
        open();
    }
    void die_and_open() {
        world_.die();
        REQUIRE(set_aside().empty());
        open();
    }
    void settle() {
        world_.close();
        REQUIRE(set_aside().empty());
        open(false); // nobody waits in vain any more
        for (int i = 0; i != 3; ++i) {
            world_.run_until_quiet();
            world_.pass(std::chrono::seconds(61));
        }
        world_.run_until_quiet();
        check();
    }
    [[nodiscard]] std::size_t below(std::size_t bound) { return world_.below(bound); }

private:
    static annals::engine_limits limits(std::uint32_t seed) {
        annals::engine_limits made;
        made.page_events = 1 + seed % 40;
        return made;
    }
    void open(bool with_vain_waiting = true) {
        seen().latest.clear();
        if (with_vain_waiting)
            seen().wait_in_vain = [this] {
                return world_.ask<nothing_seen>(seen_by_nobody{}, 1'000'000);
            };
        else
            seen().wait_in_vain = {};
        annals::projection_options with;
        with.on_failure.then = annals::failure_policy::last_resort::set_aside;
        with.on_failure.retries = 0;
        with.partitions = 1 + world_.below(2);
        with.max_in_flight = 1 + world_.below(12);
        world_.open({annals::host<order>, annals::host<stock>, annals::host<nothing_seen>,
                     annals::host_reaction(glue{}, annals::reaction_start::beginning, with)});
    }
    [[nodiscard]] std::vector<log_position> set_aside() const {
        std::vector<log_position> made;
        for (const auto& each :
             annals::catalog::list_set_aside(**world_.projections->snapshot(), "glue", 0, 100)
                 .value()) {
            UNSCOPED_INFO(each.position << " " << each.type << ": " << each.message);
            made.push_back(each.position);
        }
        return made;
    }
    void check() {
        REQUIRE(set_aside().empty());
        const auto& all = seen();
        REQUIRE(all.unflagged_again == 0);
        REQUIRE(all.out_of_order == 0);
        const auto page = world_.journal->stored().read_all(0, 1'000'000, {}).value();
        std::map<annals::uuid, std::vector<int>>
            caused; ///< units reserved, by the event that led to it
        std::map<annals::uuid, annals::uuid> correlation;
        for (const auto& each : page.events)
            if (each.type == "stock.reserved") {
                const auto about = each.read_metadata().value();
                caused[about.causation_id].push_back(
                    annals::from_bytes<reserved>(each.payload).value().units);
                correlation[about.causation_id] = about.correlation_id;
            }
        for (const auto& each : page.events) {
            CAPTURE(each.position, std::string(each.stream), std::string(each.type));
            if (each.type == "stock.reserved")
                continue;
            REQUIRE(all.delivered.contains(each.position));
            std::vector<int> expected;
            if (each.type == "order.placed") {
                const int units = annals::from_bytes<placed>(each.payload).value().units;
                if (units % 7 != 0)
                    expected = {units};
            } else {
                REQUIRE(all.dealt_with.contains(each.position));
                const int units = annals::from_bytes<cancelled>(each.payload).value().units;
                for (const int one : {units, units + 1'000})
                    if (one % 7 != 0)
                        expected.push_back(one);
            }
            const auto got = caused[each.event_id()];
            REQUIRE(got == expected); // each command once
            if (!got.empty())
                REQUIRE(correlation[each.event_id()] == each.command_id);
        }
        const auto status = world_.engine().status().projections;
        for (const auto& each : status) {
            CAPTURE(each.name, each.last_error);
            REQUIRE(each.now == annals::projection_status::state::live);
            REQUIRE(each.position == world_.journal->head());
        }
    }

    int units_ = 0;
    simulation::world world_;
};

void play(std::uint32_t seed, unsigned close_percent, unsigned death_percent) {
    INFO("seed " << seed);
    history h(seed);
    for (int i = 0; i != 60; ++i) {
        if (h.below(100) < 70)
            h.send();
        h.go_on(20);
        if (h.below(100) < 20)
            h.pass();
        if (h.below(100) < close_percent)
            h.close_and_open();
        if (h.below(100) < death_percent)
            h.die_and_open();
    }
    h.settle();
}

constexpr std::uint32_t seeds = 150;

} // namespace

TEST_CASE("a runtime closes at any step and no event of a reaction that sends is lost") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed)
        play(seed, 10, 0);
}

TEST_CASE("a process dies at any step and no command of a reaction is stored twice") {
    const annals::test::expected_leaks of_those_that_died;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed)
        play(seed, 3, 8);
}

TEST_CASE("reactions that send take effect once, in order, while nothing ends") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed)
        play(seed, 0, 0);
}
