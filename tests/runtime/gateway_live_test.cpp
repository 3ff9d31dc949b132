#include "annals/caf.hpp"
#include "support/live_updates.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <optional>

/// What an actor is told by a live query. Most of them here are the test's own thread, which handles
/// an update when it says so.

using namespace annals;
using namespace annals::test;
using shop::demand_for;

namespace {

/// An actor system of the host's, with a gateway.
class actor_host {
public:
    explicit actor_host(runtime& rt) : rt_(rt), gateway_(spawn_gateway(system_, rt)) {}
    ~actor_host() { caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown); }
    caf::actor_system& system() { return system_; }
    const caf::actor& gateway() const { return gateway_; }

    /// The view knows of so many live queries now.
    void wait_for_live_queries(std::size_t wanted) {
        REQUIRE(eventually(rt_, [&] {
            add_one(rt_, "something else");
            return status_of(rt_, "demand").live_queries == wanted;
        }));
    }

private:
    runtime& rt_;
    caf::actor_system_config settings_;
    caf::actor_system system_{settings_};
    caf::actor gateway_;
};

using update = live_update<int>;

/// The next update, taken from the mailbox and handled.
update next_of(caf::scoped_actor& self) {
    std::vector<update> came;
    self->receive([&](const update& one) { came.push_back(one); },
                  caf::after(std::chrono::seconds(30)) >>
                      [&] {
                          came.push_back({error{errc::aborted, "nothing came"}, 0, true});
                      });
    return came.front();
}
/// The next update is in the mailbox.
bool has_mail(caf::scoped_actor& self) {
    return self->await_data(std::chrono::high_resolution_clock::now() + std::chrono::seconds(30));
}
std::string next_said(caf::scoped_actor& self) {
    return said(std::vector<update>{next_of(self)});
}
/// What is in the mailbox; it is handled thereby.
std::string mail_of(caf::scoped_actor& self) {
    std::vector<update> rest;
    bool more = true;
    while (more)
        self->receive([&](const update& one) { rest.push_back(one); },
                      caf::after(std::chrono::seconds(0)) >> [&] { more = false; });
    return said(rest);
}
/// Ends the live query: what has not been handled by then is all that still comes.
std::string rest_of(caf::scoped_actor& self, const caf::actor& gateway,
                    const actor_live_query& query) {
    self->request(gateway, caf::infinite, cancel_live(query))
        .receive([] {}, [](const caf::error&) {});
    return mail_of(self);
}

actor_live_query tea(live_options options = {}) {
    return live_query_for<shop::demand>(demand_for{"tea"}, options);
}

/// An actor that watches tea and handles what it is told by `handler`. (Functions without further
/// arguments are not spawned here: CAF then binds a reference to nothing, which sanitizers see.)
template <class Handler>
caf::actor spawn_watcher(actor_host& host, Handler handler, live_options options = {}) {
    return host.system().spawn(
        [handler, options](caf::event_based_actor* self,
                           const caf::actor& gateway) -> caf::behavior {
            self->send(gateway, tea(options));
            return {handler};
        },
        host.gateway());
}

} // namespace

TEST_CASE("an actor is told how it is, then how it becomes") {
    auto rt = open_shop();
    actor_host host(rt);
    add_one(rt, "tea");
    caf::scoped_actor self(host.system());
    const auto query = tea();
    self->send(host.gateway(), query);
    CHECK(next_said(self) == "1");
    add_one(rt, "milk");
    const auto written = add_one(rt, "tea");
    const auto second = next_of(self);
    CHECK(said(second.answer) == "2");
    CHECK(second.answer.position() == written.position);
    CHECK(rest_of(self, host.gateway(), query).empty());
}

TEST_CASE("an actor that has not handled an update is not sent another") {
    const std::size_t buffer = GENERATE(1U, 3U);
    auto rt = open_shop();
    actor_host host(rt);
    caf::scoped_actor self(host.system());
    self->send(host.gateway(), tea({.buffer = buffer}));
    std::string all = next_said(self); // handled: the next may come
    add_one(rt, "tea");
    REQUIRE(has_mail(self));
    for (int i = 0; i != 5; ++i)
        add_one(rt, "tea");
    for (int last = 0; last != 6;) {
        const auto one = next_of(self);
        all += ", " + said(std::vector<update>{one});
        last = one.answer.value();
    }
    CHECK(all == (buffer == 1 ? "0, 1, 6 (4 skipped)" : "0, 1, 2, 3, 6 (2 skipped)"));
}

TEST_CASE("an actor that may not skip and is too slow is told that it was overloaded") {
    auto rt = open_shop();
    actor_host host(rt);
    caf::scoped_actor self(host.system());
    self->send(host.gateway(), tea({.then = live_options::when_full::error, .buffer = 1}));
    REQUIRE(has_mail(self));
    add_one(rt, "tea");
    add_one(rt, "tea");
    CHECK(next_said(self) == "0");
    CHECK(next_said(self) == "1");
    CHECK(next_said(self) == "overloaded!");
    host.wait_for_live_queries(0);
}

TEST_CASE("an actor that answers by a promise has handled the update when that is fulfilled") {
    auto rt = open_shop();
    actor_host host(rt);
    const live_updates<int> seen;
    const auto watcher = host.system().spawn(
        [take = seen.collect()](caf::event_based_actor* self,
                                const caf::actor& gateway) -> caf::behavior {
            self->send(gateway, tea());
            const auto kept = std::make_shared<std::optional<caf::response_promise>>();
            return {[=](const update& now) -> caf::result<void> {
                        take(now);
                        auto promise = self->make_response_promise();
                        if (*kept)
                            promise.deliver(caf::unit);
                        else
                            kept->emplace(promise);
                        return caf::delegated<void>();
                    },
                    [=](caf::unit_t) { (*kept)->deliver(caf::unit); }};
        },
        host.gateway());
    REQUIRE(seen.reaches(1));
    for (int i = 0; i != 4; ++i)
        add_one(rt, "tea");
    CHECK(said(seen) == "0");
    caf::anon_send(watcher, caf::unit);
    REQUIRE(seen.reaches(2));
    CHECK(said(seen) == "0, 4 (3 skipped)");
    caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
}

TEST_CASE("an actor cancels, and what it sends again begins anew") {
    auto rt = open_shop();
    actor_host host(rt);
    caf::scoped_actor self(host.system());
    const auto query = tea();
    self->send(host.gateway(), query);
    CHECK(next_said(self) == "0");
    CHECK(rest_of(self, host.gateway(), query).empty());
    add_one(rt, "tea");
    CHECK(mail_of(self).empty());
    host.wait_for_live_queries(0);
    self->send(host.gateway(), query);
    CHECK(next_said(self) == "1");
    self->send(host.gateway(), query); // instead of the one before
    CHECK(next_said(self) == "1");
    host.wait_for_live_queries(1);
    add_one(rt, "tea");
    CHECK(next_said(self) == "2");
    CHECK(rest_of(self, host.gateway(), query).empty());
}

TEST_CASE("an actor cancels its own live query, not that of another with the same message") {
    auto rt = open_shop();
    actor_host host(rt);
    caf::scoped_actor one(host.system());
    caf::scoped_actor other(host.system());
    const auto query = tea();
    one->send(host.gateway(), query);
    other->send(host.gateway(), query);
    CHECK(next_said(one) == "0");
    CHECK(next_said(other) == "0");
    CHECK(rest_of(one, host.gateway(), query).empty());
    add_one(rt, "tea");
    CHECK(next_said(other) == "1");
    CHECK(mail_of(one).empty());
}

TEST_CASE("a live query ends with the actor that began it") {
    auto rt = open_shop();
    actor_host host(rt);
    const live_updates<int> seen;
    const auto watcher =
        spawn_watcher(host, [take = seen.collect()](const update& now) { take(now); });
    REQUIRE(seen.reaches(1));
    caf::scoped_actor other(host.system());
    other->send(host.gateway(), tea());
    host.wait_for_live_queries(2);
    caf::anon_send_exit(watcher, caf::exit_reason::kill);
    host.wait_for_live_queries(1);
    add_one(rt, "tea");
    CHECK(next_said(other) == "0");
    CHECK(next_said(other) == "1");
    CHECK(said(seen) == "0");
}

TEST_CASE("an actor without a handler for updates has cancelled") {
    auto rt = open_shop();
    actor_host host(rt);
    std::promise<void> refused;
    const auto watcher = host.system().spawn(
        [&](caf::event_based_actor* self, const caf::actor& gateway) -> caf::behavior {
            self->set_default_handler([&](caf::scheduled_actor*, caf::message_view&) {
                refused.set_value();
                return caf::result<caf::message>(caf::sec::unexpected_message);
            });
            self->send(gateway, tea());
            return {[](const std::string&) {}};
        },
        host.gateway());
    refused.get_future().get();
    host.wait_for_live_queries(0);
    caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
}

TEST_CASE("an actor whose handler answers with a value goes on") {
    auto rt = open_shop();
    actor_host host(rt);
    const live_updates<int> seen;
    const auto watcher = spawn_watcher(host, [take = seen.collect()](const update& now) {
        take(now);
        return 42;
    });
    REQUIRE(seen.reaches(1));
    add_one(rt, "tea");
    REQUIRE(seen.reaches(2));
    add_one(rt, "tea");
    REQUIRE(seen.reaches(3));
    CHECK(said(seen) == "0, 1, 2");
    caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
}

TEST_CASE("an actor is told why a live query cannot be, and when its runtime closes") {
    auto rt = std::make_unique<runtime>(open_shop());
    actor_host host(*rt);
    caf::scoped_actor self(host.system());
    self->send(host.gateway(), live_query_for<shop::fragile>(shop::fragile_count{}));
    CHECK(next_said(self) == "unknown_query!");
    self->send(host.gateway(), tea());
    CHECK(next_said(self) == "0");
    REQUIRE(rt->close());
    CHECK(next_said(self) == "closed!");
    rt.reset();
    self->send(host.gateway(), tea());
    CHECK(next_said(self) == "closed!");
}

TEST_CASE("live queries end with their gateway") {
    auto rt = open_shop();
    actor_host host(rt);
    caf::scoped_actor self(host.system());
    const auto another = spawn_gateway(host.system(), rt);
    self->send(another, tea());
    CHECK(next_said(self) == "0");
    host.wait_for_live_queries(1);
    caf::anon_send_exit(another, caf::exit_reason::user_shutdown);
    host.wait_for_live_queries(0);
    add_one(rt, "tea");
    CHECK(mail_of(self).empty());
}

TEST_CASE("many actors are told the same, in order, amid commands") {
    constexpr int threads = 3;
    constexpr int times = 200;
    auto rt = open_shop();
    actor_host host(rt);
    std::vector<live_updates<int>> seen(20);
    std::vector<caf::actor> watchers;
    {
        command_storm storm(rt, threads, times);
        for (const auto& each : seen)
            watchers.push_back(spawn_watcher(
                host, [take = each.collect()](const update& now) { take(now); }, {.buffer = 4}));
    }
    for (const auto& each : seen) {
        REQUIRE(each.until([](const auto& all) {
            return !all.empty() && all.back().answer.value() == threads * times;
        }));
        int before = -1;
        for (const auto& one : each.all()) {
            REQUIRE(one.answer.value() > before);
            before = one.answer.value();
        }
    }
    for (const auto& each : watchers)
        caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
}
