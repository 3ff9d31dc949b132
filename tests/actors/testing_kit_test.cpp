#include "annals/testing_catch2.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

/// The given/when/then kit: what it lets pass, what it does not, and what it then says.

using namespace annals::testing;
using annals::metadata;
using annals::nothing;
using annals::timestamp;
using annals::uuid;
using Catch::Contains;

namespace {

// --- a shop's cart, as a host would write it ----------------------------------------------------

struct add_item {
    std::string sku;
    int quantity = 1;
};
struct remove_item {
    std::string sku;
};
struct stamp {};
struct fail {};

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};
struct item_removed {
    std::string sku;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku)
};
struct item_returned { // has the bytes of item_removed
    std::string sku;
    ANNALS_EVENT(item_returned, "cart.item_returned", sku)
};
struct emptied {
    ANNALS_EVENT(emptied, "cart.emptied")
};
struct stamped {
    std::string id;
    std::string actor;
    annals::stream_version on = 0;
    timestamp time{};
    uuid command_id;
    ANNALS_EVENT(stamped, "cart.stamped", id, actor, on, time, command_id)
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, remove_item, stamp, fail>;
    using event = std::variant<item_added, item_removed, item_returned, emptied, stamped>;
    using decision = annals::decision<event>;
    std::map<std::string, int> items;
    std::vector<annals::event_context> seen;
    std::vector<std::string> streams;
};

cart::decision decide(const cart&, const add_item& c) {
    if (c.quantity == 0)
        return nothing;
    return item_added{c.sku, c.quantity};
}
cart::decision decide(const cart& state, const remove_item& c) {
    if (!state.items.contains(c.sku))
        return annals::reject("not in cart", "there is no " + c.sku);
    if (state.items.size() == 1)
        return {item_removed{c.sku}, emptied{}};
    return item_removed{c.sku};
}
cart::decision decide(const cart&, const stamp&, const annals::command_context& context) {
    return stamped{std::string(context.id), context.about.actor, context.version,
                   context.about.time, context.about.command_id};
}
cart::decision decide(const cart&, const fail&) {
    throw std::runtime_error("the shop is on fire");
}
void evolve(cart& state, const item_added& e, const annals::event_context& context) {
    state.items[e.sku] += e.quantity;
    state.streams.emplace_back(context.stream);
    state.seen.push_back(context);
    if (e.sku == "bomb")
        throw std::runtime_error("bombs cannot be folded");
}
void evolve(cart& state, const item_removed& e) {
    state.items.erase(e.sku);
}
void evolve(cart&, const item_returned&) {}
void evolve(cart&, const emptied&) {}
void evolve(cart&, const stamped&) {}

// --- a view of it ---------------------------------------------------------------------------------

struct demand_for {
    std::string sku;
};
struct skus {};
struct place_of {
    std::string sku;
};
struct burn {};

struct place {
    std::string stream;
    annals::stream_version version = 0;
    annals::log_position position = 0;
    timestamp time{};
    bool operator==(const place&) const = default;
};

struct demand {
    static constexpr std::string_view name = "demand";
    static constexpr std::array categories{std::string_view("cart")};
    using event = std::variant<item_added>;
    using query = std::variant<demand_for, skus, place_of, burn>;
    std::map<std::string, std::size_t> units;
    std::map<std::string, place> places;
};

void evolve(demand& view, const item_added& e, const annals::logged_context& context) {
    view.units[e.sku] += static_cast<std::size_t>(e.quantity);
    view.places[e.sku] = {std::string(context.stream), context.version, context.position,
                          context.time};
}
annals::outcome<std::size_t> answer(const demand& view, const demand_for& q) {
    const auto found = view.units.find(q.sku);
    if (found == view.units.end())
        return annals::reject("unknown sku");
    return found->second;
}
std::vector<std::string_view> answer(const demand& view, const skus&) {
    std::vector<std::string_view> all;
    for (const auto& [sku, units] : view.units)
        all.push_back(sku);
    return all;
}
place answer(const demand& view, const place_of& q) {
    return view.places.at(q.sku);
}
int answer(const demand&, const burn&) {
    throw std::runtime_error("no matches");
}

const item_added two_teas{"tea", 2};
const timestamp noon = annals::parse_timestamp("2010-12-01T12:00:00Z").value();
const timestamp evening = annals::parse_timestamp("2010-12-01T20:00:00Z").value();

} // namespace

// --- then -----------------------------------------------------------------------------------------

TEST_CASE("a check passes if the command leads to the expected event") {
    ANNALS_REQUIRE(given<cart>(two_teas).when(add_item{"tea", 1}).then(item_added{"tea", 1}));
    ANNALS_REQUIRE(given<cart>().when(add_item{"tea", 1}).then(item_added{"tea", 1}));
    CHECK(given<cart>().when(add_item{"tea", 1}).then(item_added{"tea", 1}).explanation() ==
          "as expected");
}

TEST_CASE("a check fails if the events differ, and shows both as JSON") {
    const check wrong = given<cart>().when(add_item{"tea", 1}).then(item_added{"tea", 2});
    CHECK_FALSE(wrong);
    CHECK(wrong.explanation() == "expected:\n"
                                 "  cart.item_added {\"sku\":\"tea\",\"quantity\":2}\n"
                                 "but the command led to:\n"
                                 "  cart.item_added {\"sku\":\"tea\",\"quantity\":1}");
}

TEST_CASE("events are expected in number and order") {
    const auto removed = given<cart>(two_teas).when(remove_item{"tea"});
    ANNALS_CHECK(removed.then(item_removed{"tea"}, emptied{}));
    CHECK_FALSE(removed.then(emptied{}, item_removed{"tea"}));
    CHECK_FALSE(removed.then(item_removed{"tea"}));
    CHECK_FALSE(removed.then(item_removed{"tea"}, emptied{}, emptied{}));
}

TEST_CASE("events with the same fields but other names differ") {
    const auto removed = given<cart>(two_teas, item_added{"milk", 1}).when(remove_item{"tea"});
    ANNALS_CHECK(removed.then(item_removed{"tea"}));
    CHECK_FALSE(removed.then(item_returned{"tea"}));
}

TEST_CASE("events may be given and expected as variants, one or many") {
    const std::vector<cart::event> history{two_teas, item_added{"milk", 1}};
    const std::vector<cart::event> expected{item_removed{"tea"}};
    ANNALS_CHECK(given<cart>(history).when(remove_item{"tea"}).then(expected));
    ANNALS_CHECK(given<cart>(cart::event(two_teas), item_added{"milk", 1})
                     .when(remove_item{"tea"})
                     .then(cart::event(item_removed{"tea"})));
    ANNALS_CHECK(given<cart>(std::vector<cart::event>{})
                     .when(add_item{"tea", 0})
                     .then(std::vector<cart::event>{}));
}

TEST_CASE("a rejection is expected by its code, and by its message if there is one") {
    const auto refused = given<cart>().when(remove_item{"tea"});
    ANNALS_CHECK(refused.then(rejected("not in cart")));
    ANNALS_CHECK(refused.then(rejected("not in cart", "there is no tea")));
    CHECK_FALSE(refused.then(rejected("not in cart", "there is no milk")));
    const check wrong = refused.then(rejected("closed"));
    CHECK_FALSE(wrong);
    CHECK(wrong.explanation() == "expected:\n"
                                 "  rejected (closed)\n"
                                 "but the command led to:\n"
                                 "  rejected (not in cart): there is no tea");
}

TEST_CASE("events, nothing and a rejection are three different things") {
    const auto stored = given<cart>().when(add_item{"tea", 1});
    const auto none = given<cart>().when(add_item{"tea", 0});
    const auto refused = given<cart>().when(remove_item{"tea"});

    CHECK_FALSE(stored.then(nothing));
    CHECK_FALSE(stored.then(rejected("not in cart")));
    ANNALS_CHECK(none.then(nothing));
    ANNALS_CHECK(none.then_nothing());
    CHECK_FALSE(none.then(rejected("not in cart")));
    CHECK_FALSE(none.then(two_teas));
    CHECK_FALSE(refused.then(nothing));
    CHECK_FALSE(refused.then_nothing());
    CHECK_FALSE(refused.then(two_teas));
    CHECK_THAT(none.then(two_teas).explanation(), Contains("led to:\n  nothing"));
    CHECK_THAT(stored.then(nothing).explanation(), Contains("expected:\n  nothing\n"));
}

// --- several steps ----------------------------------------------------------------------------------

TEST_CASE("each command is decided on top of the events of those before it") {
    ANNALS_CHECK(given<cart>()
                     .when(add_item{"tea", 1})
                     .when(add_item{"milk", 1})
                     .when(remove_item{"milk"})
                     .when(remove_item{"tea"})
                     .then(item_removed{"tea"}, emptied{}));
}

TEST_CASE("a refused command changes nothing for those after it") {
    ANNALS_CHECK(given<cart>(two_teas)
                     .when(remove_item{"milk"})
                     .when(remove_item{"tea"})
                     .then(item_removed{"tea"}, emptied{}));
}

TEST_CASE("scenarios may share a beginning") {
    const auto base = given<cart>(two_teas);
    ANNALS_CHECK(
        base.when(remove_item{"tea"}).then_state([](const cart& c) { return c.items.empty(); }));
    ANNALS_CHECK(base.then_state([](const cart& c) { return c.items.at("tea") == 2; }));
}

// --- then_state -------------------------------------------------------------------------------------

TEST_CASE("the state is tested by a condition, a check, or the test's own assertions") {
    const auto added = given<cart>(two_teas).when(add_item{"tea", 1});
    ANNALS_CHECK(added.then_state([](const cart& c) { return c.items.at("tea") == 3; }));
    CHECK_FALSE(added.then_state([](const cart& c) { return c.items.at("tea") == 2; }));
    CHECK_FALSE(added.then_state([](const cart&) { return check::failed("no"); }));
    int calls = 0;
    ANNALS_CHECK(added.then_state([&](const cart& c) {
        ++calls;
        CHECK(c.items.size() == 1);
    }));
    CHECK(calls == 1);
}

// --- context ----------------------------------------------------------------------------------------

TEST_CASE("decide sees the id, the version, the time and the metadata that the test sets") {
    metadata about;
    about.actor = "till 3";
    about.command_id = uuid::of_name("order 12");
    ANNALS_CHECK(given<cart>(two_teas).as_id("17").at(noon).with(about).when(stamp{}).then(
        stamped{"17", "till 3", 1, noon, uuid::of_name("order 12")}));
    about.time = evening;
    ANNALS_CHECK(given<cart>().at(noon).with(about).when(stamp{}).then(
        stamped{"1", "till 3", 0, evening, uuid::of_name("order 12")}));
}

TEST_CASE("a command has an id, the same in every run and another for each command") {
    std::vector<uuid> ids;
    const auto remember = [&](const cart& c) {
        for (const auto& context : c.seen)
            ids.push_back(context.command_id);
    };
    for (int run = 0; run < 2; ++run)
        ANNALS_CHECK(given<cart>(two_teas)
                         .when(add_item{"tea", 1})
                         .when(add_item{"tea", 1})
                         .then_state(remember));
    REQUIRE(ids.size() == 6);
    CHECK_FALSE(ids[0].is_nil());
    CHECK(ids[0] != ids[1]);
    CHECK(ids[1] != ids[2]);
    CHECK(std::vector(ids.begin(), ids.begin() + 3) == std::vector(ids.begin() + 3, ids.end()));
}

TEST_CASE("evolve sees when and where each event happened") {
    const auto history =
        given<cart>().at(noon).and_given(two_teas).at(evening).as_id("17").when(add_item{"tea", 1});
    ANNALS_CHECK(history.then_state([](const cart& c) {
        REQUIRE(c.seen.size() == 2);
        CHECK(c.streams == std::vector<std::string>{"cart-17", "cart-17"});
        CHECK(c.seen[0].time == noon);
        CHECK(c.seen[0].version == 1);
        CHECK(c.seen[1].time == evening);
        CHECK(c.seen[1].version == 2);
    }));
}

// --- code of the host that fails ----------------------------------------------------------------------

TEST_CASE("a decide that throws fails every check and says so") {
    const auto failed = given<cart>().when(fail{});
    CHECK_FALSE(failed.then(nothing));
    CHECK_FALSE(failed.then(rejected("not in cart")));
    CHECK_FALSE(failed.then_state([](const cart&) { return true; }));
    CHECK(failed.then(nothing).explanation() == "decide threw: the shop is on fire");
    CHECK_FALSE(failed.when(add_item{"tea", 1}).then(item_added{"tea", 1}));
}

TEST_CASE("an evolve that throws fails every check and says so") {
    const auto given_one = given<cart>(item_added{"bomb", 1});
    const auto decided_one = given<cart>().when(add_item{"bomb", 1});
    CHECK_FALSE(given_one.then_state([](const cart&) { return true; }));
    CHECK_FALSE(given_one.when(add_item{"tea", 1}).then(item_added{"tea", 1}));
    CHECK_FALSE(decided_one.then(item_added{"bomb", 1}));
    CHECK_THAT(decided_one.then(item_added{"bomb", 1}).explanation(),
               Contains("cart.item_added") && Contains("bombs cannot be folded"));
}

// --- views --------------------------------------------------------------------------------------------

TEST_CASE("a view answers from the events it has seen") {
    ANNALS_CHECK(given_view<demand>(two_teas).ask(demand_for{"tea"}).answers(2));
    ANNALS_CHECK(
        given_view<demand>(two_teas, two_teas).ask(demand_for{"tea"}).answers(std::size_t{4}));
    ANNALS_CHECK(given_view<demand>().ask(skus{}).answers(std::vector<std::string_view>{}));
    ANNALS_CHECK(given_view<demand>(two_teas).then_state(
        [](const demand& view) { return view.units.at("tea") == 2; }));
    CHECK_FALSE(given_view<demand>().then_state(
        [](const demand& view) { return view.units.contains("tea"); }));
}

TEST_CASE("an answer that points into the view stays valid as long as it is asked about") {
    const auto all =
        given_view<demand>(item_added{"an sku too long to be kept in place", 1}).ask(skus{});
    ANNALS_CHECK(all.answers(std::vector<std::string_view>{"an sku too long to be kept in place"}));
}

TEST_CASE("a wrong answer fails the check and shows both") {
    const check wrong = given_view<demand>(two_teas).ask(demand_for{"tea"}).answers(3);
    CHECK_FALSE(wrong);
    CHECK(wrong.explanation() == "expected:\n  3\nbut the view answered:\n  2");
    CHECK_FALSE(given_view<demand>(two_teas).ask(demand_for{"tea"}).answers(-1));
}

TEST_CASE("an answer may be tested by a function") {
    const auto tea = given_view<demand>(two_teas).ask(demand_for{"tea"});
    ANNALS_CHECK(tea.answers([](std::size_t units) { return units > 1; }));
    CHECK_FALSE(tea.answers([](std::size_t units) { return units > 2; }));
}

TEST_CASE("a view may refuse to answer") {
    const auto milk = given_view<demand>(two_teas).ask(demand_for{"milk"});
    ANNALS_CHECK(milk.answers(rejected("unknown sku")));
    CHECK_FALSE(milk.answers(rejected("closed")));
    CHECK_FALSE(milk.answers(0));
    CHECK_THAT(milk.answers(0).explanation(), Contains("rejected (unknown sku)"));
    CHECK_FALSE(
        given_view<demand>(two_teas).ask(demand_for{"tea"}).answers(rejected("unknown sku")));
}

TEST_CASE("an answer that throws fails the check and says so") {
    const auto burnt = given_view<demand>().ask(burn{});
    CHECK_FALSE(burnt.answers(1));
    CHECK_FALSE(burnt.answers([](int) { return true; }));
    CHECK(burnt.answers(1).explanation() == "answer threw: no matches");
}

TEST_CASE("a view sees where in the log each event is") {
    const auto log = given_view<demand>(two_teas)
                         .from("cart-17")
                         .and_given(item_added{"milk", 1})
                         .at(noon)
                         .and_given(item_added{"rum", 1});
    ANNALS_CHECK(log.ask(place_of{"tea"}).answers(place{"cart-1", 1, 1, {}}));
    ANNALS_CHECK(log.ask(place_of{"milk"}).answers(place{"cart-17", 1, 2, {}}));
    ANNALS_CHECK(log.ask(place_of{"rum"}).answers(place{"cart-17", 2, 3, noon}));
}

TEST_CASE("events of a category that the view does not name pass it by") {
    ANNALS_CHECK(given_view<demand>()
                     .from("order-1")
                     .and_given(two_teas)
                     .ask(demand_for{"tea"})
                     .answers(rejected("unknown sku")));
}

// --- Catch2 ---------------------------------------------------------------------------------------------

TEST_CASE("Catch2 prints the explanation of a check") {
    CHECK(Catch::Detail::stringify(check::failed("it rained")) == "it rained");
}
