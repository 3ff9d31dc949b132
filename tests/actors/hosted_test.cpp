#include "hosted_shop.hpp"

#include <catch2/catch.hpp>

/// A host's aggregates and views behind the interfaces that the actors use: what gets through, and
/// how code of the host that fails, or bytes that are wrong, come out as errors.

using namespace hosted_shop;
using Catch::Contains;

// --- what is hosted -------------------------------------------------------------------------------

TEST_CASE("host tells aggregates and views apart") {
    const annals::hosted an_aggregate = annals::host<cart>;
    const annals::hosted a_view = annals::host<stock>;
    REQUIRE(an_aggregate.aggregate != nullptr);
    CHECK(an_aggregate.projection == nullptr);
    REQUIRE(a_view.projection != nullptr);
    CHECK(a_view.aggregate == nullptr);
    CHECK(an_aggregate.aggregate->name() == "cart");
    CHECK(a_view.projection->name() == "stock");
    CHECK(a_view.projection->type() == std::type_index(typeid(stock)));
    CHECK(static_cast<annals::hosted>(annals::host<cart>).aggregate == an_aggregate.aggregate);
}

TEST_CASE("commands and queries are listed in the order of their variant") {
    const annals::hosted an_aggregate = annals::host<cart>;
    const annals::hosted a_view = annals::host<stock>;
    const auto commands = an_aggregate.aggregate->commands();
    REQUIRE(commands.size() == 2);
    CHECK(commands[0] == std::type_index(typeid(add_item)));
    CHECK(commands[1] == std::type_index(typeid(empty)));
    const auto queries = a_view.projection->queries();
    REQUIRE(queries.size() == 2);
    CHECK(queries[0] == std::type_index(typeid(units_of)));
    CHECK(queries[1] == std::type_index(typeid(list)));
}

TEST_CASE("a view wants the events of its variant, from its categories if it names any") {
    const auto named = annals::hosting::typed_view_type<stock>().filter();
    CHECK(named.types == std::vector<std::string>{"cart.item_added", "cart.emptied"});
    CHECK(named.categories == std::vector<std::string>{"cart", "order"});
    const auto all = annals::hosting::typed_view_type<everything>().filter();
    CHECK(all.types == std::vector<std::string>{"cart.emptied"});
    CHECK(all.categories.empty());
}

// --- aggregate: apply -----------------------------------------------------------------------------

TEST_CASE("an aggregate folds stored events, and its evolve sees where they come from") {
    auto instance = fresh_cart();
    const auto log = log_of().add("cart-17", 5, item_added{"tea", 3}).add("cart-17", 6, emptied{});
    REQUIRE(instance.apply(log.page().events[0]));
    CHECK(instance.state().units == 3);
    const auto& seen = instance.state().seen.front();
    CHECK(seen.stream == "cart-17");
    CHECK(seen.id == "17");
    CHECK(seen.version == 5);
    CHECK(seen.time == noon);
    CHECK(seen.command_id == uuid::of_name("10"));
    REQUIRE(instance.apply(log.page().events[1]));
    CHECK(instance.state().units == 0);
}

TEST_CASE("an id may contain '-', only the first one ends the category") {
    auto instance = fresh_cart();
    const auto log = log_of().add("cart-17-b", 1, emptied{});
    REQUIRE(instance.apply(log.first()));
    CHECK(instance.state().seen.front().id == "17-b");
    CHECK(annals::id_in_stream("cart-17-b") == "17-b");
    CHECK(annals::id_in_stream("cart-").empty());
}

TEST_CASE("a stored event that the aggregate does not list is an unknown_event with its position") {
    auto instance = fresh_cart();
    const auto log = log_of().add("cart-17", 1, "cart.painted", annals::to_bytes(emptied{}));
    const auto applied = instance.apply(log.first());
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == errc::unknown_event);
    CHECK(applied.error().actual == 10);
    CHECK_THAT(applied.error().message,
               Contains("cart.painted") && Contains("cart-17") && Contains("add its type"));
}

TEST_CASE("a stored event that is not what its type says is undecodable, with its position") {
    auto instance = fresh_cart();
    const auto log = log_of()
                         .add("cart-17", 1, item_added{"tea", 3})
                         .add("cart-17", 2, "cart.item_added", text_instead_of_a_struct())
                         .add("cart-17", 3, "cart.item_added", {});
    for (const std::size_t bad : {1U, 2U}) {
        const auto applied = instance.apply(log.page().events[bad]);
        REQUIRE_FALSE(applied);
        CHECK(applied.error().code == errc::undecodable);
        CHECK(applied.error().actual == 10 * (bad + 1));
        CHECK_THAT(applied.error().message,
                   Contains("cart.item_added") &&
                       Contains("version " + std::to_string(bad + 1) + " of cart-17"));
    }
    CHECK(instance.state().units == 0);
}

TEST_CASE("an evolve that throws on a stored event is a handler_failed with its position") {
    auto instance = fresh_cart();
    const auto log = log_of().add("cart-17", 1, item_added{"bomb", 1});
    const auto applied = instance.apply(log.first());
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == errc::handler_failed);
    CHECK(applied.error().actual == 10);
    CHECK_THAT(applied.error().message, Contains("cart.item_added") && Contains("boom"));
}

// --- aggregate: decide ----------------------------------------------------------------------------

TEST_CASE("a decided event is encoded, and folded before the next command is decided") {
    auto instance = fresh_cart();
    const auto first = decide_in(instance, 0, add_item{"tea", 2}, 4);
    CHECK(first.came.what == verdict::kind::events);
    REQUIRE(first.events.entries().size() == 1);
    CHECK(first.events.entries()[0].type == "cart.item_added");
    const auto decoded =
        annals::from_bytes<item_added>(first.events.payload(first.events.entries()[0]));
    REQUIRE(decoded);
    CHECK(decoded->sku == "tea");
    CHECK(decoded->quantity == 2);

    CHECK(instance.state().units == 2);
    const auto& seen = instance.state().seen.front();
    CHECK(seen.stream == "cart-17");
    CHECK(seen.id == "17");
    CHECK(seen.version == 5);
    CHECK(seen.time == noon);
    CHECK(seen.command_id == uuid::of_name("the command"));

    const auto second = decide_in(instance, 0, add_item{"milk", 1}, 5);
    CHECK(annals::from_bytes<item_added>(second.events.payload(second.events.entries()[0]))
              .value()
              .quantity == 201);
}

TEST_CASE("the index chooses the command's type, and several events get consecutive versions") {
    auto instance = fresh_cart();
    const auto made = decide_in(instance, 1, empty{}, 7);
    CHECK(made.came.what == verdict::kind::events);
    CHECK(types_of(made.events) == std::vector<std::string>{"cart.emptied", "cart.item_added"});
    CHECK(made.events.total_bytes() ==
          annals::to_bytes(emptied{}).size() + annals::to_bytes(item_added{"17", 7}).size());
    const auto last = made.events.entries()[1];
    CHECK(annals::from_bytes<item_added>(made.events.payload(last)).value().quantity == 7);
    REQUIRE(instance.state().seen.size() == 2);
    CHECK(instance.state().seen[0].version == 8);
    CHECK(instance.state().seen[1].version == 9);
}

TEST_CASE("what is decided is what a reader folds later") {
    auto decided_on = fresh_cart();
    const auto made = decide_in(decided_on, 1, empty{}, 0);
    auto replayed = fresh_cart();
    log_of log;
    for (const auto& one : made.events.entries()) {
        const auto payload = made.events.payload(one);
        log.add("cart-17", 1, std::string(one.type), {payload.begin(), payload.end()});
    }
    const event_page page = log.page();
    for (const auto& stored : page.events)
        REQUIRE(replayed.apply(stored));
    CHECK(replayed.state().units == decided_on.state().units);
}

TEST_CASE("a rejection and nothing store nothing and leave the state alone") {
    auto instance = fresh_cart();
    const auto refused = decide_in(instance, 0, add_item{"tea", -1});
    CHECK(refused.came.what == verdict::kind::rejected);
    CHECK(refused.came.refused == annals::rejection{"negative", "add at least one"});
    CHECK(refused.events.entries().empty());
    const auto none = decide_in(instance, 0, add_item{"tea", 0});
    CHECK(none.came.what == verdict::kind::no_events);
    CHECK(none.events.entries().empty());
    CHECK(instance.state().seen.empty());
}

TEST_CASE("a decide that throws is a handler_failed that names what was thrown") {
    auto instance = fresh_cart();
    const auto threw = decide_in(instance, 0, add_item{"std::exception"});
    CHECK(threw.came.what == verdict::kind::failed);
    CHECK(threw.came.failure.code == errc::handler_failed);
    CHECK_THAT(threw.came.failure.message, Contains("the shelf fell over") &&
                                               Contains("nothing was stored") &&
                                               Contains("Correct the handler"));
    const auto threw_int = decide_in(instance, 0, add_item{"int"});
    CHECK(threw_int.came.what == verdict::kind::failed);
    CHECK(threw_int.came.failure.code == errc::handler_failed);
    CHECK_FALSE(threw.came.state_lost);
    CHECK_FALSE(threw_int.came.state_lost);
}

TEST_CASE("events that no journal takes are found before the state has changed") {
    auto instance = fresh_cart();
    const std::string large(1'000, 'x');
    const auto event = decide_in(instance, 0, add_item{large}, 0, {.event_bytes = 1'000});
    CHECK(event.came.what == verdict::kind::failed);
    CHECK(event.came.failure.code == errc::too_large);
    CHECK_FALSE(event.came.state_lost);
    const auto commit = decide_in(instance, 0, add_item{large}, 0, {.commit_bytes = 1'000});
    CHECK(commit.came.failure.code == errc::too_large);
    CHECK(instance.state().seen.empty());
    CHECK(decide_in(instance, 0, add_item{large}).came.what == verdict::kind::events);
}

TEST_CASE("an evolve that throws on a decided event fails the command") {
    auto instance = fresh_cart();
    const auto threw = decide_in(instance, 0, add_item{"bomb"});
    CHECK(threw.came.what == verdict::kind::failed);
    CHECK(threw.came.failure.code == errc::handler_failed);
    CHECK_THAT(threw.came.failure.message, Contains("boom"));
    CHECK(threw.came.state_lost);
}

TEST_CASE("the buffer of encoded events can be used again") {
    encoded_events events;
    events.add(item_added{"tea", 1});
    events.add(emptied{});
    CHECK(events.entries().size() == 2);
    events.clear();
    CHECK(events.entries().empty());
    CHECK(events.total_bytes() == 0);
    events.add(item_added{"milk", 2});
    REQUIRE(events.entries().size() == 1);
    CHECK(annals::from_bytes<item_added>(events.payload(events.entries()[0])).value().sku ==
          "milk");
}
