#include "annals/host.hpp"
#include "annals/request.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <variant>
#include <vector>

/// A host's aggregates and views behind the interfaces that the actors use: what gets through, and
/// how code of the host that fails, or bytes that are wrong, come out as errors.

using annals::command_context;
using annals::encoded_events;
using annals::errc;
using annals::event_context;
using annals::event_page;
using annals::log_position;
using annals::logged_context;
using annals::metadata;
using annals::stored_event;
using annals::stream_version;
using annals::timestamp;
using annals::uuid;
using annals::verdict;
using Catch::Contains;

namespace {

// --- the host's code ------------------------------------------------------------------------------

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};
struct emptied {
    ANNALS_EVENT(emptied, "cart.emptied")
};

struct add_item {
    std::string sku;
    int quantity = 1;
};
struct empty {};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, empty>;
    using event = std::variant<item_added, emptied>;
    using decision = annals::decision<event>;

    int units = 0;
    std::vector<event_context> seen;
};

cart::decision decide(const cart& state, const add_item& c) {
    if (c.sku == "std::exception")
        throw std::runtime_error("the shelf fell over");
    if (c.sku == "int")
        throw 42;
    if (c.quantity == 0)
        return annals::nothing;
    if (c.quantity < 0)
        return annals::reject("negative", "add at least one");
    return item_added{c.sku, c.quantity + state.units * 100};
}
cart::decision decide(const cart&, const empty&, const command_context& context) {
    return {emptied{}, item_added{std::string(context.id), static_cast<int>(context.version)}};
}
void evolve(cart& state, const item_added& e, const event_context& context) {
    if (e.sku == "bomb")
        throw std::runtime_error("boom");
    state.units += e.quantity;
    state.seen.push_back(context);
}
void evolve(cart& state, const emptied&, const event_context& context) {
    state.units = 0;
    state.seen.push_back(context);
}

struct units_of {};
struct list {};

struct stock {
    static constexpr std::string_view name = "stock";
    static constexpr std::array categories{std::string_view("cart"), std::string_view("order")};
    using event = std::variant<item_added, emptied>;
    using query = std::variant<units_of, list>;

    int units = 0;
    std::vector<std::string> seen; ///< "stream@version:position"
};
void evolve(stock& view, const item_added& e, const logged_context& context) {
    if (e.sku == "bomb")
        throw std::runtime_error("boom");
    view.units += e.quantity;
    view.seen.push_back(std::string(context.stream) + "/" + std::string(context.id) + "@" +
                        std::to_string(context.version) + ":" + std::to_string(context.position));
}
void evolve(stock&, const emptied&) {}
int answer(const stock& view, const units_of&) {
    return view.units;
}
annals::outcome<std::vector<std::string>> answer(const stock& view, const list&) {
    if (view.units > 1000)
        throw std::runtime_error("that is a lot of tea");
    if (view.seen.empty())
        return annals::reject("sold out");
    return view.seen;
}

/// Without categories it wants the events of all streams.
struct everything {
    static constexpr std::string_view name = "everything";
    using event = std::variant<emptied>;
    using query = std::variant<units_of>;
};
void evolve(everything&, const emptied&) {}
int answer(const everything&, const units_of&) {
    return 0;
}

// --- stored events, as a journal gives them -------------------------------------------------------

const timestamp noon = timestamp(std::chrono::hours(12));

/// A page in the making; it owns what its events point to.
class log_of {
public:
    template <annals::event E>
    log_of& add(std::string stream, stream_version version, const E& happened) {
        return add(std::move(stream), version, std::string(annals::event_name<E>()),
                   annals::to_bytes(happened));
    }
    log_of& add(std::string stream, stream_version version, std::string type,
                annals::bytes payload) {
        const auto& held =
            held_->emplace_back(memory{std::move(stream), std::move(type), std::move(payload)});
        stored_event stored;
        stored.position = page_.events.size() * 10 + 10;
        stored.version = version;
        stored.stream = held.stream;
        stored.type = held.type;
        stored.payload = held.payload;
        stored.time = noon;
        stored.command_id = uuid::of_name(std::to_string(stored.position));
        page_.events.push_back(stored);
        page_.through = stored.position + 5;
        return *this;
    }
    [[nodiscard]] event_page page() const {
        event_page page = page_;
        page.memory = held_;
        return page;
    }
    [[nodiscard]] const stored_event& first() const { return page_.events.front(); }

private:
    struct memory {
        std::string stream;
        std::string type;
        annals::bytes payload;
    };
    // Never moves what it holds; shared by copies.
    std::shared_ptr<std::deque<memory>> held_ = std::make_shared<std::deque<memory>>();
    event_page page_;
};

annals::bytes text_instead_of_a_struct() {
    return annals::to_bytes(std::string("not a map"));
}

annals::hosting::typed_aggregate<cart> fresh_cart() {
    return {};
}

struct deciding {
    verdict came;
    encoded_events events;
};

template <class Command>
deciding decide_in(annals::aggregate_instance& instance, std::size_t index, const Command& command,
                   stream_version version = 0) {
    metadata about;
    about.time = noon;
    about.command_id = uuid::of_name("the command");
    deciding made;
    made.came = instance.decide(index, &command, {"17", version, about}, "cart-17", made.events);
    return made;
}

std::vector<std::string> types_of(const encoded_events& events) {
    std::vector<std::string> types;
    for (const auto& one : events.entries())
        types.emplace_back(one.type);
    return types;
}

} // namespace

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
}

TEST_CASE("an evolve that throws on a decided event fails the command") {
    auto instance = fresh_cart();
    const auto threw = decide_in(instance, 0, add_item{"bomb"});
    CHECK(threw.came.what == verdict::kind::failed);
    CHECK(threw.came.failure.code == errc::handler_failed);
    CHECK_THAT(threw.came.failure.message, Contains("boom"));
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

// --- view -----------------------------------------------------------------------------------------

TEST_CASE("a view folds the events of a page, and its evolve sees where they are") {
    const annals::hosting::typed_view_type<stock> type;
    const auto log = log_of()
                         .add("cart-17", 1, item_added{"tea", 3})
                         .add("order-2", 7, item_added{"milk", 1})
                         .add("cart-17", 2, emptied{});
    const auto decoding = type.decode(log.page(), 0, {});
    REQUIRE(decoding.status);
    REQUIRE(decoding.decoded != nullptr);
    CHECK(decoding.decoded->count == 3);
    CHECK(decoding.decoded->through == 35);

    const auto instance = type.make();
    REQUIRE(instance->fold(*decoding.decoded, 0, decoding.decoded->count).status);
    const auto& view = *static_cast<const stock*>(instance->state());
    CHECK(view.units == 4);
    CHECK(view.seen == std::vector<std::string>{"cart-17/17@1:10", "order-2/2@7:20"});
}

TEST_CASE("decoded events may be folded into several instances, also after the page is gone") {
    const annals::hosting::typed_view_type<stock> type;
    annals::decoding decoding;
    std::weak_ptr<const void> memory;
    {
        const event_page page = log_of().add("cart-17", 1, item_added{"tea", 3}).page();
        memory = page.memory;
        decoding = type.decode(page, 0, {});
    }
    CHECK_FALSE(memory.expired());
    for (int i = 0; i < 2; ++i) {
        const auto instance = type.make();
        REQUIRE(instance->fold(*decoding.decoded, 0, decoding.decoded->count).status);
        CHECK(static_cast<const stock*>(instance->state())->seen ==
              std::vector<std::string>{"cart-17/17@1:10"});
    }
    decoding.decoded.reset();
    CHECK(memory.expired());
}

TEST_CASE("an empty page brings a view on to where the page was read") {
    const annals::hosting::typed_view_type<stock> type;
    event_page page;
    page.through = 1000;
    const auto decoding = type.decode(page, 0, {});
    REQUIRE(decoding.status);
    CHECK(decoding.decoded->count == 0);
    CHECK(decoding.decoded->through == 1000);
}

TEST_CASE("events that a view does not list pass it by") {
    const annals::hosting::typed_view_type<everything> type;
    const auto log = log_of()
                         .add("cart-17", 1, item_added{"tea", 3})
                         .add("cart-17", 2, "cart.painted", text_instead_of_a_struct())
                         .add("cart-17", 3, emptied{});
    const auto decoding = type.decode(log.page(), 0, {});
    REQUIRE(decoding.status);
    CHECK(decoding.decoded->count == 1);
    CHECK(decoding.decoded->through == 35);
}

TEST_CASE("decoding stops at a bad event and delivers those before it") {
    const annals::hosting::typed_view_type<stock> type;
    const auto log = log_of()
                         .add("cart-17", 1, item_added{"tea", 3})
                         .add("cart-17", 2, item_added{"tea", 1})
                         .add("cart-17", 3, "cart.item_added", text_instead_of_a_struct())
                         .add("cart-17", 4, item_added{"tea", 5});
    const auto decoding = type.decode(log.page(), 0, {});
    REQUIRE_FALSE(decoding.status);
    CHECK(decoding.status.error().code == errc::undecodable);
    CHECK(decoding.status.error().actual == 30);
    CHECK_THAT(decoding.status.error().message, Contains("event 30") &&
                                                    Contains("version 3 of cart-17") &&
                                                    Contains("make the type read what was stored"));
    REQUIRE(decoding.decoded != nullptr);
    CHECK(decoding.decoded->count == 2);
    CHECK(decoding.decoded->through == 29);
    const auto instance = type.make();
    REQUIRE(instance->fold(*decoding.decoded, 0, decoding.decoded->count).status);
    CHECK(static_cast<const stock*>(instance->state())->units == 4);
}

TEST_CASE("a bad event at the beginning leaves nothing before it") {
    const annals::hosting::typed_view_type<stock> type;
    const auto log = log_of().add("cart-17", 1, "cart.emptied", {});
    const auto decoding = type.decode(log.page(), 0, {});
    REQUIRE_FALSE(decoding.status);
    CHECK(decoding.decoded->count == 0);
    CHECK(decoding.decoded->through == 9);
}

TEST_CASE("an evolve of a view that throws is a handler_failed with the event's position") {
    const annals::hosting::typed_view_type<stock> type;
    const auto log = log_of()
                         .add("cart-17", 1, item_added{"tea", 3})
                         .add("cart-17", 2, item_added{"bomb", 1})
                         .add("cart-17", 3, item_added{"tea", 3});
    const auto decoding = type.decode(log.page(), 0, {});
    const auto folded = type.make()->fold(*decoding.decoded, 0, decoding.decoded->count);
    REQUIRE_FALSE(folded.status);
    CHECK(folded.next == 1);
    CHECK(folded.status.error().code == errc::handler_failed);
    CHECK(folded.status.error().actual == 20);
    CHECK_THAT(folded.status.error().message, Contains("stock") && Contains("boom"));
}

// --- queries --------------------------------------------------------------------------------------

namespace {

template <class View, class Query>
auto ask(const View& view, Query query) {
    const auto request = std::make_shared<annals::typed_query<View, Query>>(std::move(query));
    annals::future<annals::answer_of<View, Query>> answer(request);
    request->answer_from(&view, 7);
    request->fail({errc::aborted, "too late"});
    return answer.get();
}

} // namespace

TEST_CASE("a query is answered with a value or a rejection, once") {
    stock view;
    CHECK(ask(view, list{}).is_rejected());
    view.units = 3;
    view.seen = {"tea"};
    CHECK(ask(view, units_of{}).value() == 3);
    CHECK(ask(view, list{}).value() == std::vector<std::string>{"tea"});
    CHECK(ask(everything{}, units_of{}).value() == 0);
}

TEST_CASE("an answer that throws is a handler_failed that says what was thrown") {
    stock view;
    view.units = 1001;
    const auto answer = ask(view, list{});
    REQUIRE(answer.is_error());
    CHECK(answer.error().code == errc::handler_failed);
    CHECK_THAT(answer.error().message, Contains("answer") && Contains("that is a lot of tea") &&
                                           Contains("correct the handler"));
}

// --- exceptions -----------------------------------------------------------------------------------

TEST_CASE("an exception is described by what it says, if it says anything") {
    const auto described = [](auto thrown) {
        try {
            throw thrown;
        } catch (...) {
            return annals::describe_current_exception();
        }
    };
    CHECK_THAT(described(std::runtime_error("no milk")), Contains("no milk"));
    CHECK_FALSE(described(42).empty());
}
