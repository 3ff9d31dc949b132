#include "troubled_projections.hpp"

#include <catch2/catch.hpp>

/// Events that were set aside: kept with their errors until they are replayed or given up.

using namespace annals;
using namespace annals::test;
using namespace std::chrono_literals;
using mode = projection_status::state;
using troubled::calm;
using troubled::one_of_them;
using troubled::opened;
using troubled::positions;
using troubled::setting_aside;
using troubled::weak;

namespace {

bool in_memory(std::string_view name) {
    return name == "copied" || name == "moved";
}

/// A shop whose projection `name` has set event 2 of 3 aside.
template <std::uint32_t Version = 1>
void set_one_aside(opened<Version>& shop, const std::string& name) {
    weak().make(name, "bad");
    REQUIRE(shop.add("good") == 1);
    REQUIRE(shop.add("bad") == 2);
    REQUIRE(shop.add("good") == 3);
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.status(name).set_aside == 1);
}

} // namespace

TEST_CASE(
    "an event that is set aside is listed with its error, and the projection goes on behind it") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside());
    set_one_aside(shop, name);
    REQUIRE(shop.becomes(name, mode::live));
    REQUIRE(shop.taken(name) == positions{1, 3});
    const auto list = shop.set_aside(name);
    REQUIRE(list.size() == 1);
    REQUIRE(list[0].position == 2);
    REQUIRE(list[0].stream == "cart-1");
    REQUIRE(list[0].type == "cart.item_added");
    REQUIRE(list[0].code == "handler_failed");
    REQUIRE(list[0].message.find("cannot take bad") != std::string::npos);
    REQUIRE(list[0].attempts == 1);
    REQUIRE(list[0].time_us == shop.clock->wall_time().time_since_epoch().count());
    REQUIRE(shop.control(name).set_aside(2).value().empty()); // those after it
    REQUIRE(shop.status(name).last_error.find("cannot take bad") != std::string::npos);
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE("what was set aside stays aside when the store is opened again") {
    const calm before_and_after;
    const event_store place;
    const auto name = one_of_them();
    CAPTURE(name);
    const auto world = std::make_shared<troubled::outside_world>();
    {
        opened shop(place, setting_aside(), world);
        set_one_aside(shop, name);
    }
    weak().mend();
    opened shop(place, setting_aside(), world);
    REQUIRE(shop.status(name).set_aside == 1);
    REQUIRE(shop.set_aside(name)[0].position == 2);
    REQUIRE(shop.add("good") == 4);
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.taken(name) == positions{1, 3, 4});
    REQUIRE(weak().tries(name, 2) == 1);
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE(
    "an event that was set aside is replayed: in its place by a view in memory, by the others "
    "behind what they have taken") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside());
    set_one_aside(shop, name);
    weak().mend();
    REQUIRE(shop.control(name).replay(2).get());
    const auto now = in_memory(name) ? positions{1, 2, 3} : positions{1, 3, 2};
    REQUIRE(shop.taken(name) == now);
    REQUIRE(shop.set_aside(name).empty());
    REQUIRE(shop.status(name).set_aside == 0);
    REQUIRE(shop.status(name).position == 3);
    if (name == "reaction") {
        REQUIRE(shop.world->effects[2].redelivered);
        REQUIRE_FALSE(shop.world->effects[1].redelivered);
    }
    REQUIRE(shop.control(name).replay(2).get().error().code == errc::invalid_argument);
    REQUIRE(shop.add("good") == 4);
    REQUIRE(shop.others_are_fine(name));
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.taken(name).size() == 4);
}

TEST_CASE("an event that was replayed takes effect once, also when the store is opened again") {
    const calm before_and_after;
    const event_store place;
    const auto name = one_of_them();
    CAPTURE(name);
    const auto world = std::make_shared<troubled::outside_world>();
    {
        opened shop(place, setting_aside(), world);
        set_one_aside(shop, name);
        weak().mend();
        REQUIRE(shop.control(name).replay(2).get());
    }
    opened shop(place, setting_aside(), world);
    REQUIRE(shop.add("good") == 4);
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.status(name).set_aside == 0);
    const auto now = in_memory(name) ? positions{1, 2, 3, 4} : positions{1, 3, 2, 4};
    REQUIRE(shop.taken(name) == now);
}

TEST_CASE("an event that fails again when it is replayed stays in the list") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside());
    set_one_aside(shop, name);
    REQUIRE(shop.control(name).replay(2).get().error().code == errc::handler_failed);
    REQUIRE(weak().tries(name, 2) == 2);
    REQUIRE(shop.set_aside(name).size() == 1);
    REQUIRE(shop.status(name).set_aside == 1);
    REQUIRE(shop.add("good") == 4);
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.taken(name) == positions{1, 3, 4});
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE("what was not set aside cannot be replayed") {
    const calm before_and_after;
    const event_store place(keeping::in_memory);
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside());
    shop.add("good");
    REQUIRE(shop.control(name).replay(1).get().error().code == errc::invalid_argument);
    REQUIRE(shop.control(name).give_up(1).get().error().code == errc::invalid_argument);
}

TEST_CASE(
    "an event is given up for good by a stored view and a reaction, and not by a view in memory, "
    "which would meet it again") {
    const calm before_and_after;
    const event_store place;
    const auto name = one_of_them();
    CAPTURE(name);
    const auto world = std::make_shared<troubled::outside_world>();
    {
        opened shop(place, setting_aside(), world);
        set_one_aside(shop, name);
        const auto answer = shop.control(name).give_up(2).get();
        if (in_memory(name)) {
            REQUIRE(answer.error().code == errc::invalid_argument);
            REQUIRE(shop.set_aside(name).size() == 1);
            return;
        }
        REQUIRE(answer);
        REQUIRE(shop.set_aside(name).empty());
        REQUIRE(shop.status(name).set_aside == 0);
    }
    opened shop(place, setting_aside(), world);
    shop.add("good");
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.status(name).set_aside == 0);
    REQUIRE(shop.taken(name) == positions{1, 3, 4});
}

TEST_CASE("a view of a raised version tries what was set aside again, in its place") {
    const calm before_and_after;
    const event_store place;
    const auto name = GENERATE(as<std::string>{}, "copied", "moved", "stored");
    const bool mended = GENERATE(true, false);
    CAPTURE(name, mended);
    const auto world = std::make_shared<troubled::outside_world>();
    {
        opened<1> shop(place, setting_aside(), world);
        set_one_aside(shop, name);
    }
    if (mended)
        weak().mend();
    for (int openings = 1; openings <= 2; ++openings) {
        opened<2> shop(place, setting_aside(), world);
        REQUIRE(eventually(shop.rt, [&] { return !shop.status(name).rebuilding; }));
        REQUIRE(shop.reaches(name, 3));
        REQUIRE(shop.becomes(name, mode::live));
        REQUIRE(shop.status(name).version == 2);
        REQUIRE(weak().tries(name, 2) >= 2);
        REQUIRE(shop.taken(name) == (mended ? positions{1, 2, 3} : positions{1, 3}));
        REQUIRE(
            eventually(shop.rt, [&] { return shop.status(name).set_aside == (mended ? 0U : 1U); }));
        REQUIRE(shop.set_aside(name).size() == (mended ? 0 : 1));
        REQUIRE(shop.others_are_fine(name));
    }
}

TEST_CASE("rebuilding a view tries what was set aside again") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = GENERATE(as<std::string>{}, "copied", "moved", "stored");
    CAPTURE(name);
    opened shop(place, setting_aside());
    set_one_aside(shop, name);
    REQUIRE(shop.control(name).rebuild().get());
    REQUIRE(shop.taken(name) == positions{1, 3});
    REQUIRE(shop.set_aside(name).size() == 1);
    weak().mend();
    REQUIRE(shop.control(name).rebuild().get());
    REQUIRE(shop.taken(name) == positions{1, 2, 3});
    REQUIRE(shop.set_aside(name).empty());
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE("a reset tries what was set aside again, and what is taken then is not listed any more") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside());
    set_one_aside(shop, name);
    weak().mend();
    shop.world->effects.clear();
    REQUIRE(shop.control(name).reset().get());
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.taken(name) == positions{1, 2, 3});
    REQUIRE(shop.set_aside(name).empty());
    REQUIRE(shop.status(name).set_aside == 0);
}

TEST_CASE("what a rebuild sets aside is not listed before its result answers") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = GENERATE(as<std::string>{}, "copied", "moved", "stored");
    CAPTURE(name);
    opened shop(place, setting_aside());
    shop.add("good");
    shop.add("odd");
    REQUIRE(shop.reaches(name, 2));
    weak().make(name, "odd", 1); // what served could take it
    REQUIRE(shop.control(name).rebuild().get());
    REQUIRE(shop.taken(name) == positions{1});
    REQUIRE(shop.set_aside(name).size() == 1);
    REQUIRE(shop.status(name).set_aside == 1);
    REQUIRE(shop.control(name).replay(2).get());
    REQUIRE(shop.taken(name) == positions{1, 2});
    REQUIRE(shop.set_aside(name).empty());
}
