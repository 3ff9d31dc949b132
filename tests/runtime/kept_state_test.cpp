#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

/// A command that fails before its aggregate has changed costs nobody a reading of the stream.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::confirm_units;
using shop::run_inside;

namespace {

send_options with_note(std::size_t bytes) {
    send_options options;
    options.about.extra["note"] = std::string(bytes, 'n');
    return options;
}

} // namespace

TEST_CASE("a command that fails before the state has changed leaves it where it is") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    for (int i = 0; i < 10; ++i)
        REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    const std::string too_large(2 << 20, 'x');
    REQUIRE(said(rt.send("17", run_inside{[] { throw std::runtime_error("no"); }})) ==
            "handler_failed");
    REQUIRE(said(rt.send("17", add_item{too_large})) == "too_large");
    REQUIRE(said(rt.send("17", add_items{{"rum", "milk", too_large}})) == "too_large");
    const std::vector<std::string> skus(20, std::string(1'000'000, 'x'));
    REQUIRE(said(rt.send("17", add_items{skus})) == "too_large");
    REQUIRE(said(rt.send("17", confirm_units{10})) == "nothing to do");
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(stored_cart(rt.journal(), "17").units() == 11);
    REQUIRE(rt.status().rehydrations == 1);
}

TEST_CASE("metadata that no journal would take costs nobody a reading either") {
    const event_store store(keeping::on_disk);
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    const auto coming = rt.send("17", add_item{"tea"}, with_note(1 << 20));
    REQUIRE(said(coming) == "too_large");
    REQUIRE(mentions(coming, "metadata"));
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
    REQUIRE(rt.status().rehydrations == 1);
}

TEST_CASE("what is on its way does not hear of a later command that fails") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    const auto before = rt.send("17", add_item{"tea"});
    const auto failing = rt.send("17", add_item{std::string(2 << 20, 'x')});
    const auto after = rt.send("17", add_item{"tea"});
    REQUIRE(said(failing) == "too_large");
    log->release();
    REQUIRE(said(before) == "stored");
    REQUIRE(said(after) == "stored");
    REQUIRE(rt.status().rehydrations == 1);
}

TEST_CASE("a state that evolve left half changed is read again") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(rt.send("17", shop::add_unfoldable{})) == "handler_failed");
    REQUIRE(said(rt.send("17", confirm_units{1})) == "nothing to do");
    REQUIRE(rt.status().rehydrations == 2);
}
