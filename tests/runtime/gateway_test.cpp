#include "annals/caf.hpp"
#include "support/runtime_verbs.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <catch2/catch.hpp>

#include <future>
#include <vector>

using namespace annals;
using namespace annals::test;

namespace {

using stored = outcome<receipt>;

/// An actor system of the host's, with a gateway, and a way to ask it from within an actor.
class actor_host {
public:
    explicit actor_host(runtime& rt) : gateway_(spawn_gateway(system_, rt)) {}
    ~actor_host() { caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown); }

    /// Asks from within an actor and waits, outside it, for what that actor was answered.
    template <class Answer>
    Answer ask(actor_request request) {
        std::promise<Answer> came;
        auto waiting = came.get_future();
        system_.spawn([&](caf::event_based_actor* self) {
            self->request(gateway_, caf::infinite, request).then([&came](const Answer& answer) {
                came.set_value(answer);
            });
        });
        return waiting.get();
    }
    caf::actor_system& system() { return system_; }
    const caf::actor& gateway() const { return gateway_; }

private:
    caf::actor_system_config settings_;
    caf::actor_system system_{settings_};
    caf::actor gateway_;
};

} // namespace

TEST_CASE("an actor sends a command by message and is answered when it is durable") {
    auto rt = open_shop();
    actor_host host(rt);
    const auto answer = host.ask<stored>(command_for("17", shop::add_item{"tea", 2}));
    REQUIRE(answer);
    CHECK(answer->position == 1);
    CHECK(rt.journal().head() == 1);
    const auto refused = host.ask<stored>(command_for("17", shop::remove_item{"milk"}));
    REQUIRE(refused.is_rejected());
    CHECK(refused.rejection().code == "not in cart");
}

TEST_CASE("an actor asks by message and reads its own writes") {
    auto rt = open_shop();
    actor_host host(rt);
    const auto written = host.ask<stored>(command_for("17", shop::add_item{"tea", 2}));
    const auto tea =
        host.ask<outcome<int>>(query_for<shop::demand>(shop::demand_for{"tea"}, after(*written)));
    CHECK(*tea == 2);
}

TEST_CASE("an actor's commands are decided in the order in which it sent them") {
    constexpr int many = 200;
    auto rt = open_shop();
    actor_host host(rt);
    std::promise<std::vector<stream_version>> all;
    auto waiting = all.get_future();
    std::vector<stream_version> versions;
    host.system().spawn([&](caf::event_based_actor* self) {
        for (int i = 0; i < many; ++i)
            self->request(host.gateway(), caf::infinite,
                          command_for("17", shop::add_item{"tea", 1}))
                .then([&](const stored& answer) {
                    versions.push_back(answer ? answer->version : 0);
                    if (versions.size() == many)
                        all.set_value(versions);
                });
    });
    const auto came = waiting.get();
    for (std::size_t i = 0; i < came.size(); ++i)
        REQUIRE(came[i] == i + 1);
}

TEST_CASE("a gateway that outlives its runtime answers that it is closed") {
    auto rt = std::make_unique<runtime>(open_shop());
    actor_host host(*rt);
    rt.reset();
    const auto answer = host.ask<stored>(command_for("17", shop::add_item{"tea", 2}));
    REQUIRE(answer.is_error());
    CHECK(answer.error().code == errc::closed);
    const auto asked = host.ask<outcome<int>>(query_for<shop::demand>(shop::demand_for{"tea"}));
    REQUIRE(asked.is_error());
    CHECK(asked.error().code == errc::closed);
}
