#include "annals/stored_map.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <vector>

/// Waiting where others wait: on the callback thread, in a stored view's handler, through a door.

using namespace annals;
using namespace annals::test;
using shop::add_item;

namespace {

/// The runtime that `asking_stock` asks from within, and what it was told.
std::atomic<runtime*> asked{nullptr};
std::atomic<int> told{-1};

struct look_at_stock;
struct asking_stock {
    static constexpr std::string_view name = "asking_stock";
    using event = std::variant<shop::item_added>;
    using query = std::variant<look_at_stock>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(asking_stock, units)
};
struct look_at_stock {
    using view = asking_stock;
};
int answer(const asking_stock& stock, const look_at_stock&) {
    return stock.units.value_or("tea", 0);
}
void evolve(asking_stock& stock, const shop::item_added& happened, const logged_context& context) {
    stock.units.put(happened.sku, happened.quantity);
    if (runtime* const there = asked.load()) {
        const auto came = there->ask(look_at_stock{}, {context.position, {}, {}}).get();
        told = came.is_error() ? static_cast<int>(came.error().code) : 0;
    }
}

/// Orders what its projection does, from inside a handler, and notes the answers that are there at once.
struct ordering_itself {
    static constexpr std::string_view name = "ordering_itself";
    using event = std::variant<shop::item_added>;
};
struct orders {
    std::atomic<runtime*> known{nullptr};
    std::promise<std::vector<std::string>> answers;
};
std::atomic<orders*> ordered{nullptr};

std::string how(const future<log_position>& coming) {
    const auto answer = coming.get();
    return answer ? "done" : std::string(to_string(answer.error().code));
}
std::vector<std::string> order_from_here() {
    const auto control = ordered.load()->known.load()->projection<ordering_itself>();
    std::vector<std::string> answers;
    for (const auto& coming : {control.pause(), control.replay(1)})
        answers.push_back(coming.is_ready() ? how(coming) : "waits for the handler");
    // These are answered while the handler runs.
    answers.push_back(how(control.give_up(1)));
    answers.push_back(how(control.rebuild()));
    answers.push_back(how(control.resume()));
    return answers;
}
/// In the handler, after an awaited answer, and in a continuation, by the quantity.
reaction_task react(ordering_itself&, const shop::item_added& happened, const delivery& about) {
    if (ordered.load() == nullptr || happened.quantity == 0)
        co_return;
    auto sent = about.send("2", add_item{"tea", 0});
    if (happened.quantity == 1)
        ordered.load()->answers.set_value(order_from_here());
    if (happened.quantity == 3)
        sent.then([](const annals::outcome<receipt>&) {
            ordered.load()->answers.set_value(order_from_here());
        });
    else
        (void)co_await sent;
    if (happened.quantity == 2)
        ordered.load()->answers.set_value(order_from_here());
}

} // namespace

TEST_CASE("a handler that orders what waits for the handler is told so, wherever it goes on") {
    orders here;
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host_reaction(ordering_itself(), reaction_start::beginning))
                  .value();
    here.known = &rt;
    ordered = &here;
    auto came = here.answers.get_future();
    REQUIRE(said(rt.send("1", add_item{"tea", GENERATE(1, 2, 3)})) == "stored");
    REQUIRE(came.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    CHECK(came.get() == std::vector<std::string>{"would_deadlock", "would_deadlock",
                                                 "invalid_argument", "invalid_argument", "done"});
    REQUIRE(rt.projection<ordering_itself>().reaches(rt.status().head).get());
    ordered = nullptr;
    // Nothing was done; from outside it is.
    CHECK(status_of(rt, "ordering_itself").now != projection_status::state::paused);
    REQUIRE(rt.projection<ordering_itself>().pause().get());
}

TEST_CASE("a callback may send and wait for projections, though answers come on its own thread") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    std::promise<std::string> came;
    rt.send("1", add_item{"tea", 1}).then([&](const annals::outcome<receipt>&) {
        const auto stored =
            said(rt.send("2", add_item{"tea", 2}, {.wait_for = {"demand", "removals"}}));
        came.set_value(stored + ", " + said(rt.ask(shop::demand_for{"tea"})));
    });
    auto answer = came.get_future();
    REQUIRE(answer.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    REQUIRE(answer.get() == "stored, 3");
}

TEST_CASE("a command that waits for a projection in vain says where it is stored") {
    auto rt = open_shop(event_store(keeping::in_memory).settings());
    REQUIRE(rt.projection("demand").pause().get());
    REQUIRE(said(rt.send("1", add_item{"tea", 1})) == "stored");
    const auto came = rt.send("1", add_item{"tea", 1},
                              {.timeout = std::chrono::milliseconds(1), .wait_for = {"demand"}})
                          .get();
    REQUIRE(came.is_error());
    if (came.error().code == errc::version_out_of_reach) // and not too late to begin with
        REQUIRE(came.error().actual == 2);
}

TEST_CASE("a stored view's evolve that would wait for an answer of the view is told so") {
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host<asking_stock>)
                  .value();
    asked = &rt;
    REQUIRE(said(rt.send("1", add_item{"tea", 1}, {.wait_for = {"asking_stock"}})) == "stored");
    asked = nullptr;
    REQUIRE(static_cast<errc>(told.load()) == errc::wait_refused);
}

namespace {

/// Run by the code of the two views below, with "evolve" or "answer".
std::function<void(std::string_view)>& inside_a_view() {
    static std::function<void(std::string_view)> run;
    return run;
}
void run_inside_a_view(std::string_view where) {
    if (inside_a_view())
        inside_a_view()(where);
}

struct look_at_meddler;
struct meddler { // a view in memory
    static constexpr std::string_view name = "meddler";
    using event = std::variant<shop::item_added>;
    using query = std::variant<look_at_meddler>;
};
struct look_at_meddler {
    using view = meddler;
};
void evolve(meddler&, const shop::item_added&) {
    run_inside_a_view("evolve");
}
int answer(const meddler&, const look_at_meddler&) {
    run_inside_a_view("answer");
    return 0;
}

struct look_at_stored_meddler;
struct stored_meddler {
    static constexpr std::string_view name = "meddler";
    using event = std::variant<shop::item_added>;
    using query = std::variant<look_at_stored_meddler>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(stored_meddler, units)
};
struct look_at_stored_meddler {
    using view = stored_meddler;
};
void evolve(stored_meddler&, const shop::item_added&) {
    run_inside_a_view("evolve");
}
int answer(const stored_meddler&, const look_at_stored_meddler&) {
    run_inside_a_view("answer");
    return 0;
}

/// What the code of a view is told when it orders what waits for that code, in `where`.
template <class View, class Look>
void refuses_itself(std::string_view where) {
    const event_store store(keeping::in_memory);
    auto rt = runtime::open(store.settings(), host<shop::cart>, host<View>).value();
    const auto control = rt.projection("meddler");
    std::promise<std::vector<std::string>> answers;
    std::atomic<bool> once{false};
    inside_a_view() = [&](std::string_view here) {
        if (here != where || once.exchange(true))
            return;
        std::vector<std::string> said_here;
        said_here.push_back(how(control.pause()));
        said_here.push_back(how(control.replay(1)));
        said_here.push_back(how(control.reaches(99)));
        said_here.push_back(said(rt.send("9", add_item{"tea", 1}, {.wait_for = {"meddler"}})));
        answers.set_value(std::move(said_here));
    };
    REQUIRE(said(rt.send("1", add_item{"tea", 1})) == "stored");
    const auto asked_then = rt.ask(Look{});
    auto came = answers.get_future();
    REQUIRE(came.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    CHECK(came.get() == std::vector<std::string>(4, "would_deadlock"));
    REQUIRE(asked_then.get());
    inside_a_view() = nullptr;
    // Nothing of it was done.
    REQUIRE(said(rt.send("2", add_item{"tea", 1})) == "stored");
    REQUIRE(control.reaches(2).get());
    CHECK(rt.status().head == 2);
    CHECK(status_of(rt, "meddler").now == projection_status::state::live);
}

} // namespace

TEST_CASE(
    "code of a view that orders what waits for that code is said_here so, and nothing is done") {
    const auto where = GENERATE(as<std::string_view>(), "evolve", "answer");
    CAPTURE(where);
    SECTION("in memory") {
        refuses_itself<meddler, look_at_meddler>(where);
    }
    SECTION("stored") {
        refuses_itself<stored_meddler, look_at_stored_meddler>(where);
    }
}

TEST_CASE("an empty name is no projection's, on any thread") {
    auto rt = open_shop(event_store(keeping::in_memory).settings());
    const auto control = rt.projection("");
    CHECK(how(control.pause()) == "invalid_argument");
    CHECK(how(control.replay(1)) == "invalid_argument");
    CHECK(how(control.reaches(0)) == "invalid_argument");
    CHECK(said(rt.send("1", add_item{"tea", 1}, {.wait_for = {""}})) == "invalid_argument");
    CHECK(rt.status().head == 0);
}

TEST_CASE("what a door cannot do it refuses: waiting for projections") {
    auto rt = open_shop();
    const auto request = std::make_shared<typed_command<add_item>>("1", add_item{"tea", 1});
    const future<receipt> coming(request);
    rt.door()->send(request, {.wait_for = {"demand"}});
    REQUIRE(said(coming) == "invalid_argument");
    REQUIRE(rt.journal().head() == 0);
}

TEST_CASE("the rate of a projection counts from where it was at opening") {
    const event_store place;
    {
        auto rt = runtime::open(place.settings(), host<shop::cart>, host<asking_stock>).value();
        for (int i = 0; i != 300; ++i)
            (void)rt.send("1", add_item{"tea", 1});
        REQUIRE(rt.projection("asking_stock").reaches(300).get());
    }
    auto with = place.settings();
    const auto clock = std::make_shared<manual_clock>();
    with.clock = clock;
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<asking_stock>).value();
    REQUIRE(said(rt.send("1", add_item{"tea", 1}, {.wait_for = {"asking_stock"}})) == "stored");
    let_pass(std::chrono::seconds(1), *clock, rt);
    REQUIRE(status_of(rt, "asking_stock").per_second <= 1);
}
