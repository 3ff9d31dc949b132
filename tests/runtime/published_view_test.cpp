#include "support/live_updates.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <optional>
#include <thread>

/// Reading the versions that a view publishes, from any thread.

using namespace annals;
using namespace annals::test;

namespace {

/// Counts how many versions of the view there are.
class counted_copy {
public:
    counted_copy() { ++instances(); }
    counted_copy(const counted_copy&) { ++instances(); }
    counted_copy(counted_copy&&) noexcept { ++instances(); }
    counted_copy& operator=(const counted_copy&) = default;
    counted_copy& operator=(counted_copy&&) = default;
    ~counted_copy() { --instances(); }
    static std::atomic<int>& instances() {
        static std::atomic<int> count{0};
        return count;
    }
};

struct ledger;
struct events_in_ledger {
    using view = ledger;
};
/// Two ways to count the same, which differ only in the middle of a change.
struct ledger {
    static constexpr std::string_view name = "ledger";
    using event = std::variant<shop::item_added>;
    using query = std::variant<events_in_ledger>;
    std::uint64_t events = 0;
    std::vector<std::uint64_t> positions;
    counted_copy copies;
};
void evolve(ledger& view, const shop::item_added&, const logged_context& at) {
    ++view.events;
    view.positions.push_back(at.position);
}
std::uint64_t answer(const ledger& view, const events_in_ledger&) {
    return view.events;
}

/// Throws when it is copied, if told to.
struct uncopyable_now;
struct how_many {
    using view = uncopyable_now;
};
struct uncopyable_now {
    static constexpr std::string_view name = "uncopyable_now";
    using event = std::variant<shop::item_added>;
    using query = std::variant<how_many>;
    int count = 0;
    static std::atomic<bool>& refuses() {
        static std::atomic<bool> now{false};
        return now;
    }
    uncopyable_now() = default;
    uncopyable_now(const uncopyable_now& other) : count(other.count) {
        if (refuses())
            throw std::runtime_error("no copies today");
    }
    uncopyable_now(uncopyable_now&&) = default;
    uncopyable_now& operator=(uncopyable_now&&) = default;
};
void evolve(uncopyable_now& view, const shop::item_added&) {
    ++view.count;
}
int answer(const uncopyable_now& view, const how_many&) {
    return view.count;
}

runtime open_ledger(config with) {
    return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                         host_published<ledger>)
        .value();
}
runtime open_ledger() {
    return open_ledger(event_store(keeping::in_memory).settings());
}

/// Whether what is pinned is one state of the log: as many events as its position says, all of them.
bool consistent(const pinned_view<ledger>& pinned) {
    const log_position position = pinned.position();
    return pinned->events == position && pinned->positions.size() == position &&
           (position == 0 || pinned->positions.back() == position);
}

} // namespace

TEST_CASE("a reader sees the newest published version and which position it reflects") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_ledger(store.settings());
    auto reader = rt.reader<ledger>().value();
    CHECK(reader.read()->events == 0);
    CHECK(reader.read().position() == 0);
    add_one(rt, "tea");
    REQUIRE(eventually(rt, [&] { return reader.read().position() == 1; }));
    CHECK((*reader.read()).events == 1);
    CHECK(rt.ask(events_in_ledger{}).get().value() == 1);
}

TEST_CASE("a reader may be made at any time, and sees what there was before") {
    const event_store store;
    {
        auto rt = open_ledger(store.settings());
        for (int i = 0; i != 10; ++i)
            add_one(rt, "tea");
    }
    auto rt = open_ledger(store.settings());
    auto reader = rt.reader<ledger>().value();
    REQUIRE(eventually(rt, [&] { return reader.read().position() == 10; }));
    CHECK(consistent(reader.read()));
}

TEST_CASE("readers on several threads see whole versions that only go forwards, amid commands") {
    constexpr int threads = 2;
    constexpr int times = 400;
    auto rt = open_ledger();
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::atomic<std::uint64_t> reads{0};
    std::vector<std::thread> readers;
    for (int i = 0; i != 3; ++i)
        readers.emplace_back([&, reader = rt.reader<ledger>().value()]() mutable {
            log_position before = 0;
            while (!stop) {
                const auto pinned = reader.read();
                wrong += !consistent(pinned) || pinned.position() < before ? 1 : 0;
                before = pinned.position();
                ++reads;
            }
        });
    { const command_storm storm(rt, threads, times); }
    auto reader = rt.reader<ledger>().value();
    const bool arrived =
        eventually(rt, [&] { return reader.read().position() == threads * times; });
    stop = true;
    for (auto& each : readers)
        each.join();
    CHECK(arrived);
    CHECK(wrong == 0);
    CHECK(reads > 0);
}

TEST_CASE("while something is pinned, further reads of that reader show the same version") {
    auto rt = open_ledger();
    auto reader = rt.reader<ledger>().value();
    auto other = rt.reader<ledger>().value();
    {
        const auto outer = reader.read();
        add_one(rt, "tea");
        REQUIRE(eventually(rt, [&] { return other.read().position() == 1; }));
        {
            const auto inner = reader.read();
            CHECK(inner.position() == 0);
            CHECK(&*inner == &*outer);
        }
        add_one(rt, "tea");
        CHECK(outer->events == 0);
        CHECK(reader.read().position() == 0);
    }
    REQUIRE(eventually(rt, [&] { return reader.read().position() == 2; }));
}

TEST_CASE("a pinned version moves with its reader") {
    auto rt = open_ledger();
    auto reader = rt.reader<ledger>().value();
    add_one(rt, "tea");
    REQUIRE(eventually(rt, [&] { return reader.read().position() == 1; }));
    auto pinned = std::make_optional(reader.read());
    auto elsewhere = std::move(reader);
    add_one(rt, "tea");
    {
        const auto moved = *std::move(pinned);
        pinned.reset();
        CHECK(moved->events == 1);
        CHECK(elsewhere.read()->events == 1); // still pinned
    }
    REQUIRE(eventually(rt, [&] { return elsewhere.read().position() == 2; }));
}

TEST_CASE("a reader outlives the runtime and shows the last version") {
    auto rt = std::make_unique<runtime>(open_ledger());
    auto reader = rt->reader<ledger>().value();
    for (int i = 0; i != 5; ++i)
        add_one(*rt, "tea");
    REQUIRE(eventually(*rt, [&] { return reader.read().position() == 5; }));
    const auto pinned = reader.read();
    rt.reset();
    CHECK(pinned->events == 5);
    CHECK(reader.read()->events == 5);
}

TEST_CASE("old versions are freed, but for those that are pinned") {
    {
        auto rt = open_ledger();
        auto holding = rt.reader<ledger>().value();
        auto reading = rt.reader<ledger>().value();
        auto pinned = std::make_optional(holding.read());
        int most = 0;
        for (int i = 1; i <= 50; ++i) {
            const auto written = add_one(rt, "tea");
            REQUIRE(eventually(rt, [&] { return reading.read().position() == written.position; }));
            most = std::max(most, counted_copy::instances().load());
        }
        // The view itself, the newest, the pinned, one that goes with the next, and one being made.
        CHECK(most <= 5);
        CHECK((*pinned)->events == 0);
        pinned.reset();
        const auto written = add_one(rt, "tea");
        REQUIRE(eventually(rt, [&] { return reading.read().position() == written.position; }));
        // The publisher frees old ones after it has shown the new one.
        CHECK(eventually(rt, [] { return counted_copy::instances() <= 3; }));
    }
    CHECK(counted_copy::instances() == 0);
}

TEST_CASE("a view that is not published, or not hosted, has no readers") {
    auto rt = open_ledger();
    CHECK(rt.reader<shop::demand>().error().code == errc::invalid_argument);
    CHECK(rt.reader<shop::demand>().error().message.find("publish") != std::string::npos);
    CHECK(rt.reader<shop::fragile>().error().code == errc::invalid_argument);
}

TEST_CASE("a view that throws when it is copied is published again when it does not") {
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host<shop::demand>, host_published<uncopyable_now>)
                  .value();
    auto reader = rt.reader<uncopyable_now>().value();
    uncopyable_now::refuses() = true;
    const auto written = add_one(rt, "tea");
    CHECK(said(rt.ask(how_many{}, after(written))) == "1");
    REQUIRE(eventually(rt, [&] {
        return status_of(rt, "uncopyable_now").last_error.find("no copies today") !=
               std::string::npos;
    }));
    CHECK(reader.read()->count == 0);
    uncopyable_now::refuses() = false;
    add_one(rt, "tea");
    REQUIRE(eventually(rt, [&] { return reader.read()->count == 2; }));
}
