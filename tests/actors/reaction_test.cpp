#include "annals/host_reaction.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

/// A host's reaction behind the interface that the actors use: what reaches its code, and how what
/// that code says or throws comes out.

using annals::delivery;
using annals::delivery_terms;
using annals::errc;
using annals::error;
using annals::host_reaction;
using annals::reaction_start;
using annals::reaction_type;
using annals::result;
using Catch::Contains;

namespace {

// --- the host's code ------------------------------------------------------------------------------

struct order_placed {
    std::string sku;
    ANNALS_EVENT(order_placed, "order.placed", sku)
};
struct order_paid {
    int cents = 0;
    ANNALS_EVENT(order_paid, "order.paid", cents)
};
struct order_shipped {
    ANNALS_EVENT(order_shipped, "order.shipped")
};

struct mails {
    std::vector<std::string> sent;
    std::vector<delivery> told;
};

struct confirm_orders {
    static constexpr std::string_view name = "confirm_orders";
    using event = std::variant<order_placed, order_paid, order_shipped>;
    mails* out = nullptr;
};
void react(confirm_orders& with, const order_placed& e, const delivery& about) {
    if (e.sku == "bomb")
        throw std::runtime_error("the mail server is down");
    if (e.sku == "refused")
        result<void>(error{errc::overloaded, "too many mails"}).value();
    with.out->sent.push_back(e.sku);
    with.out->told.push_back(about);
}
result<void> react(confirm_orders& with, const order_paid& e) {
    if (e.cents < 0)
        return error{errc::deadline_exceeded, "the bank does not answer"};
    with.out->sent.push_back(std::to_string(e.cents));
    return {};
}
void react(confirm_orders& with, const order_shipped&) {
    with.out->sent.emplace_back("shipped");
}

/// Its place in the log, and nothing else, of all events of some streams.
struct audit {
    static constexpr std::string_view name = "audit";
    static constexpr std::array<std::string_view, 1> categories{"order"};
    using event = annals::any_event;
    std::unique_ptr<std::vector<std::string>> types;
    std::vector<std::string>* seen = nullptr;
};
result<void> react(audit& with, const annals::any_event& e, const delivery& about) {
    with.types->push_back(std::string(e.type) + "@" + std::to_string(about.position));
    *with.seen = *with.types;
    return {};
}

/// Counts in itself, so that its copies can be told apart.
struct counting {
    static constexpr std::string_view name = "counting";
    using event = std::variant<order_shipped>;
    std::vector<int>* counts = nullptr;
    int own = 0;
};
void react(counting& with, const order_shipped&) {
    with.counts->push_back(++with.own);
}

struct uncopyable_today {
    static constexpr std::string_view name = "uncopyable_today";
    using event = std::variant<order_shipped>;
    uncopyable_today() = default;
    uncopyable_today(uncopyable_today&&) = default;
    uncopyable_today& operator=(uncopyable_today&&) = default;
    uncopyable_today(const uncopyable_today&) { throw std::runtime_error("out of sockets"); }
    uncopyable_today& operator=(const uncopyable_today&) = default;
};
void react(uncopyable_today&, const order_shipped&) {}

static_assert(annals::complete_domain<confirm_orders>::ok);
static_assert(annals::complete_domain<audit>::ok);
static_assert(!annals::view<confirm_orders> && !annals::aggregate<confirm_orders>);

// --- what a runtime does with it --------------------------------------------------------------------

/// A page of one event each of the types given, of stream "order-17", from position 11 on.
annals::event_page page_of(std::vector<std::pair<std::string, annals::bytes>> events) {
    struct held {
        std::vector<std::pair<std::string, annals::bytes>> events;
    };
    auto memory = std::make_shared<held>();
    memory->events = std::move(events);
    annals::event_page made;
    for (const auto& [type, payload] : memory->events) {
        annals::stored_event one;
        one.position = 11 + made.events.size();
        one.version = 1 + made.events.size();
        one.stream = "order-17";
        one.type = type;
        one.payload = payload;
        one.time = annals::timestamp(std::chrono::seconds(7));
        one.command_id = annals::uuid::of_name(type);
        made.events.push_back(one);
    }
    made.through = 99;
    made.memory = memory;
    return made;
}
template <class... Es>
annals::event_page page(const Es&... events) {
    return page_of({{std::string(annals::event_name<Es>()), annals::to_bytes(events)}...});
}

const reaction_type& type_of(const annals::hosted& what) {
    return dynamic_cast<const reaction_type&>(*what.projection);
}

/// Delivers every event of the page to the first handler.
std::vector<result<void>> deliver(const reaction_type& type, const annals::event_page& all,
                                  const delivery_terms& terms = {}) {
    auto handlers = type.handlers(1);
    REQUIRE(handlers);
    const auto made = type.decode(all, 0, {});
    REQUIRE(made.status);
    std::vector<result<void>> ends;
    for (std::size_t i = 0; i != made.decoded->count; ++i)
        ends.push_back(handlers->front()->react(*made.decoded, i, terms).how);
    return ends;
}

} // namespace

TEST_CASE("a reaction is hosted with its object, its beginning and its options") {
    mails out;
    const auto made = host_reaction(confirm_orders{&out}, reaction_start::now, {.partitions = 4});
    const auto& type = type_of(made);
    REQUIRE(made.aggregate == nullptr);
    REQUIRE(made.options.partitions == 4);
    REQUIRE(type.kind() == annals::projection_kind::reaction);
    REQUIRE(type.name() == "confirm_orders");
    REQUIRE(type.start() == reaction_start::now);
    REQUIRE(type.queries().empty());
    REQUIRE(type.type() == typeid(confirm_orders));
    REQUIRE(type.filter().types ==
            std::vector<std::string>{"order.placed", "order.paid", "order.shipped"});
    REQUIRE(type.filter().categories.empty());
}

TEST_CASE("each event reaches the react that the host wrote for it") {
    mails out;
    const auto made = host_reaction(confirm_orders{&out}, reaction_start::now);
    const auto ends =
        deliver(type_of(made), page(order_placed{"A"}, order_paid{250}, order_shipped{}));
    REQUIRE(ends.size() == 3);
    for (const auto& one : ends)
        REQUIRE(one);
    REQUIRE(out.sent == std::vector<std::string>{"A", "250", "shipped"});
}

TEST_CASE("a delivery says which event it is, and how it came") {
    mails out;
    const auto made = host_reaction(confirm_orders{&out}, reaction_start::now);
    const auto all = page(order_shipped{}, order_placed{"A"});
    std::stop_source stop;
    (void)deliver(type_of(made), all, {true, 3, stop.get_token()});
    REQUIRE(out.told.size() == 1);
    const delivery& about = out.told.front();
    REQUIRE(about.stream == "order-17");
    REQUIRE(about.id == "17");
    REQUIRE(about.version == 2);
    REQUIRE(about.position == 12);
    REQUIRE(about.time == all.events[1].time);
    REQUIRE(about.command_id == all.events[1].command_id);
    REQUIRE(about.event_id == all.events[1].event_id());
    REQUIRE(about.event_id != all.events[0].event_id());
    REQUIRE(about.redelivered);
    REQUIRE(about.attempt == 3);
    REQUIRE_FALSE(about.stop.stop_requested());
    stop.request_stop();
    REQUIRE(about.stop.stop_requested());
}

TEST_CASE("what a reaction throws or returns is its event's failure") {
    mails out;
    const auto made = host_reaction(confirm_orders{&out}, reaction_start::now);
    const auto ends =
        deliver(type_of(made), page(order_placed{"bomb"}, order_placed{"refused"}, order_paid{-1}));
    REQUIRE(ends[0].error().code == errc::handler_failed);
    REQUIRE_THAT(ends[0].error().message, Contains("confirm_orders") &&
                                              Contains("event 11 (order.placed of order-17)") &&
                                              Contains("the mail server is down"));
    REQUIRE(ends[0].error().actual == 11);
    REQUIRE(ends[1].error().code == errc::overloaded);
    REQUIRE_THAT(ends[1].error().message, Contains("too many mails"));
    REQUIRE(ends[2].error() == error{errc::deadline_exceeded, "the bank does not answer"});
    REQUIRE(out.sent.empty());
}

TEST_CASE("an event that cannot be decoded ends the decoding before it") {
    mails out;
    const auto made = host_reaction(confirm_orders{&out}, reaction_start::now);
    auto all = page(order_placed{"A"}, order_paid{250});
    all.events[1].payload = {};
    const auto decoded = type_of(made).decode(all, 0, {});
    REQUIRE(decoded.status.error().code == errc::undecodable);
    REQUIRE(decoded.next == 1);
    REQUIRE(decoded.decoded->count == 1);
}

TEST_CASE("a reaction of every event sees them as they are, and may be one that cannot be copied") {
    std::vector<std::string> seen;
    const auto made = host_reaction(audit{std::make_unique<std::vector<std::string>>(), &seen},
                                    reaction_start::beginning);
    const auto& type = type_of(made);
    REQUIRE(type.start() == reaction_start::beginning);
    REQUIRE(type.filter().types.empty());
    REQUIRE(type.filter().categories == std::vector<std::string>{"order"});
    (void)deliver(type, page(order_paid{1}, order_shipped{}));
    REQUIRE(seen == std::vector<std::string>{"order.paid@11", "order.shipped@12"});
}

TEST_CASE("what cannot be copied is hosted once, in one partition") {
    std::vector<std::string> seen;
    const auto made = host_reaction(audit{std::make_unique<std::vector<std::string>>(), &seen},
                                    reaction_start::now);
    const auto& type = type_of(made);
    const auto two = type.handlers(2);
    REQUIRE(two.error().code == errc::invalid_argument);
    REQUIRE_THAT(two.error().message, Contains("\"audit\"") && Contains("partitions"));
    REQUIRE(type.handlers(1)); // the refusal took nothing
    const auto again = type.handlers(1);
    REQUIRE(again.error().code == errc::invalid_argument);
    REQUIRE_THAT(again.error().message, Contains("hosted already"));
}

TEST_CASE("each partition has its own copy of the reaction") {
    std::vector<int> counts;
    const auto made = host_reaction(counting{&counts}, reaction_start::now);
    const auto& type = type_of(made);
    const auto events = type.decode(page(order_shipped{}), 0, {});
    for (int opened = 0; opened != 2; ++opened) {
        auto handlers = type.handlers(3);
        REQUIRE(handlers);
        REQUIRE(handlers->size() == 3);
        counts.clear();
        for (const auto which : {0U, 1U, 0U, 2U, 0U})
            REQUIRE((*handlers)[which]->react(*events.decoded, 0, {}).how);
        REQUIRE(counts == std::vector<int>{1, 1, 2, 1, 3});
    }
}

TEST_CASE("a reaction that throws while it is copied is an error") {
    const auto made = host_reaction(uncopyable_today{}, reaction_start::now);
    const auto handlers = type_of(made).handlers(2);
    REQUIRE(handlers.error().code == errc::handler_failed);
    REQUIRE_THAT(handlers.error().message, Contains("out of sockets"));
}

// --- reactions whose work ends later ---------------------------------------------------------------

namespace {

struct answers {
    std::shared_ptr<annals::reply_state<int>> first = std::make_shared<annals::reply_state<int>>();
    std::shared_ptr<annals::reply_state<int>> second = std::make_shared<annals::reply_state<int>>();
    std::vector<std::string> log;
};
struct patient {
    static constexpr std::string_view name = "patient";
    using event = std::variant<order_placed, order_paid, order_shipped>;
    answers* by = nullptr;
};
annals::future<int> react(patient& p, const order_placed&) {
    return annals::future<int>(p.by->first);
}
/// Looks at the event, the delivery and itself after each wait.
annals::reaction_task react(patient& p, const order_paid& e, const delivery& about) {
    struct leaves {
        answers& to;
        ~leaves() { to.log.emplace_back("left"); }
    } const at_end{*p.by};
    const annals::future<int> first(p.by->first);
    const auto one = co_await first;
    p.by->log.push_back(std::string(about.stream) + " " + std::to_string(e.cents + *one));
    const annals::future<int> second(p.by->second);
    p.by->log.push_back(std::to_string((co_await second).value()));
}
void react(patient& p, const order_shipped&) {
    p.by->log.emplace_back("shipped");
}

struct delivered_later {
    template <class E>
    delivered_later(answers& by, const E& event)
        : hosted(host_reaction(patient{&by}, reaction_start::now)),
          handler(std::move(type_of(hosted).handlers(1).value().front())),
          decoded(type_of(hosted).decode(page(event), 0, {}).decoded),
          how(handler->react(*decoded, 0, {})) {
        if (how.when_ended)
            how.when_ended([this](result<void> came) { ended = std::move(came); });
    }
    annals::hosted hosted;
    std::unique_ptr<reaction_type::handler> handler;
    std::unique_ptr<annals::decoded_events> decoded;
    annals::handled how;
    std::optional<result<void>> ended;
};

} // namespace

TEST_CASE("a react that returns a future has ended when that has its answer") {
    answers by;
    REQUIRE(type_of(host_reaction(patient{&by}, reaction_start::now)).ends_later());
    SECTION("which comes later") {
        delivered_later one(by, order_placed{"A"});
        REQUIRE_FALSE(one.ended);
        by.first->complete(annals::outcome<int>(1));
        REQUIRE(one.ended->has_value());
    }
    SECTION("which was there") {
        by.first->complete(annals::outcome<int>(1));
        const delivered_later one(by, order_placed{"A"});
        REQUIRE_FALSE(one.how.when_ended);
        REQUIRE(one.how.how);
    }
    SECTION("which is an error: that is the event's") {
        delivered_later one(by, order_placed{"A"});
        by.first->complete(annals::outcome<int>(error{errc::overloaded, "too much"}));
        REQUIRE(one.ended->error() == error{errc::overloaded, "too much"});
    }
    SECTION("which is a rejection: that is an answer") {
        delivered_later one(by, order_placed{"A"});
        by.first->complete(annals::outcome<int>(annals::reject("sold out")));
        REQUIRE(one.ended->has_value());
    }
}

TEST_CASE("a react that is a coroutine sees its event and delivery until it has ended") {
    answers by;
    delivered_later one(by, order_paid{40});
    REQUIRE(by.log.empty());
    by.first->complete(annals::outcome<int>(2));
    REQUIRE(by.log == std::vector<std::string>{"order-17 42"});
    REQUIRE_FALSE(one.ended);
    SECTION("well") {
        by.second->complete(annals::outcome<int>(7));
        REQUIRE(by.log == std::vector<std::string>{"order-17 42", "7", "left"});
        REQUIRE(one.ended->has_value());
    }
    SECTION("by throwing") {
        by.second->complete(annals::outcome<int>(error{errc::overloaded, "too much"}));
        REQUIRE(by.log.back() == "left");
        REQUIRE(one.ended->error().code == errc::overloaded);
        REQUIRE_THAT(one.ended->error().message, Contains("\"patient\" threw on event 11"));
    }
}

TEST_CASE("a reaction may end later for some events and at once for others") {
    answers by;
    const delivered_later one(by, order_shipped{});
    REQUIRE_FALSE(one.how.when_ended);
    REQUIRE(by.log == std::vector<std::string>{"shipped"});
    REQUIRE_FALSE(type_of(host_reaction(confirm_orders{}, reaction_start::now)).ends_later());
}
