#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// A commit that is not stored takes with it what was decided on top of it, and nothing else.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::confirm_units;
using shop::remove_item;

namespace {

struct held_shop {
    std::shared_ptr<holding_journal> log;
    runtime rt;

    explicit held_shop(std::shared_ptr<journal> inner = make_memory_journal())
        : log(std::make_shared<holding_journal>(std::move(inner))),
          rt(open(log)) {}
    static runtime open(std::shared_ptr<holding_journal> log) {
        auto with = event_store(keeping::in_memory).settings();
        with.journal = std::move(log);
        return open_shop(std::move(with));
    }
};

} // namespace

TEST_CASE("a full disk fails a command and all that was decided on top of it") {
    held_shop held;
    REQUIRE(said(held.rt.send("17", add_item{"tea"})) == "stored");
    held.log->hold();
    held.log->fail_where([](const commit& candidate) -> std::optional<error> {
        if (candidate.stream != "cart-17")
            return std::nullopt;
        return error{errc::disk_full, "the test wants it so"};
    });
    const auto first = held.rt.send("17", add_item{"rum"});
    const auto second = held.rt.send("17", add_item{"milk"});
    const auto on_unstored = held.rt.send("17", remove_item{"rum"});
    const auto none = held.rt.send("17", confirm_units{2});
    const auto other = held.rt.send("18", add_item{"tea"});
    REQUIRE(held.log->holds(5));
    held.log->release();
    REQUIRE(said(first) == "disk_full");
    REQUIRE(said(second) == "predecessor_failed");
    REQUIRE(said(on_unstored) == "predecessor_failed");
    REQUIRE(said(none) == "predecessor_failed");
    REQUIRE(said(other) == "stored");

    held.log->fail_where({});
    REQUIRE(said(held.rt.send("17", confirm_units{1})) == "nothing to do");
    REQUIRE(held.rt.send("17", add_item{"rum"}).get().value().version == 2);
    REQUIRE(held.rt.status().commands_failed == 4);
    REQUIRE(held.rt.status().commands_in_flight == 0);
}

TEST_CASE("an event that is too large fails its command alone") {
    held_shop held(make_memory_journal(100));
    REQUIRE(said(held.rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(held.rt.send("17", add_item{std::string(200, 'x')})) == "too_large");
    REQUIRE(said(held.rt.send("17", confirm_units{1})) == "nothing to do");
    REQUIRE(said(held.rt.send("17", add_item{"tea"})) == "stored");
}

TEST_CASE("of a commit with several events all are stored or none") {
    const event_store store;
    auto with = store.settings();
    with.store.max_event_bytes = 1'000;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("17", add_items{{"tea", std::string(2'000, 'x')}})) == "too_large");
    REQUIRE(rt.journal().head() == 0);
    REQUIRE(said(rt.send("17", add_items{{"tea", "rum"}})) == "stored");
    REQUIRE(rt.journal().head() == 2);
}

TEST_CASE("a rejection that rests on events not yet stored waits for them") {
    held_shop held;
    held.log->hold();
    const auto first = held.rt.send("17", add_item{"tea"});
    const auto refused = held.rt.send("17", remove_item{"rum"});
    const auto none = held.rt.send("17", confirm_units{1});
    REQUIRE(held.log->holds(3));
    REQUIRE_FALSE(refused.is_ready());
    REQUIRE_FALSE(none.is_ready());
    held.log->release();
    REQUIRE(said(first) == "stored");
    REQUIRE(said(refused) == "rejected: not in cart");
    REQUIRE(said(none) == "nothing to do");
    REQUIRE(none.get()->version == 1);
    REQUIRE(none.get()->position == 1);
}

TEST_CASE("a rejection that rests on stored events does not wait") {
    held_shop held;
    REQUIRE(said(held.rt.send("17", add_item{"tea"})) == "stored");
    held.log->hold();
    REQUIRE(said(held.rt.send("17", remove_item{"rum"})) == "rejected: not in cart");
}

TEST_CASE("an unknown outcome is passed on to who sent the command") {
    held_shop held;
    held.log->fail_next(errc::outcome_unknown);
    REQUIRE(said(held.rt.send("17", add_item{"tea"})) == "outcome_unknown");
    REQUIRE(said(held.rt.send("17", confirm_units{0})) == "nothing to do");
}

TEST_CASE("commands that arrive while an aggregate recovers keep their order") {
    held_shop held;
    held.log->fail_where([](const commit& candidate) -> std::optional<error> {
        // Every fifth version of the stream fails once it is tried.
        static int tries = 0;
        if (candidate.stream == "cart-17" && ++tries % 5 == 0)
            return error{errc::disk_full, "the test wants it so"};
        return std::nullopt;
    });
    std::vector<future<receipt>> coming;
    for (int i = 1; i <= 300; ++i)
        coming.push_back(held.rt.send("17", add_item{"tea", i}));
    std::vector<int> stored;
    int failed = 0;
    for (std::size_t i = 0; i < coming.size(); ++i) {
        const auto answer = said(coming[i]);
        if (answer == "stored")
            stored.push_back(static_cast<int>(i) + 1);
        failed += answer == "disk_full" || answer == "predecessor_failed";
    }
    REQUIRE(stored.size() + static_cast<std::size_t>(failed) == coming.size());
    std::vector<int> in_log;
    const auto page = held.log->read_stream("cart-17", 1, 1'000, direction::forward).value();
    for (const auto& event : page.events)
        in_log.push_back(from_bytes<shop::item_added>(event.payload).value().quantity);
    REQUIRE(in_log == stored);
}
