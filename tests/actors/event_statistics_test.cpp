#include "annals/event_statistics.hpp"
#include "annals/memory_journal.hpp"
#include "support/journal_verbs.hpp"
#include "support/seed.hpp"
#include "support/wire.hpp"

#include <catch2/catch.hpp>

#include <random>

/// Counting events over their time, without a runtime: what a window holds, and what is kept of it.

using namespace annals;
using namespace std::chrono_literals;
using annals::test::through_the_wire;

namespace {

constexpr timestamp noon = std::chrono::sys_days(std::chrono::year(2010) / 12 / 1) + 12h;

struct happening {
    std::string category;
    std::string type;
    timestamp time;
};

event_statistics counted(const std::vector<happening>& all) {
    event_statistics statistics;
    for (const auto& each : all)
        statistics.add(each.category, each.type, each.time);
    return statistics;
}

/// Three types at 10, 5 and 3 per minute, from `begin` on for `minutes`, evenly.
std::vector<happening> ten_five_and_three(timestamp begin, int minutes) {
    std::vector<happening> all;
    for (int minute = 0; minute != minutes; ++minute)
        for (const auto& [type, rate] :
             {std::pair("shop.seen", 10), std::pair("shop.ordered", 5), std::pair("shop.left", 3)})
            for (int i = 0; i != rate; ++i)
                all.push_back({"shop", type,
                               begin + std::chrono::minutes(minute) +
                                   std::chrono::milliseconds(60'000 / rate * i)});
    return all;
}

rate_statistics rates(const event_statistics& in, const event_rates& query) {
    return answer(in, query).value();
}

/// "shop.seen 10, shop.ordered 5"
std::string counts_of(const rate_statistics& found) {
    std::string all;
    for (const auto& each : found.types)
        all += (all.empty() ? "" : ", ") + each.type + " " + std::to_string(each.count);
    return all;
}

std::string refusal(const event_statistics& by, const time_window& window) {
    const auto came = answer(by, event_rates{{}, window});
    return came.is_rejected() ? came.rejection().code : "answered";
}

} // namespace

TEST_CASE("events of three types at 10, 5 and 3 per minute have mean 6 and variance 26 thirds") {
    const auto statistics = counted(ten_five_and_three(noon, 1));
    const auto found = rates(statistics, {{}, time_window::between(noon, noon + 1min)});
    CHECK(counts_of(found) == "shop.seen 10, shop.ordered 5, shop.left 3");
    CHECK(found.count == 18);
    CHECK(found.seconds == 60);
    CHECK(found.types[0].per_minute == 10);
    CHECK(found.types[1].per_minute == 5);
    CHECK(found.types[2].per_minute == 3);
    CHECK(found.types[0].share == Approx(10.0 / 18));
    CHECK(found.mean_per_minute == Approx(6));
    CHECK(found.variance == Approx(26.0 / 3));
}

TEST_CASE("the rates of a longer time are those per minute, whatever its length") {
    const int minutes = GENERATE(1, 7, 240);
    const auto statistics = counted(ten_five_and_three(noon, minutes));
    const auto end = noon + std::chrono::minutes(minutes);
    const auto found = rates(statistics, {"shop", time_window::between(noon, end)});
    CHECK(found.mean_per_minute == Approx(6));
    CHECK(found.variance == Approx(26.0 / 3));
    CHECK(found.count == static_cast<std::uint64_t>(18 * minutes));
}

TEST_CASE("a log without events has no types and no rates") {
    const event_statistics empty;
    const auto window =
        GENERATE(time_window(), time_window::last(1min), time_window::between(noon, noon + 1min));
    const auto found = rates(empty, {{}, window});
    CHECK(found.types.empty());
    CHECK(found.count == 0);
    CHECK(found.mean_per_minute == 0);
    CHECK(found.variance == 0);
}

TEST_CASE("a category has its own types and shares, over the same time as the whole log") {
    const auto statistics = counted({{"cart", "added", noon},
                                     {"cart", "added", noon + 10s},
                                     {"order", "placed", noon + 20s},
                                     {"cart", "removed", noon + 59s}});
    const auto all = rates(statistics, {});
    CHECK(counts_of(all) == "added 2, placed 1, removed 1");
    CHECK(all.seconds == 60);
    const auto carts = rates(statistics, {"cart"});
    CHECK(counts_of(carts) == "added 2, removed 1");
    CHECK(carts.types[0].share == Approx(2.0 / 3));
    CHECK(carts.seconds == 60);
    CHECK(counts_of(rates(statistics, {"nothing of the kind"})).empty());
}

TEST_CASE("a type of the same name in two categories is one type of the log") {
    const auto statistics = counted({{"cart", "closed", noon}, {"order", "closed", noon}});
    CHECK(counts_of(rates(statistics, {})) == "closed 2");
    CHECK(counts_of(rates(statistics, {"cart"})) == "closed 1");
}

TEST_CASE("a window holds its beginning and not its end") {
    const auto statistics = counted({{"a", "before", noon - 1s},
                                     {"a", "first", noon},
                                     {"a", "within", noon + 4'999'999us},
                                     {"a", "after", noon + 5s}});
    const auto found = rates(statistics, {{}, time_window::between(noon, noon + 5s)});
    CHECK(counts_of(found) == "first 1, within 1");
    CHECK(found.seconds == 5);
}

TEST_CASE("the last time ends with the second of the newest event") {
    const auto statistics = counted({{"a", "old", noon}, {"a", "new", noon + 1min}});
    CHECK(counts_of(rates(statistics, {{}, time_window::last(1min)})) == "new 1");
    CHECK(counts_of(rates(statistics, {{}, time_window::last(61s)})) == "new 1, old 1");
    CHECK(counts_of(rates(statistics, {{}, time_window::last(std::chrono::seconds::max())})) ==
          "new 1, old 1");
}

TEST_CASE("types that do not occur in the window take no part in mean and variance") {
    const auto statistics = counted({{"a", "old", noon}, {"a", "new", noon + 1h}});
    const auto found = rates(statistics, {{}, time_window::last(1min)});
    CHECK(counts_of(found) == "new 1");
    CHECK(found.mean_per_minute == 1);
    CHECK(found.variance == 0);
}

TEST_CASE("a window that is empty or ends before it begins is refused") {
    const auto statistics = counted({{"a", "one", noon}});
    for (const auto& asked : {event_statistics(), statistics}) {
        CHECK(refusal(asked, time_window::between(noon, noon)) == "empty window");
        CHECK(refusal(asked, time_window::between(noon, noon - 1us)) == "empty window");
        CHECK(refusal(asked, time_window::last(0s)) == "empty window");
        CHECK(refusal(asked, time_window::last(-1min)) == "empty window");
        CHECK(refusal(asked, time_window::last(1s)) == "answered");
    }
}

TEST_CASE("old time is counted by minutes, then by hours, and the answer says which it covers") {
    const auto statistics = counted({{"a", "one", noon + 90s},
                                     {"a", "two", noon + 40 * 24h + 90s},
                                     {"a", "two", noon + 41 * 24h}});
    const auto by_minutes = noon + 40 * 24h;
    auto found = rates(statistics, {{}, time_window::between(by_minutes + 70s, by_minutes + 80s)});
    CHECK(counts_of(found) == "two 1");
    CHECK(found.seconds == 60);
    found = rates(statistics, {{}, time_window::between(noon + 1min, noon + 61min)});
    CHECK(counts_of(found) == "one 1");
    CHECK(found.seconds == 2 * 3600);
}

TEST_CASE("a type that occurs every second keeps no more than its newest time finely") {
    event_statistics statistics;
    for (int second = 0; second != 100'000; ++second)
        statistics.add("a", "tick", noon + std::chrono::seconds(second));
    REQUIRE(statistics.all.size() == 1);
    const auto& kept = statistics.all[0].by_time;
    CHECK(kept[0].size() >= 3'600);
    CHECK(kept[0].size() < 3'600 + 60);
    CHECK(kept[1].size() < 100'000 / 60);
    CHECK(rates(statistics, {}).count == 100'000);
    CHECK(rates(statistics, {{}, time_window::last(1h)}).count == 3'600);
    CHECK(rates(statistics, {{}, time_window::between(noon, noon + 10h)}).count == 36'000);
}

TEST_CASE("times before 1970 and at the ends of time are counted too") {
    const auto statistics = counted({{"a", "minus", timestamp(-1us)},
                                     {"a", "zero", timestamp(0us)},
                                     {"a", "least", timestamp::min()},
                                     {"a", "most", timestamp::max()}});
    CHECK(rates(statistics, {}).count == 4);
    const auto before = time_window::between(timestamp(-1h), timestamp(0us));
    CHECK(counts_of(rates(statistics, {{}, before})) == "minus 1");
    const auto always = time_window::between(timestamp::min(), timestamp::max());
    CHECK(rates(statistics, {{}, always}).count == 4);
}

TEST_CASE("a saved copy is what was saved, and counts on") {
    auto statistics = counted(ten_five_and_three(noon, 240));
    auto copy = through_the_wire(statistics);
    CHECK(copy == statistics);
    statistics.add("shop", "shop.seen", noon + 5h);
    copy.add("shop", "shop.seen", noon + 5h);
    CHECK(copy == statistics);
    CHECK(rates(copy, {{}, time_window::last(30min)}) ==
          rates(statistics, {{}, time_window::last(30min)}));
    CHECK(through_the_wire(event_statistics()) == event_statistics());
}

TEST_CASE("whatever the times and their order, windows on the edges hold what a recount finds") {
    const auto seed = annals::test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto up_to = [&](std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(0, most)(random);
    };
    std::vector<happening> all;
    event_statistics statistics;
    timestamp now = noon;
    for (int i = 0; i != 3'000; ++i) {
        now += std::chrono::seconds(up_to(up_to(9) == 0 ? 90'000 : 30));
        const std::string category(1, static_cast<char>('a' + up_to(2)));
        const auto late = up_to(4) == 0 ? std::chrono::seconds(up_to(5'000'000)) : 0s;
        all.push_back({category, category + std::to_string(up_to(3)), now - late});
        statistics.add(category, all.back().type, all.back().time);
        if (i % 30 != 0)
            continue;
        const auto hour = std::chrono::floor<std::chrono::hours>(noon - 5'000'000s);
        const auto begin = hour + std::chrono::hours(up_to(3'000));
        const auto end = begin + std::chrono::hours(1 + up_to(500));
        const event_rates query{up_to(1) == 0 ? std::optional<std::string>() : "b",
                                time_window::between(begin, end)};
        std::vector<std::pair<std::string, std::uint64_t>> recount;
        for (const auto& each : all)
            if (each.time >= begin && each.time < end &&
                (!query.category || each.category == *query.category))
                recount.emplace_back(each.type, 1);
        const double seconds = std::chrono::duration<double>(end - begin).count();
        REQUIRE(rates(statistics, query) == statistics_of(recount, seconds));
    }
}

TEST_CASE("the rates of one stream are read from the journal") {
    const auto log = make_memory_journal();
    const auto store = [&](const std::string& stream, const std::string& type, timestamp time) {
        auto one = annals::test::commit_of(stream + std::to_string(log->head()), stream,
                                           expected_version::any(), {type});
        one.about.time = time;
        REQUIRE(annals::test::append_one(*log, std::move(one)));
    };
    for (const auto& each : ten_five_and_three(noon, 1)) {
        store("shop-1", each.type, each.time);
        store("shop-2", "noise", each.time);
    }
    const auto window = time_window::between(noon, noon + 1min);
    const auto found = stream_event_rates(*log, "shop-1", window).value();
    CHECK(counts_of(found) == "shop.seen 10, shop.ordered 5, shop.left 3");
    CHECK(found.mean_per_minute == Approx(6));
    CHECK(found.variance == Approx(26.0 / 3));
    CHECK(stream_event_rates(*log, "shop-1").value().count == 18);
    CHECK(stream_event_rates(*log, "shop-3").value() == rate_statistics());
    CHECK(stream_event_rates(*log, "shop-1", time_window::last(0s)).error().code ==
          errc::invalid_argument);
    log->close();
    CHECK(stream_event_rates(*log, "shop-1").error().code == errc::closed);
}
