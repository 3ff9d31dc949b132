#include "annals/domain.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// How annals finds and calls what a host wrote: decide, evolve and answer in each of their shapes.

using annals::command_context;
using annals::event_context;
using annals::logged_context;
using annals::metadata;
using annals::timestamp;
using annals::uuid;

namespace shapes {

const timestamp noon = annals::timestamp(std::chrono::hours(12));

// --- one event for each shape of evolve -----------------------------------------------------------

struct by_value {
    int amount = 0;
    ANNALS_EVENT(by_value, "tally.by_value", amount)
};
struct by_value_with_context {
    int amount = 0;
    ANNALS_EVENT(by_value_with_context, "tally.by_value_with_context", amount)
};
struct in_place {
    int amount = 0;
    ANNALS_EVENT(in_place, "tally.in_place", amount)
};
struct in_place_with_context {
    int amount = 0;
    ANNALS_EVENT(in_place_with_context, "tally.in_place_with_context", amount)
};
struct in_both_shapes {
    ANNALS_EVENT(in_both_shapes, "tally.in_both_shapes")
};
struct not_folded {
    ANNALS_EVENT(not_folded, "tally.not_folded")
};
struct twin_of_by_value {
    ANNALS_EVENT(twin_of_by_value, "tally.by_value")
};

struct raise {
    int amount = 0;
};
struct stamp {};
struct refuse {};
struct none {};
struct not_decided {};
struct decided_wrongly {};

/// Cannot be copied, so a fold that copies the state does not compile.
struct tally {
    static constexpr std::string_view name = "tally";
    using event = std::variant<by_value, by_value_with_context, in_place, in_place_with_context,
                               in_both_shapes>;
    using command = std::variant<raise, stamp, refuse, none>;
    using decision = annals::decision<event>;

    int total = 0;
    std::optional<event_context> context;
    std::string shape;
    std::unique_ptr<int> not_copyable;
};

tally evolve(tally state, const by_value& e) {
    state.total += e.amount;
    state.shape = "value";
    return state;
}
tally evolve(tally state, const by_value_with_context& e, const event_context& context) {
    state.total += e.amount;
    state.shape = "value, context";
    state.context = context;
    return state;
}
void evolve(tally& state, const in_place& e) {
    state.total += e.amount;
    state.shape = "in place";
}
void evolve(tally& state, const in_place_with_context& e, const event_context& context) {
    state.total += e.amount;
    state.shape = "in place, context";
    state.context = context;
}
void evolve(tally& state, const in_both_shapes&) {
    state.shape = "in place";
}
void evolve(tally& state, const in_both_shapes&, const event_context&) {
    state.shape = "in place, context";
}

tally::decision decide(const tally& state, const raise& c) {
    return by_value{state.total + c.amount};
}
tally::decision decide(const tally&, const stamp&, const command_context& context) {
    return {by_value{static_cast<int>(context.version)},
            in_place{static_cast<int>(context.id.size())}};
}
annals::rejection decide(const tally&, const refuse&) {
    return annals::reject("no");
}
annals::nothing_t decide(const tally&, const none&) {
    return annals::nothing;
}
bool decide(const tally&, const decided_wrongly&) {
    return true;
}

// --- a view ---------------------------------------------------------------------------------------

struct total_of {
    using view = struct totals;
};
struct checked {};
struct last {};
struct not_answered {};

struct totals {
    static constexpr std::string_view name = "totals";
    using event = std::variant<by_value, in_place>;
    using query = std::variant<total_of, checked, last>;
    int total = 0;
    annals::log_position position = 0;
    std::string text;
};
void evolve(totals& view, const by_value& e, const logged_context& context) {
    view.total += e.amount;
    view.position = context.position;
}
// A view may also take what an aggregate takes.
void evolve(totals& view, const in_place& e, const event_context& context) {
    view.total += e.amount;
    view.text = context.stream;
}
int answer(const totals& view, const total_of&) {
    return view.total;
}
annals::outcome<int> answer(const totals& view, const checked&) {
    if (view.total == 0)
        return annals::reject("nothing yet");
    return view.total;
}
const std::string& answer(const totals& view, const last&) {
    return view.text;
}

event_context some_event_context() {
    event_context context;
    context.stream = "tally-17";
    context.id = "17";
    context.version = 5;
    context.time = noon;
    context.command_id = uuid::of_name("a");
    return context;
}

} // namespace shapes

using namespace shapes;

// --- fold -----------------------------------------------------------------------------------------

TEST_CASE("an evolve that takes and returns the state by value is called without a copy") {
    tally state;
    state.not_copyable = std::make_unique<int>(1);
    annals::fold(state, by_value{3}, some_event_context());
    annals::fold(state, by_value{4}, some_event_context());
    CHECK(state.total == 7);
    CHECK(state.shape == "value");
    CHECK(state.not_copyable != nullptr);
    CHECK_FALSE(state.context);
}

TEST_CASE("an evolve may change the state in place") {
    tally state;
    annals::fold(state, in_place{3}, some_event_context());
    CHECK(state.total == 3);
    CHECK(state.shape == "in place");
}

TEST_CASE("an evolve may ask for the context, by value and in place") {
    tally state;
    annals::fold(state, by_value_with_context{3}, some_event_context());
    CHECK(state.shape == "value, context");
    REQUIRE(state.context);
    CHECK(state.context->stream == "tally-17");
    CHECK(state.context->id == "17");
    CHECK(state.context->version == 5);
    CHECK(state.context->time == noon);
    CHECK(state.context->command_id == uuid::of_name("a"));

    state.context.reset();
    annals::fold(state, in_place_with_context{4}, some_event_context());
    CHECK(state.shape == "in place, context");
    REQUIRE(state.context);
    CHECK(state.context->version == 5);
    CHECK(state.total == 7);
}

TEST_CASE("of an evolve with and one without context, the one with context is called") {
    tally state;
    annals::fold(state, in_both_shapes{}, some_event_context());
    CHECK(state.shape == "in place, context");
}

TEST_CASE("the evolve of a view may ask for the position in the log, or for less") {
    totals view;
    logged_context context;
    context.stream = "tally-17";
    context.position = 42;
    annals::fold(view, by_value{3}, context);
    annals::fold(view, in_place{4}, context);
    CHECK(view.total == 7);
    CHECK(view.position == 42);
    CHECK(view.text == "tally-17");
}

// --- decide ---------------------------------------------------------------------------------------

TEST_CASE("a decide is called with the state and the command") {
    tally state;
    state.total = 10;
    const metadata about;
    const auto made = annals::decide_on(state, raise{5}, {"17", 3, about});
    REQUIRE(made.size() == 1);
    CHECK(std::get<by_value>(*made.begin()).amount == 15);
}

TEST_CASE("a decide may ask for the context") {
    const metadata about;
    const auto made = annals::decide_on(tally{}, stamp{}, {"a long id", 3, about});
    REQUIRE(made.size() == 2);
    CHECK(std::get<by_value>(*made.begin()).amount == 3);
    CHECK(std::get<in_place>(*(made.begin() + 1)).amount == 9);
}

TEST_CASE("a decide that can only refuse, or only accept, may say so in its type") {
    const metadata about;
    CHECK(annals::decide_on(tally{}, refuse{}, {"17", 3, about}).is_rejected());
    const auto made = annals::decide_on(tally{}, none{}, {"17", 3, about});
    CHECK_FALSE(made.is_rejected());
    CHECK(made.size() == 0);
}

// --- what counts as complete ----------------------------------------------------------------------

TEST_CASE("aggregates and views are told apart by their member types") {
    struct neither {};
    struct both : tally {
        using query = std::variant<total_of>;
    };
    STATIC_REQUIRE(annals::aggregate<tally>);
    STATIC_REQUIRE_FALSE(annals::view<tally>);
    STATIC_REQUIRE(annals::view<totals>);
    STATIC_REQUIRE_FALSE(annals::aggregate<totals>);
    STATIC_REQUIRE_FALSE(annals::aggregate<neither>);
    STATIC_REQUIRE_FALSE(annals::view<neither>);
    STATIC_REQUIRE_FALSE(annals::view<both>);
}

TEST_CASE("a host can ask at compile time whether its domain is complete") {
    STATIC_REQUIRE(annals::complete_domain<tally>::ok);
    STATIC_REQUIRE(annals::complete_domain<totals>::ok);
}

TEST_CASE("what is missing is known without an error") {
    STATIC_REQUIRE(annals::decides<tally, raise>);
    STATIC_REQUIRE(annals::decides<tally, stamp>);
    STATIC_REQUIRE_FALSE(annals::decides<tally, not_decided>);
    STATIC_REQUIRE_FALSE(annals::decides<tally, decided_wrongly>);
    STATIC_REQUIRE(annals::evolves<tally, by_value>);
    STATIC_REQUIRE(annals::evolves<tally, in_place_with_context>);
    STATIC_REQUIRE_FALSE(annals::evolves<tally, not_folded>);
    STATIC_REQUIRE(annals::evolves<totals, by_value, logged_context>);
    STATIC_REQUIRE_FALSE(annals::evolves<totals, by_value, event_context>);
    STATIC_REQUIRE(annals::answers<totals, total_of>);
    STATIC_REQUIRE_FALSE(annals::answers<totals, not_answered>);
}

TEST_CASE("an answer's type is what the caller's outcome holds") {
    STATIC_REQUIRE(std::is_same_v<annals::answer_of<totals, total_of>, int>);
    STATIC_REQUIRE(std::is_same_v<annals::answer_of<totals, checked>, int>);
    STATIC_REQUIRE(std::is_same_v<annals::answer_of<totals, last>, std::string>);

    totals view;
    CHECK(answer(view, checked{}).is_rejected());
    view.total = 3;
    view.text = "tea";
    CHECK(*answer(view, checked{}) == 3);
    CHECK(answer(view, total_of{}) == 3);
    CHECK(answer(view, last{}) == "tea");
}

TEST_CASE("a usable name has 1 to 64 characters and no '-'") {
    CHECK(annals::usable_name("cart"));
    CHECK(annals::usable_name(std::string(64, 'a')));
    CHECK_FALSE(annals::usable_name(std::string(65, 'a')));
    CHECK_FALSE(annals::usable_name(""));
    CHECK_FALSE(annals::usable_name("shopping-cart"));
}

TEST_CASE("events with the same name are found") {
    STATIC_REQUIRE(annals::event_names<tally::event>::distinct());
    STATIC_REQUIRE_FALSE(
        annals::event_names<std::variant<by_value, in_place, twin_of_by_value>>::distinct());
    CHECK(annals::event_names<totals::event>::all() ==
          std::array<std::string_view, 2>{"tally.by_value", "tally.in_place"});
}
