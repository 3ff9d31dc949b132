#include "stress/barrier.hpp"
#include "stress/chains.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <thread>

/// Projections that are stuck, far behind, or moved about, while everybody else goes on.

using namespace annals;
using namespace annals::test;
using chains::chain;
using chains::chain_of;
using chains::commands_each;
using chains::deliveries;
using chains::kept;
using chains::plain;
using chains::shown;
using chains::threaded;
using chains::true_chains;

namespace {

/// Settings for a store that holds so many events already.
config filled(const event_store& store, int events) {
    auto with = store.settings();
    if (with.journal)
        chains::fill(*with.journal, events);
    else
        chains::fill(runtime::open(with, host<shop::cart>).value().journal(), events);
    return with;
}

struct stuck_reaction {
    static constexpr std::string_view name = "stuck";
    using event = std::variant<shop::item_added, shop::item_removed>;
    std::shared_ptr<deliveries> seen;
};
template <class E>
void react(stuck_reaction& to, const E&, const delivery& about) {
    wait_with_the_first(about.position);
    to.seen->take(about);
}

struct stuck_view {
    static constexpr std::string_view name = "stuck";
    using event = std::variant<shop::item_added, shop::item_removed>;
    using query = std::variant<chain_of<stuck_view>>;
    chain all;
};
template <class E>
void evolve(stuck_view& view, const E& happened, const logged_context& at) {
    wait_with_the_first(at.position);
    view.all.add(happened, at);
}
chain answer(const stuck_view& view, const chain_of<stuck_view>&) {
    return view.all;
}

/// What the stuck one shares a runtime with.
struct neighbours {
    runtime rt;
    std::shared_ptr<deliveries> followed;

    neighbours(config with, const hosted& stuck, std::shared_ptr<deliveries> seen)
        : rt(runtime::open(std::move(with), host<shop::cart>, host<plain>, host<kept>,
                           host<threaded>({.own_thread = true}),
                           host_reaction(chains::follower<chains::follower_name>{seen},
                                         reaction_start::beginning),
                           stuck)
                 .value()),
          followed(std::move(seen)) {}

    /// Thousands of commands and queries, all of which must be answered while another is stuck.
    void go_on(std::mt19937_64& random, int commands) {
        std::atomic<int> bad{0};
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i != 2; ++i)
                threads.emplace_back(
                    [&, own = random()] { bad += chains::send_some(rt, own, commands); });
            threads.emplace_back([&] {
                for (int i = 0; i != 500; ++i) {
                    bad += rt.ask(chain_of<plain>{}, latest()).get() ? 0 : 1;
                    bad += rt.ask(chain_of<kept>{}, latest()).get() ? 0 : 1;
                    bad += rt.ask_together(latest(), chain_of<plain>{}, chain_of<threaded>{}).get()
                               ? 0
                               : 1;
                }
            });
        }
        REQUIRE(bad == 0);
        true_chains log(rt.journal());
        REQUIRE(rt.ask(chain_of<plain>{}, latest()).get().value() == log.up_to(log.head()));
        REQUIRE(rt.ask(chain_of<kept>{}, latest()).get().value() == log.up_to(log.head()));
        REQUIRE(rt.ask(chain_of<threaded>{}, latest()).get().value() == log.up_to(log.head()));
        REQUIRE(rt.projection("follower").reaches(log.head()).get());
        REQUIRE(followed->are_all_once(rt.journal()));
    }
    /// It has not begun, and says so.
    void stuck_at_the_beginning() const {
        const auto status = status_of(rt, "stuck");
        REQUIRE(status.now == projection_status::state::catching_up);
        REQUIRE(status.position == 0);
        REQUIRE(status.lag == rt.journal().head());
        REQUIRE(status.events == 0);
    }
    [[nodiscard]] bool catches_up() {
        const log_position head = rt.journal().head();
        return rt.projection("stuck").reaches(head).get().has_value() && eventually(rt, [&] {
                   const auto status = status_of(rt, "stuck");
                   return status.now == projection_status::state::live && status.lag == 0 &&
                          status.events == head;
               });
    }
};

} // namespace

TEST_CASE("a reaction that is stuck slows nobody and takes everything once in order when it can") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    closed_gate at;
    const auto seen = std::make_shared<deliveries>();
    neighbours all(filled(store, 500),
                   host_reaction(stuck_reaction{seen}, reaction_start::beginning),
                   std::make_shared<deliveries>());
    const opens_at_end later(at);
    REQUIRE(at.reached());
    all.go_on(random, commands_each(where, 1'500));
    all.stuck_at_the_beginning();
    REQUIRE(seen->count() == 0);
    at.open();
    REQUIRE(all.catches_up());
    REQUIRE(seen->are_all_once(all.rt.journal()));
}

TEST_CASE("a view with a thread of its own that is stuck slows nobody and answers when it can") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    closed_gate at;
    neighbours all(filled(store, 500), host<stuck_view>({.own_thread = true}),
                   std::make_shared<deliveries>());
    const opens_at_end later(at);
    REQUIRE(at.reached());
    ask_options patient = latest();
    patient.timeout = std::chrono::minutes(10);
    const auto asked = all.rt.ask(chain_of<stuck_view>{}, patient);
    all.go_on(random, commands_each(where, 1'500));
    all.stuck_at_the_beginning();
    REQUIRE_FALSE(asked.is_ready());
    at.open();
    REQUIRE(all.catches_up());
    true_chains log(all.rt.journal());
    const auto came = asked.get();
    REQUIRE(came);
    REQUIRE(came.position() >= 500);
    REQUIRE(*came == log.up_to(came.position()));
    REQUIRE(all.rt.ask(chain_of<stuck_view>{}, latest()).get().value() == log.up_to(log.head()));
}

// --- far behind, and moved about -----------------------------------------------------------------

TEST_CASE("projections of all kinds catch up with a long log at the same time, amid commands") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto followed = std::make_shared<deliveries>();
    const auto shared_out = std::make_shared<deliveries>();
    auto rt = runtime::open(filled(store, 20'000), host<shop::cart>, host<plain>,
                            host<threaded>({.own_thread = true}), host_published<shown>, host<kept>,
                            host_reaction(chains::follower<chains::follower_name>{followed},
                                          reaction_start::beginning),
                            host_reaction(chains::follower<chains::partitioned_name>{shared_out},
                                          reaction_start::beginning, {.partitions = 4}))
                  .value();
    std::atomic<int> bad{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&, own = random()] {
                bad += chains::send_some(rt, own, commands_each(where, 1'000));
            });
    }
    REQUIRE(bad == 0);
    true_chains log(rt.journal());
    REQUIRE(log.head() > 20'000);
    const chain all = log.up_to(log.head());
    REQUIRE(rt.ask(chain_of<plain>{}, latest()).get().value() == all);
    REQUIRE(rt.ask(chain_of<threaded>{}, latest()).get().value() == all);
    REQUIRE(rt.ask(chain_of<shown>{}, latest()).get().value() == all);
    REQUIRE(rt.ask(chain_of<kept>{}, latest()).get().value() == all);
    for (const auto* each : {"follower", "partitioned"})
        REQUIRE(rt.projection(each).reaches(log.head()).get());
    REQUIRE(followed->are_all_once(rt.journal()));
    REQUIRE(shared_out->are_all_once(rt.journal()));
    REQUIRE(eventually(rt, [&] {
        for (const auto& each : rt.status().projections)
            if (each.now != projection_status::state::live || each.lag != 0)
                return false;
        return true;
    }));
}

TEST_CASE("four partitions keep the order of each stream amid pauses and resets") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto with = store.settings();
    with.limits.page_events = 1 + random() % 50;
    const auto seen = std::make_shared<deliveries>();
    auto rt = runtime::open(std::move(with), host<shop::cart>,
                            host_reaction(chains::follower<chains::partitioned_name>{seen},
                                          reaction_start::beginning, {.partitions = 4}))
                  .value();
    const auto reaction = rt.projection("partitioned");
    std::atomic<int> bad{0};
    std::size_t beginnings = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&, own = random()] {
                bad += chains::send_some(rt, own, commands_each(where, 3'000));
            });
        threads.emplace_back([&, own = random()] {
            std::mt19937_64 choice(own);
            for (int i = 0; i != 60; ++i) {
                bad += reaction.pause().get() ? 0 : 1;
                if (choice() % 3 == 0) { // never forwards: that would pass over events
                    const log_position stands_at = status_of(rt, "partitioned").position;
                    bad += reaction.reset(choice() % (stands_at + 1)).get() ? 0 : 1;
                    ++beginnings;
                }
                bad += reaction.resume().get() ? 0 : 1;
                if (choice() % 3 == 0) {
                    const log_position stands_at = status_of(rt, "partitioned").position;
                    bad += reaction.reset(choice() % (stands_at + 1)).get() ? 0 : 1;
                    ++beginnings;
                }
                bad += rt.send("operator", shop::add_item{"rum"}).get() ? 0 : 1;
            }
        });
    }
    REQUIRE(bad == 0);
    REQUIRE(reaction.reaches(rt.journal().head()).get());
    log_position different = 0;
    for (const auto& [stream, all] : seen->by_stream()) {
        CAPTURE(stream, beginnings);
        stream_version newest = 0;
        stream_version before = 0;
        std::size_t back = 0;
        for (const auto& each : all) {
            CAPTURE(each.version, each.position, before, newest);
            if (each.version != before + 1) {
                REQUIRE(each.version <= before); // after a reset
                ++back;
            }
            if (each.version <= newest)
                REQUIRE(each.redelivered);
            before = each.version;
            newest = std::max(newest, before);
        }
        REQUIRE(back <= beginnings);
        REQUIRE(newest == rt.journal().describe(stream).value().version);
        different += newest;
    }
    REQUIRE(different == rt.journal().head());
}
