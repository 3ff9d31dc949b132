#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <set>
#include <string>
#include <vector>

/// Who asked for an event and what led to it reaches views, stored views and reactions, and what a
/// reaction sends says where it comes from.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::item_added;

namespace {

std::string told(const metadata& about) {
    return about.actor + " " + about.correlation_id.to_string() + " " +
           about.causation_id.to_string() + " " + about.command_id.to_string() + " " +
           (about.extra.contains("ip") ? about.extra.at("ip") : "-");
}

struct last_in_memory;
struct in_memory {
    static constexpr std::string_view name = "in_memory";
    using event = std::variant<item_added>;
    using query = std::variant<last_in_memory>;
    std::string last;
};
struct last_in_memory {
    using view = in_memory;
};
void evolve(in_memory& view, const item_added&, const logged_context& context) {
    view.last = told(context.metadata());
}
std::string answer(const in_memory& view, const last_in_memory&) {
    return view.last;
}

struct last_on_disk;
struct on_disk {
    static constexpr std::string_view name = "on_disk";
    using event = std::variant<item_added>;
    using query = std::variant<last_on_disk>;
    stored_map<int, std::string> last;
    ANNALS_FIELDS(on_disk, last)
};
struct last_on_disk {
    using view = on_disk;
};
void evolve(on_disk& view, const item_added&, const logged_context& context) {
    view.last.put(0, told(context.metadata()));
}
std::string answer(const on_disk& view, const last_on_disk&) {
    return view.last.value_or(0, "");
}

struct forwards {
    static constexpr std::string_view name = "forwards";
    using event = std::variant<item_added>;
    std::promise<std::string>* heard = nullptr;
};
future<receipt> react(forwards& by, const item_added& e, const delivery& about) {
    if (about.id != "1")
        return future<receipt>::ready(receipt{});
    by.heard->set_value(told(about.metadata()));
    return about.send("2", add_item{e.sku});
}

metadata last_of(const runtime& rt, std::string_view stream) {
    const auto page = rt.journal().read_stream(stream, 1, 10).value();
    return page.events.back().read_metadata().value();
}

} // namespace

TEST_CASE("views and reactions are told who asked and what led to an event") {
    std::promise<std::string> heard;
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = runtime::open(store.settings(), host<shop::cart>, host<in_memory>, host<on_disk>,
                            host_reaction(forwards{&heard}, reaction_start::beginning))
                  .value();
    send_options options;
    SECTION("who said it") {
        options.about.actor = "ada";
        options.about.command_id = uuid::of_name("command");
        options.about.correlation_id = uuid::of_name("session");
        options.about.causation_id = uuid::of_name("click");
        options.about.extra["ip"] = "::1";
    }
    SECTION("who did not") {}
    options.wait_for = {"in_memory", "on_disk", "forwards"};
    REQUIRE(said(rt.send("1", add_item{"tea"}, options)) == "stored");
    const auto stored = last_of(rt, "cart-1");
    REQUIRE(heard.get_future().get() == told(stored));
    const auto sent = last_of(rt, "cart-2");
    REQUIRE(sent.correlation_id == stored.correlation_id);
    const auto page = rt.journal().read_stream("cart-1", 1, 1).value();
    REQUIRE(sent.causation_id == page.events[0].event_id());
    REQUIRE(sent.command_id != stored.command_id);
    // The views have seen both by now, the forwarded one last.
    REQUIRE(rt.ask(last_in_memory{}, latest()).get().value() == told(sent));
    REQUIRE(rt.ask(last_on_disk{}, latest()).get().value() == told(sent));
}

TEST_CASE("the same delivery names its commands the same, and no other does") {
    const auto ids = [](uuid event, std::string_view reaction, const std::vector<std::string>& to) {
        delivery_commands commands(nullptr, reaction);
        std::vector<uuid> made;
        for (const auto& each : to)
            made.push_back(commands.next_id(event, each));
        return made;
    };
    const auto event = uuid::of_name("event");
    const auto first = ids(event, "forwards", {"1", "2", "1"});
    REQUIRE(first == ids(event, "forwards", {"1", "2", "1"}));
    REQUIRE(std::set<uuid>(first.begin(), first.end()).size() == 3);
    // In whichever order aggregates have their turn.
    const auto other = ids(event, "forwards", {"2", "1", "1"});
    REQUIRE(other == std::vector<uuid>{first[1], first[0], first[2]});
    REQUIRE(ids(event, "backwards", {"1"})[0] != first[0]);
    REQUIRE(ids(uuid::of_name("another"), "forwards", {"1"})[0] != first[0]);
}

TEST_CASE("a delivery that comes from no runtime says so") {
    const delivery about;
    REQUIRE(said(about.send("1", add_item{"tea"})) == "closed");
}
