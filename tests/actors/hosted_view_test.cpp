#include "hosted_shop.hpp"

#include <catch2/catch.hpp>

/// A host's views behind the interface that the actors use: folding, and answering.

using namespace hosted_shop;
using Catch::Contains;

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
