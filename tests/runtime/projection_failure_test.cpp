#include "troubled_projections.hpp"

#include <catch2/catch.hpp>

/// What becomes of an event that a projection cannot take, for each kind of projection and each
/// policy: it is never skipped silently, and nobody else is disturbed.

using namespace annals;
using namespace annals::test;
using namespace std::chrono_literals;
using mode = projection_status::state;
using troubled::calm;
using troubled::one_of_them;
using troubled::opened;
using troubled::positions;
using troubled::setting_aside;
using troubled::stopping;
using troubled::weak;

namespace {

/// A view in memory may have to begin again, and then stands there only when it has come back.
bool keeps_its_place(const projection_status& now, log_position at) {
    return now.kind == projection_kind::view ? now.position <= at : now.position == at;
}

log_position append_garbage(runtime& rt) {
    return append_raw(rt.journal(), "cart-17", "cart.item_added", "no msgpack").value().position;
}

} // namespace

// --- stop ------------------------------------------------------------------------------------------

TEST_CASE("a projection that fails stops unless told otherwise, keeps its place, and goes on after "
          "the cause is mended and it is resumed") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    weak().make(name, "bad");
    opened shop(place, {});
    REQUIRE(shop.add("good") == 1);
    REQUIRE(shop.add("bad") == 2);
    REQUIRE(shop.add("good") == 3);
    if (name == "reaction") // the cause of its failures may pass, so it tries five times more
        for (int tries = 1; tries <= 5; ++tries) {
            REQUIRE(eventually(shop.rt, [&] { return weak().tries(name, 2) == tries; }));
            REQUIRE(shop.becomes(name, mode::retrying));
            shop.pass(30s);
        }
    REQUIRE(shop.becomes(name, mode::failed));
    REQUIRE(weak().tries(name, 2) == (name == "reaction" ? 6 : 1));
    REQUIRE(weak().tries(name, 3) == 0);
    REQUIRE(keeps_its_place(shop.status(name), 1));
    REQUIRE(shop.status(name).set_aside == 0);
    REQUIRE(shop.status(name).last_error.find("cannot take bad") != std::string::npos);
    if (name != "reaction")
        REQUIRE(shop.refusal(name) == "unavailable");
    REQUIRE(shop.add("good") == 4);
    REQUIRE(shop.others_are_fine(name));

    weak().mend();
    REQUIRE(shop.control(name).resume().get());
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.becomes(name, mode::live));
    REQUIRE(shop.taken(name) == positions{1, 2, 3, 4});
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE("a projection that is resumed before the cause is mended stops at the same place") {
    const calm before_and_after;
    const event_store place(keeping::in_memory);
    const auto name = one_of_them();
    CAPTURE(name);
    weak().make(name, "bad");
    opened shop(place, stopping());
    shop.add("good");
    shop.add("bad");
    for (int tries = 1; tries <= 3; ++tries) {
        REQUIRE(eventually(shop.rt, [&] { return weak().tries(name, 2) == tries; }));
        REQUIRE(shop.becomes(name, mode::failed));
        REQUIRE(keeps_its_place(shop.status(name), 1));
        REQUIRE(shop.control(name).resume().get());
    }
    REQUIRE(shop.others_are_fine(name));
}

TEST_CASE("a projection that has stopped tries again when the store is opened again") {
    const calm before_and_after;
    const event_store place;
    const auto name = one_of_them();
    CAPTURE(name);
    const auto world = std::make_shared<troubled::outside_world>();
    weak().make(name, "bad");
    for (int openings = 1; openings <= 2; ++openings) {
        opened shop(place, stopping(), world);
        if (openings == 1) {
            shop.add("good");
            shop.add("bad");
            shop.add("good");
        }
        REQUIRE(shop.becomes(name, mode::failed));
        REQUIRE(weak().tries(name, 2) == openings);
        REQUIRE(keeps_its_place(shop.status(name), 1));
    }
    weak().mend();
    opened shop(place, stopping(), world);
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.taken(name) == positions{1, 2, 3});
    REQUIRE(shop.others_are_fine(name));
}

// --- retry -----------------------------------------------------------------------------------------

TEST_CASE("a projection tries again with doubling delays, and goes on when the cause has passed") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    weak().make(name, "bad", 4);
    auto policy = stopping(10);
    policy.first_delay = 100ms;
    policy.longest_delay = 300ms;
    opened shop(place, policy);
    shop.add("good");
    shop.add("bad");
    shop.add("good");
    int tries = 1;
    for (const auto delay : {100ms, 200ms, 300ms, 300ms}) {
        CAPTURE(delay.count());
        REQUIRE(eventually(shop.rt, [&] { return weak().tries(name, 2) == tries; }));
        REQUIRE(shop.becomes(name, mode::retrying));
        REQUIRE(keeps_its_place(shop.status(name), 1));
        shop.pass(delay - 1ms);
        REQUIRE(shop.others_are_fine(name));
        REQUIRE(shop.status(name).now == mode::retrying);
        REQUIRE(weak().tries(name, 2) == tries);
        shop.pass(1ms);
        ++tries;
    }
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.becomes(name, mode::live));
    REQUIRE(weak().tries(name, 2) == 5);
    REQUIRE(shop.taken(name) == positions{1, 2, 3});
    REQUIRE(shop.set_aside(name).empty());
    if (name == "reaction") {
        REQUIRE(shop.world->effects[1].attempt == 5);
        REQUIRE(shop.world->effects[1].redelivered);
        REQUIRE(shop.world->effects[2].attempt == 1);
        REQUIRE_FALSE(shop.world->effects[2].redelivered);
    }
}

TEST_CASE("a delay before trying again as long as time goes is no short one") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    weak().make(name, "bad", 1);
    auto policy = stopping(3);
    policy.first_delay = GENERATE(std::chrono::milliseconds::max(),
                                  std::chrono::milliseconds(std::chrono::hours(24 * 365 * 300)));
    policy.longest_delay = policy.first_delay;
    opened shop(place, policy);
    shop.add("bad");
    REQUIRE(shop.becomes(name, mode::retrying));
    shop.pass(std::chrono::hours(24 * 365));
    REQUIRE(shop.others_are_fine(name));
    REQUIRE(shop.status(name).now == mode::retrying);
    REQUIRE(weak().tries(name, 1) == 1);
    REQUIRE(shop.control(name).resume().get());
    REQUIRE(shop.reaches(name, 1));
}

TEST_CASE("a view answers from before the event while it waits to try it again") {
    const calm before_and_after;
    const event_store place(keeping::in_memory);
    weak().make("stored", "bad", 1);
    opened shop(place, stopping(1));
    shop.add("good");
    REQUIRE(shop.reaches("stored", 1));
    shop.add("bad");
    REQUIRE(shop.becomes("stored", mode::retrying));
    REQUIRE(shop.taken("stored") == positions{1});
    const auto later = shop.rt.ask(troubled::taken_by<troubled::stored_view<1>>{}, {2, {}, {}});
    REQUIRE_FALSE(later.is_ready());
    shop.pass(100ms);
    REQUIRE(later.get().value() == positions{1, 2});
}

TEST_CASE("resume tries an event at once that was to be tried later") {
    const calm before_and_after;
    const event_store place(keeping::in_memory);
    const auto name = one_of_them();
    CAPTURE(name);
    weak().make(name, "bad", 1);
    opened shop(place, stopping(1));
    shop.add("bad");
    REQUIRE(shop.becomes(name, mode::retrying));
    REQUIRE(shop.control(name).resume().get());
    REQUIRE(shop.reaches(name, 1));
    shop.pass(1h); // the retry that was due is not done again
    REQUIRE(shop.others_are_fine(name));
    REQUIRE(weak().tries(name, 1) == 2);
    REQUIRE(shop.taken(name) == positions{1});
}

TEST_CASE("a projection gives an event up after exactly as many retries as it was allowed") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    const bool sets_aside = GENERATE(false, true);
    CAPTURE(name, sets_aside);
    weak().make(name, "bad");
    opened shop(place, sets_aside ? setting_aside(2) : stopping(2));
    shop.add("bad");
    shop.add("good");
    for (int tries = 1; tries <= 2; ++tries) {
        REQUIRE(eventually(shop.rt, [&] { return weak().tries(name, 1) == tries; }));
        REQUIRE(shop.becomes(name, mode::retrying));
        shop.pass(1h);
    }
    REQUIRE(shop.becomes(name, sets_aside ? mode::live : mode::failed));
    REQUIRE(weak().tries(name, 1) == 3);
    REQUIRE(shop.set_aside(name).size() == (sets_aside ? 1 : 0));
    if (sets_aside) {
        REQUIRE(shop.reaches(name, 2));
        REQUIRE(shop.set_aside(name)[0].attempts == 3);
        REQUIRE(shop.taken(name) == positions{2});
    }
    REQUIRE(shop.others_are_fine(name));
}

// --- events that cannot be decoded -----------------------------------------------------------------

TEST_CASE("an event that cannot be decoded stops every projection that wants it, without a retry") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, stopping(5));
    REQUIRE(shop.add("good") == 1);
    REQUIRE(append_garbage(shop.rt) == 2);
    REQUIRE(shop.add("good") == 3); // commands go on
    REQUIRE(shop.becomes(name, mode::failed));
    REQUIRE(keeps_its_place(shop.status(name), 1));
    REQUIRE(shop.status(name).last_error.find("event 2 (cart.item_added, version 1 of cart-17)") !=
            std::string::npos);
    REQUIRE(weak().tries(name, 3) == 0);
    REQUIRE(shop.control(name).resume().get());
    REQUIRE(shop.becomes(name, mode::failed));
    REQUIRE(keeps_its_place(shop.status(name), 1));
}

TEST_CASE(
    "an event that cannot be decoded is set aside at once, and cannot be replayed until it can "
    "be decoded") {
    const calm before_and_after;
    const event_store place(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto name = one_of_them();
    CAPTURE(name);
    opened shop(place, setting_aside(5));
    shop.add("good");
    append_garbage(shop.rt);
    shop.add("good");
    append_garbage(shop.rt);
    REQUIRE(shop.reaches(name, 4));
    REQUIRE(shop.becomes(name, mode::live));
    REQUIRE(shop.taken(name) == positions{1, 3});
    const auto list = shop.set_aside(name);
    REQUIRE(list.size() == 2);
    REQUIRE(list[0].position == 2);
    REQUIRE(list[0].code == "undecodable");
    REQUIRE(list[0].attempts == 1);
    REQUIRE(list[1].position == 4);
    REQUIRE(shop.control(name).replay(2).get().is_error());
    REQUIRE(shop.status(name).set_aside == 2);
    REQUIRE(shop.taken(name) == positions{1, 3});
}
