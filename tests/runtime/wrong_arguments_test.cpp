#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// Requests that cannot be right are answered with what is wrong and what would be right.

using namespace annals;
using namespace annals::test;
using shop::add_item;

namespace {

struct unheard_of {};

} // namespace

namespace shop {

struct twin {
    static constexpr std::string_view name = "cart"; // as the cart's
    using command = std::variant<unheard_of>;
    using event = std::variant<item_added>;
    using decision = annals::decision<event>;
};
inline twin::decision decide(const twin&, const unheard_of&) {
    return annals::nothing;
}
inline void evolve(twin&, const item_added&) {}

struct rival {
    static constexpr std::string_view name = "rival";
    using command = std::variant<add_item>; // as the cart's
    using event = std::variant<item_added>;
    using decision = annals::decision<event>;
};
inline rival::decision decide(const rival&, const add_item&) {
    return annals::nothing;
}
inline void evolve(rival&, const item_added&) {}

struct second_demand {
    static constexpr std::string_view name = "demand"; // as the other's
    using query = std::variant<demand_for>;
    using event = std::variant<item_added>;
};
inline void evolve(second_demand&, const item_added&) {}
inline int answer(const second_demand&, const demand_for&) {
    return 0;
}

struct all_demand { ///< has an answer, but `demand` does not list it
    using view = demand;
};
inline int answer(const demand&, const all_demand&) {
    return 0;
}

} // namespace shop

TEST_CASE("a command that no aggregate handles is answered with those that are known") {
    auto rt = open_shop();
    const auto coming = rt.send("17", unheard_of{});
    REQUIRE(said(coming) == "unknown_command");
    REQUIRE(mentions(coming, "unheard_of"));
    REQUIRE(mentions(coming, "shop::add_item, "));
    REQUIRE(mentions(coming, "shop::remove_item"));
    REQUIRE(rt.status().commands_failed == 1);
    REQUIRE(rt.status().commands_in_flight == 0);
}

TEST_CASE("a query to a view that is not hosted is answered with those that are") {
    auto rt = open_shop();
    const auto coming = rt.ask(shop::fragile_count{});
    REQUIRE(said(coming) == "unknown_query");
    REQUIRE(mentions(coming, "shop::fragile "));
    REQUIRE(mentions(coming, "shop::demand, shop::removals"));
    REQUIRE(rt.status().queries_failed == 1);
    REQUIRE(rt.status().queries_in_flight == 0);
}

TEST_CASE("a query that its view does not list is answered with those that it does") {
    auto rt = open_shop();
    const auto coming = rt.ask(shop::all_demand{});
    REQUIRE(said(coming) == "unknown_query");
    REQUIRE(mentions(coming, "shop::all_demand"));
    REQUIRE(mentions(coming, "Queries it answers: shop::demand_for"));
}

TEST_CASE("an aggregate needs an id of sensible length") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("", add_item{"tea"})) == "invalid_argument");
    REQUIRE(said(rt.send(std::string(129, 'x'), add_item{"tea"})) == "invalid_argument");
    REQUIRE(mentions(rt.send(std::string(129, 'x'), add_item{"tea"}), "129"));
    REQUIRE(said(rt.send(std::string(128, 'x'), add_item{"tea"})) == "stored");
}

TEST_CASE("ids up to the largest limit can be stored") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    with.limits.max_id_bytes = 190;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send(std::string(190, 'x'), add_item{"tea"})) == "stored");
    REQUIRE(said(rt.send(std::string(191, 'x'), add_item{"tea"})) == "invalid_argument");
}

TEST_CASE("an id holds no control characters and is valid text") {
    auto rt = open_shop();
    for (const std::string id : {"a\nb", "\x01", "a\x7f", "\xff\xfe", "\xc3"}) {
        INFO("id " << id);
        REQUIRE(said(rt.send(id, add_item{"tea"})) == "invalid_argument");
    }
    REQUIRE(said(rt.send(std::string("a\0b", 3), add_item{"tea"})) == "invalid_argument");
    REQUIRE(said(rt.send("käse 17-a/β", add_item{"tea"})) == "stored");
    REQUIRE(rt.status().commands_in_flight == 0);
}

TEST_CASE("ids that look alike name different aggregates") {
    auto rt = open_shop();
    for (const std::string id : {"1", "01", "1-", "-1", " 1", "1 "}) {
        INFO("id \"" << id << '"');
        REQUIRE(rt.send(id, add_item{"tea"}).get().value().version == 1);
    }
}

TEST_CASE("hosted types that clash are refused when the runtime opens") {
    const auto settings = [] { return event_store(keeping::in_memory).settings(); };
    const auto same_name = runtime::open(settings(), host<shop::cart>, host<shop::twin>);
    REQUIRE_FALSE(same_name);
    REQUIRE(same_name.error().code == errc::invalid_argument);
    REQUIRE(same_name.error().message.find("\"cart\"") != std::string::npos);

    const auto same_command = runtime::open(settings(), host<shop::cart>, host<shop::rival>);
    REQUIRE_FALSE(same_command);
    REQUIRE(same_command.error().code == errc::invalid_argument);
    REQUIRE(same_command.error().message.find("shop::add_item") != std::string::npos);

    const auto same_view = runtime::open(settings(), host<shop::demand>, host<shop::second_demand>);
    REQUIRE_FALSE(same_view);
    REQUIRE(same_view.error().code == errc::invalid_argument);

    const auto twice = runtime::open(settings(), host<shop::demand>, host<shop::demand>);
    REQUIRE_FALSE(twice);
}

TEST_CASE("a store can be opened after hosting on it was refused") {
    const event_store store;
    REQUIRE_FALSE(runtime::open(store.settings(), host<shop::cart>, host<shop::twin>));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
}

TEST_CASE("a store is open in one runtime at a time") {
    const event_store store;
    auto rt = open_shop(store.settings());
    const auto second = runtime::open(store.settings(), host<shop::cart>);
    REQUIRE_FALSE(second);
    REQUIRE(second.error().code == errc::in_use);
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
}

TEST_CASE("a runtime over a host's own journal uses that and closes it") {
    const auto log = make_memory_journal();
    REQUIRE(append_outside(*log, "cart-17", shop::item_added{"tea", 4}));
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    REQUIRE(&rt.journal() == log.get());
    REQUIRE(said(rt.send("17", shop::confirm_units{4})) == "nothing to do");
    REQUIRE(rt.close());
    REQUIRE(log->describe("cart-17").error().code == errc::closed);
}

TEST_CASE("a limit that makes no sense is refused at opening") {
    auto with = event_store(keeping::in_memory).settings();
    with.limits.page_events = 0;
    const auto no_pages = runtime::open(with, host<shop::cart>);
    REQUIRE_FALSE(no_pages);
    CHECK(no_pages.error().code == errc::invalid_argument);
    CHECK(no_pages.error().message.find("page_events") != std::string::npos);

    with = event_store(keeping::in_memory).settings();
    with.limits.max_id_bytes = 191;
    const auto long_ids = runtime::open(with, host<shop::cart>);
    REQUIRE_FALSE(long_ids);
    CHECK(long_ids.error().message.find("max_id_bytes") != std::string::npos);
}

TEST_CASE("what the host gave stays open where opening fails, so that it may try again") {
    config with;
    with.journal = make_memory_journal();
    with.projections = make_memory_projection_store();
    REQUIRE(runtime::open(with, host<shop::cart>, host<shop::twin>).error().code ==
            errc::invalid_argument);
    REQUIRE(runtime::open(with, host<shop::cart>, host<shop::demand>, host<shop::second_demand>)
                .error()
                .code == errc::invalid_argument);
    auto rt = open_shop(with);
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, latest())) == "1");
}
