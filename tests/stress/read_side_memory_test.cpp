#include "stress/barrier.hpp"
#include "stress/chains.hpp"

#include "annals/event_statistics.hpp"
#include "support/anonymous_memory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>

/// What a projection holds in memory: while it is stuck far behind, counted in events; and while the
/// rows that it changes grow, as what the process takes from the system.

using namespace annals;
using namespace annals::test;
using chains::chain;
using chains::chain_of;

namespace {

/// Counts how many there are, and how many there ever were at once.
class counted {
public:
    counted() noexcept { one_more(); }
    counted(const counted&) noexcept { one_more(); }
    counted(counted&&) noexcept { one_more(); }
    counted& operator=(const counted&) = default;
    counted& operator=(counted&&) = default;
    ~counted() { --now(); }
    static std::atomic<std::size_t>& now() {
        static std::atomic<std::size_t> count{0};
        return count;
    }
    static std::atomic<std::size_t>& most() {
        static std::atomic<std::size_t> count{0};
        return count;
    }

private:
    static void one_more() noexcept {
        const std::size_t here = ++now();
        std::size_t before = most();
        while (here > before && !most().compare_exchange_weak(before, here)) {
        }
    }
};
struct weighed {
    std::string text;
    counted instance = {};
    ANNALS_EVENT(weighed, "cart.weighed", text)
};

struct held_view {
    static constexpr std::string_view name = "held";
    using event = std::variant<weighed>;
    using query = std::variant<chain_of<held_view>>;
    chain all;
};
struct held_stored {
    static constexpr std::string_view name = "held";
    using event = std::variant<weighed>;
    using query = std::variant<chain_of<held_stored>>;
    stored_map<std::uint32_t, chain> all;
    ANNALS_FIELDS(held_stored, all)
};
struct held_reaction {
    static constexpr std::string_view name = "held";
    using event = std::variant<weighed>;
};
void evolve(held_view& view, const weighed&, const logged_context& at) {
    wait_with_the_first(at.position);
    ++view.all.events;
}
void evolve(held_stored& view, const weighed&, const logged_context& at) {
    wait_with_the_first(at.position);
    view.all.change(0, [](chain& all) { ++all.events; });
}
chain answer(const held_view& view, const chain_of<held_view>&) {
    return view.all;
}
chain answer(const held_stored& view, const chain_of<held_stored>&) {
    return view.all.value_or(0, chain{});
}
void react(held_reaction&, const weighed&, const delivery& about) {
    wait_with_the_first(about.position);
}

/// One large row, which each event makes longer.
struct diary;
struct diary_length {
    using view = diary;
};
struct diary {
    static constexpr std::string_view name = "diary";
    using event = std::variant<weighed>;
    using query = std::variant<diary_length>;
    stored_map<std::uint32_t, std::string> pages;
    ANNALS_FIELDS(diary, pages)
    static constexpr std::size_t first_bytes = std::size_t{1} << 20;
    static inline std::size_t most_anonymous = 0;
};
void evolve(diary& view, const weighed&) {
    auto all = view.pages.value_or(0, std::string(diary::first_bytes, 'x'));
    all += "0123456789";
    view.pages.put(0, all);
    diary::most_anonymous = std::max(diary::most_anonymous, anonymous_bytes());
}
std::size_t answer(const diary& view, const diary_length&) {
    return view.pages.value_or(0, "").size();
}

hosted held_one(const std::string& kind) {
    if (kind == "view")
        return host<held_view>({.own_thread = true});
    if (kind == "stored view")
        return host<held_stored>;
    return host_reaction(held_reaction{}, reaction_start::beginning,
                         {.partitions = kind == "reaction" ? std::size_t{1} : std::size_t{4}});
}

/// So many events of 1 KiB, 100 in one commit.
void append_weights(journal& to, int events) {
    const bytes payload = to_bytes(weighed{std::string(1'024, 'x')});
    for (int stored = 0; stored != events;) {
        std::vector<owned_commit> commits;
        for (int i = 0; i != 10; ++i, stored += 100) {
            owned_commit one;
            one.stream = "cart-" + std::to_string(stored / 100 % 20);
            one.about.command_id = random_ids()->next();
            one.events.assign(100, {std::string(event_name<weighed>()), payload});
            commits.push_back(std::move(one));
        }
        for (const auto& each : append_and_wait(to, std::move(commits)))
            REQUIRE(each);
    }
}

} // namespace

TEST_CASE("a projection whose handler is held has two slices in memory, however far it is behind") {
    constexpr std::size_t page = 200;
    constexpr std::size_t margin = 10; // on their way into a slice
    const auto kind = GENERATE(as<std::string>{}, "view", "stored view", "reaction", "partitions");
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const int weights = where == keeping::in_memory ? 50'000 : 20'000;
    const auto events = static_cast<log_position>(weights);
    const event_store store(where);
    CAPTURE(kind);
    closed_gate at;
    REQUIRE(counted::now() == 0);
    {
        auto with = store.settings();
        with.limits.page_events = page;
        auto rt =
            runtime::open(std::move(with), host<shop::cart>, host<event_statistics>, held_one(kind))
                .value();
        const opens_at_end later(at);
        append_weights(rt.journal(), 1'000);
        REQUIRE(at.reached());
        counted::most() = counted::now().load();
        append_weights(rt.journal(), weights - 1'000);
        REQUIRE(rt.projection("event_statistics").reaches(events).get()); // all has been handed on
        REQUIRE(status_of(rt, "held").position == 0);
        REQUIRE(status_of(rt, "held").lag == events);
        REQUIRE(counted::now() > 0);
        REQUIRE(counted::most() <= 2 * page + margin);

        at.open();
        REQUIRE(rt.projection("held").reaches(events).get());
        REQUIRE(counted::most() <= 3 * page + margin); // one is let go while the next are there
        REQUIRE(status_of(rt, "held").events == events);
        if (kind == "view")
            REQUIRE(rt.ask(chain_of<held_view>{}, latest()).get().value().events == events);
        if (kind == "stored view")
            REQUIRE(rt.ask(chain_of<held_stored>{}, latest()).get().value().events == events);
    }
    REQUIRE(counted::now() == 0);
}

TEST_CASE("a large row that grows with each event takes memory once, not once for each event") {
    constexpr int events = 1'000;
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    with.limits.page_events = 100'000; // all of it in one slice
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<diary>).value();
    REQUIRE(rt.projection("diary").pause().get());
    append_weights(rt.journal(), events);
    const std::size_t before = anonymous_bytes();
    diary::most_anonymous = before;
    REQUIRE(rt.projection("diary").resume().get());
    REQUIRE(rt.projection("diary").reaches(events).get());
    REQUIRE(rt.ask(diary_length{}, latest()).get().value() == diary::first_bytes + 10 * events);
    if (anonymous_bytes_are_meaningful())
        REQUIRE(diary::most_anonymous - before < std::size_t{128} << 20);
    if (std::filesystem::exists(store.path() / "views.mdb"))
        REQUIRE(std::filesystem::file_size(store.path() / "views.mdb") < std::size_t{32} << 20);
}
