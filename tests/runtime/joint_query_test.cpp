#include "support/gate.hpp"
#include "support/live_updates.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <limits>

/// Several views asked at one position of the log.

using namespace annals;
using namespace annals::test;
using shop::demand_for;

namespace {

/// Counts the same events as "demand" on a thread of its own, and may be asked what throws.
struct slow_count;
struct counted {
    using view = slow_count;
};
struct counted_or_thrown {
    using view = slow_count;
};
/// Runs `body` inside `answer`.
struct count_inside {
    using view = slow_count;
    std::function<void()> body;
};
struct slow_count {
    static constexpr std::string_view name = "slow_count";
    using event = std::variant<shop::item_added>;
    using query = std::variant<counted, counted_or_thrown, count_inside>;
    int count = 0;
};
void evolve(slow_count& view, const shop::item_added&) {
    ++view.count;
    for (int i = 0; i != 100; ++i)
        std::this_thread::yield();
}
int answer(const slow_count& view, const counted&) {
    return view.count;
}
int answer(const slow_count& view, const count_inside& query) {
    query.body();
    return view.count;
}
int answer(const slow_count&, const counted_or_thrown&) {
    throw std::runtime_error("no counting today");
}

struct stored_count;
struct stored_total {
    using view = stored_count;
};
struct stored_count {
    static constexpr std::string_view name = "stored_count";
    using event = std::variant<shop::item_added>;
    using query = std::variant<stored_total>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(stored_count, units)
};
void evolve(stored_count& view, const shop::item_added& happened) {
    view.units.change(happened.sku, [](int& units) { ++units; });
}
int answer(const stored_count& view, const stored_total&) {
    return view.units.value_or("tea", 0);
}

runtime open_counting(config with) {
    return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>, host<shop::fragile>,
                         host<shop::removals>, host<slow_count>({.own_thread = true}),
                         host<stored_count>)
        .value();
}
runtime open_counting() {
    return open_counting(event_store(keeping::in_memory).settings());
}

template <class T>
std::string code_of(const outcome<T>& answer) {
    return answer.is_error() ? std::string(to_string(answer.error().code)) : "answered";
}

} // namespace

TEST_CASE("views asked together answer from one position, also amid commands") {
    constexpr int threads = 3;
    constexpr int times = 150;
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_counting(store.settings());
    command_storm storm(rt, threads, times);
    log_position before = 0;
    int rounds = 0;
    while (before != threads * times) {
        const auto both = rt.ask_together(ask_options{}, demand_for{"tea"}, counted{}).get();
        REQUIRE(both);
        const auto& [tea, count] = both.value();
        // Every event adds one unit of tea.
        REQUIRE(static_cast<log_position>(tea.value()) == both.position());
        REQUIRE(static_cast<log_position>(count.value()) == both.position());
        REQUIRE(tea.position() == both.position());
        REQUIRE(count.position() == both.position());
        REQUIRE(both.position() >= before);
        before = both.position();
        ++rounds;
    }
    storm.wait();
    CHECK(rounds > 0);
    CHECK(rt.status().queries_in_flight == 0);
}

TEST_CASE("many joint queries at once meet each at a position of its own, and hold nobody up") {
    constexpr int threads = 2;
    constexpr int times = 100;
    auto rt = open_counting();
    std::vector<std::vector<outcome<joint_answer<demand_for, counted, shop::fragile_count>>>> came(
        4);
    {
        const command_storm storm(rt, threads, times);
        std::vector<std::thread> asking;
        for (auto& into : came)
            asking.emplace_back([&rt, &into] {
                for (int i = 0; i != 50; ++i)
                    into.push_back(rt.ask_together(ask_options{}, demand_for{"tea"}, counted{},
                                                   shop::fragile_count{})
                                       .get());
            });
        for (auto& each : asking)
            each.join();
    }
    for (const auto& one_thread : came)
        for (const auto& each : one_thread) {
            REQUIRE(each);
            const auto& [tea, count, fragile] = each.value();
            REQUIRE(static_cast<log_position>(tea.value()) == each.position());
            REQUIRE(static_cast<log_position>(count.value()) == each.position());
            REQUIRE(static_cast<log_position>(fragile.value()) == each.position());
        }
    CHECK(said(rt.ask(counted{}, latest())) == std::to_string(threads * times));
}

TEST_CASE("a joint query reads one's own writes, or everything durable, when it says so") {
    auto rt = open_counting();
    for (int i = 1; i <= 20; ++i) {
        const auto written = rt.send("17", shop::add_item{"tea"}).get().value();
        const auto options = i % 2 == 0 ? after(written) : latest();
        const auto both = rt.ask_together(options, demand_for{"tea"}, counted{}).get();
        REQUIRE(both);
        REQUIRE(std::get<0>(both.value()).value() == i);
        REQUIRE(std::get<1>(both.value()).value() == i);
    }
}

TEST_CASE("two queries of one view are asked together like those of two") {
    auto rt = open_counting();
    add_one(rt, "tea");
    const auto both =
        rt.ask_together(latest(), demand_for{"tea"}, demand_for{"milk"}, counted{}).get();
    REQUIRE(both);
    CHECK(std::get<0>(both.value()).value() == 1);
    CHECK(std::get<1>(both.value()).value() == 0);
}

TEST_CASE("the outcome of each query is its own: rejected, thrown, or answered") {
    auto rt = open_counting();
    add_one(rt, "tea");
    const auto all =
        rt.ask_together(latest(), demand_for{"tea"}, shop::refused_question{}, counted_or_thrown{})
            .get();
    REQUIRE(all);
    CHECK(said(std::get<0>(all.value())) == "1");
    CHECK(said(std::get<1>(all.value())) == "rejected: no");
    CHECK(said(std::get<2>(all.value())) == "handler_failed");
}

TEST_CASE("a joint query that cannot meet in time says who is missing, and the views go on") {
    const auto clock = std::make_shared<manual_clock>();
    auto with = event_store(keeping::in_memory).settings();
    with.clock = clock;
    auto rt = open_counting(std::move(with));
    add_one(rt, "tea");
    REQUIRE(rt.projection("slow_count").reaches(1).get());
    REQUIRE(rt.projection("slow_count").pause().get());
    add_one(rt, "tea"); // only demand sees it
    ask_options patient;
    patient.timeout = std::chrono::seconds(5);
    const auto coming = rt.ask_together(patient, demand_for{"tea"}, counted{});
    (void)rt.ask(counted{}).get(); // the question has come to it
    add_one(rt, "milk");
    REQUIRE_FALSE(coming.is_ready());
    let_pass(std::chrono::seconds(6), *clock, rt);
    CHECK(code_of(coming.get()) == "version_out_of_reach");
    CHECK(coming.get().error().message.find("\"slow_count\" is at position 1") !=
          std::string::npos);
    CHECK(coming.get().error().message.find("\"demand\"") == std::string::npos);
    CHECK(said(rt.ask(demand_for{"tea"}, latest())) == "2");
    REQUIRE(rt.projection("slow_count").resume().get());
    const auto both = rt.ask_together(latest(), demand_for{"tea"}, counted{}).get();
    REQUIRE(both);
    CHECK(both.position() == 3);
    CHECK(rt.status().queries_in_flight == 0);
}

TEST_CASE("a view keeps up while a joint query waits for its partner, and is answered in the end") {
    auto rt = open_counting();
    add_one(rt, "tea");
    REQUIRE(rt.projection("slow_count").reaches(1).get());
    const auto keeps_up = [&](int units) {
        for (int i = 0; i != units; ++i)
            add_one(rt, "tea"); // and is seen by "demand"
        const auto now = status_of(rt, "demand");
        return now.now == projection_status::state::live && now.lag == 0;
    };
    ask_options never;
    never.timeout = std::chrono::milliseconds::max();
    SECTION("one that is paused") {
        REQUIRE(rt.projection("slow_count").pause().get());
        REQUIRE(keeps_up(10));
        std::vector<future<joint_answer<demand_for, counted>>> coming;
        for (int i = 0; i != 100; ++i)
            coming.push_back(rt.ask_together(never, demand_for{"tea"}, counted{}));
        (void)rt.ask(demand_for{"tea"}).get(); // each has come to both views
        (void)rt.ask(counted{}).get();
        const auto met_at = rt.status().head;
        REQUIRE(keeps_up(10));
        for (const auto& each : coming)
            REQUIRE_FALSE(each.is_ready());
        REQUIRE(rt.projection("slow_count").resume().get());
        for (const auto& each : coming) {
            const auto both = each.get_for(std::chrono::seconds(30));
            REQUIRE(both);
            REQUIRE(*both);
            // Where the first one was when the second one was asked, not where it is now.
            REQUIRE(both->position() == met_at);
            REQUIRE(std::get<0>(both->value()).value() == static_cast<int>(met_at));
            REQUIRE(std::get<1>(both->value()).value() == static_cast<int>(met_at));
        }
    }
    SECTION("one that does not even take the question") {
        gate busy;
        const auto blocking = rt.ask(count_inside{[&] { busy.pass(); }});
        REQUIRE(busy.reached());
        const auto coming = rt.ask_together(never, demand_for{"tea"}, counted{});
        REQUIRE(keeps_up(10));
        REQUIRE_FALSE(coming.is_ready());
        busy.open();
        const auto both = coming.get_for(std::chrono::seconds(30));
        REQUIRE(both);
        REQUIRE(*both);
        CHECK(std::get<0>(both->value()).value() == static_cast<int>(both->position()));
        CHECK(std::get<1>(both->value()).value() == static_cast<int>(both->position()));
        CHECK(said(blocking) == "1");
    }
    CHECK(said(rt.ask(counted{}, latest())) == std::to_string(rt.status().head));
    CHECK(rt.status().queries_in_flight == 0);
}

TEST_CASE("a joint query with a view that has failed, or fails, is answered with its error") {
    auto rt = open_counting();
    SECTION("it has failed") {
        const auto poison = rt.send("17", shop::add_item{"poison"}).get().value();
        CHECK(said(rt.ask(shop::fragile_count{}, after(poison))) == "unavailable");
        CHECK(code_of(rt.ask_together(latest(), demand_for{"tea"}, shop::fragile_count{}).get()) ==
              "unavailable");
    }
    SECTION("it fails on the way") {
        ask_options later;
        later.at_least = 1;
        const auto coming = rt.ask_together(later, demand_for{"tea"}, shop::fragile_count{});
        CHECK(said(rt.send("17", shop::add_item{"poison"})) == "stored");
        CHECK(code_of(coming.get()) == "unavailable");
    }
    const auto written = rt.send("17", shop::add_item{"tea"}).get().value();
    CHECK(said(rt.ask(demand_for{"tea"}, after(written))) == "1");
    CHECK(rt.status().queries_in_flight == 0);
}

TEST_CASE("only hosted views in memory are asked together") {
    auto rt = open_counting();
    const auto stored = rt.ask_together(latest(), demand_for{"tea"}, stored_total{}).get();
    CHECK(code_of(stored) == "invalid_argument");
    CHECK(stored.error().message.find("\"stored_count\" is stored") != std::string::npos);
    auto small = open_shop();
    CHECK(code_of(small.ask_together(latest(), demand_for{"tea"}, counted{}).get()) ==
          "unknown_query");
}

TEST_CASE("joint queries that wait when the runtime closes, and later ones, are answered") {
    for (int round = 0; round != 30; ++round) {
        auto with = event_store(keeping::in_memory).settings();
        with.close_timeout = std::chrono::milliseconds(0);
        auto rt = open_counting(std::move(with));
        std::vector<future<joint_answer<demand_for, counted>>> waiting;
        ask_options never;
        never.at_least = 1'000;
        never.timeout = std::chrono::milliseconds::max();
        for (int i = 0; i != 20; ++i)
            waiting.push_back(
                rt.ask_together(i % 2 == 0 ? never : ask_options{}, demand_for{"tea"}, counted{}));
        (void)rt.close();
        for (const auto& each : waiting) {
            const auto came = each.get_for(std::chrono::seconds(30));
            REQUIRE(came);
            REQUIRE((came->has_value() || code_of(*came) == "closed"));
        }
        CHECK(code_of(rt.ask_together({}, demand_for{"tea"}, counted{}).get()) == "closed");
        CHECK(rt.status().queries_in_flight == 0);
    }
}
