#include "support/holding_journal.hpp"
#include "support/refusing_projection_store.hpp"
#include "troubled_projections.hpp"

#include <catch2/catch.hpp>

/// A projection store that refuses changes for a while: nothing is skipped, and nothing takes effect
/// twice that must not.

using namespace annals;
using namespace annals::test;
using namespace std::chrono_literals;
using mode = projection_status::state;
using troubled::opened;
using troubled::positions;
using troubled::weak;

namespace {

struct full_disk {
    std::shared_ptr<refusing_projection_store> store =
        std::make_shared<refusing_projection_store>(make_memory_projection_store());
    event_store place{keeping::in_memory};

    full_disk() { weak().forget(); }
    ~full_disk() { weak().forget(); }
    full_disk(const full_disk&) = delete;
    full_disk& operator=(const full_disk&) = delete;

    opened<1> open(failure_policy policy = {}) {
        return opened<1>(place, policy, std::make_shared<troubled::outside_world>(), store);
    }
};

} // namespace

TEST_CASE("a projection whose store refuses a change tries again, and skips nothing") {
    full_disk disk;
    const auto name = GENERATE(as<std::string>{}, "stored", "reaction");
    const bool would_set_aside = GENERATE(false, true);
    CAPTURE(name, would_set_aside);
    failure_policy policy;
    policy.retries = 0; // it is not the event that fails
    if (would_set_aside)
        policy.then = failure_policy::last_resort::set_aside;
    auto shop = disk.open(policy);
    REQUIRE(shop.add("good") == 1);
    REQUIRE(shop.reaches(name, 1));
    disk.store->fill(true);
    REQUIRE(shop.add("good") == 2);
    for (int tries = 1; tries <= 3; ++tries) {
        REQUIRE(eventually(shop.rt, [&] {
            return shop.status("stored").now == mode::retrying &&
                   shop.status("reaction").now == mode::retrying;
        }));
        REQUIRE(shop.status(name).position == 1);
        shop.pass(1h);
    }
    REQUIRE(shop.status(name).last_error == "simulated");
    REQUIRE(shop.reaches("copied", 2)); // keeps nothing in the store
    REQUIRE(shop.becomes("copied", mode::live));
    disk.store->fill(false);
    REQUIRE(eventually(shop.rt, [&] {
        shop.pass(1h);
        return shop.status(name).position == 2;
    }));
    REQUIRE(shop.add("good") == 3);
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.becomes(name, mode::live));
    REQUIRE(shop.set_aside(name).empty());
    if (name == "stored")
        REQUIRE(shop.taken(name) == positions{1, 2, 3});
    const auto done = shop.taken(name);
    for (const log_position each : positions{1, 2, 3})
        REQUIRE(std::find(done.begin(), done.end(), each) != done.end());
}

TEST_CASE("an event is passed over only once it is certain that it is in the list") {
    full_disk disk;
    const auto name = GENERATE(as<std::string>{}, "copied", "moved", "stored", "reaction");
    CAPTURE(name);
    failure_policy policy;
    policy.retries = 0;
    policy.then = failure_policy::last_resort::set_aside;
    auto shop = disk.open(policy);
    REQUIRE(shop.add("good") == 1);
    REQUIRE(shop.reaches(name, 1));
    weak().make(name, "bad");
    disk.store->fill(true);
    REQUIRE(shop.add("bad") == 2);
    REQUIRE(shop.becomes(name, mode::retrying));
    REQUIRE(shop.set_aside(name).empty());
    REQUIRE(shop.status(name).position == 1);
    disk.store->fill(false);
    REQUIRE(eventually(shop.rt, [&] {
        shop.pass(1h);
        return shop.status(name).position == 2;
    }));
    REQUIRE(shop.set_aside(name).size() == 1);
    REQUIRE(shop.add("good") == 3);
    REQUIRE(shop.reaches(name, 3));
    REQUIRE(shop.taken(name) == positions{1, 3});
}

TEST_CASE("status passes on what the stores warn of") {
    const auto log = std::make_shared<holding_journal>(make_memory_journal());
    const auto views = std::make_shared<refusing_projection_store>(make_memory_projection_store());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    with.projections = views;
    const auto rt = open_shop(std::move(with));
    REQUIRE(rt.status().warnings.empty());
    log->warn({"process 17 reads for too long: end it"});
    views->fill(true);
    REQUIRE(rt.status().warnings ==
            std::vector<std::string>{"process 17 reads for too long: end it",
                                     "the disk of the views is full"});
    log->warn({});
    views->fill(false);
    REQUIRE(rt.status().warnings.empty());
}
