#include "simulation.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

/// The races of the write path, each under many seeded interleavings.
///
/// The domain is made to tell: every event records the total its decision saw, so an event stored on
/// a state other than the one it was decided on shows in the log.
namespace {

struct add {
    int amount = 0;
};
struct check {}; ///< decides nothing
struct added {
    int amount = 0;
    int seen = 0; ///< the total that was decided on
    ANNALS_EVENT(added, "tally.added", amount, seen)
};
struct tally {
    static constexpr std::string_view name = "tally";
    using command = std::variant<add, check>;
    using event = std::variant<added>;
    using decision = annals::decision<event>;
    int total = 0;
};

tally::decision decide(const tally& state, const add& command) {
    if (command.amount == 13)
        throw std::runtime_error("thirteen");
    if (command.amount < 0)
        return annals::reject("negative");
    if (command.amount > 100) // one command, several events
        return {added{1, state.total}, added{command.amount - 1, state.total + 1}};
    return added{command.amount, state.total};
}
tally::decision decide(const tally&, const check&) {
    return annals::nothing;
}
void evolve(tally& state, const added& happened) {
    state.total += happened.amount;
}

struct sum_of {};
struct sums {
    static constexpr std::string_view name = "sums";
    using query = std::variant<sum_of>;
    using event = std::variant<added>;
    int total = 0;
};
void evolve(sums& state, const added& happened) {
    state.total += happened.amount;
}
int answer(const sums& state, const sum_of&) {
    return state.total;
}

using simulation::world;

struct stored_command {
    annals::uuid id;
    int amount = 0;
    annals::log_position last_position = 0;
    annals::stream_version last_version = 0;
};

/// The stored commands of a stream in order. Fails the test if an event was not decided on the
/// state that it was stored on.
std::vector<stored_command> commands_in(annals::journal& log, const std::string& stream) {
    std::vector<stored_command> all;
    int total = 0;
    bool fresh = true;
    const auto page = log.read_stream(stream, 1, 100'000);
    REQUIRE(page);
    for (const auto& e : page->events) {
        const auto happened = annals::from_bytes<added>(e.payload);
        REQUIRE(happened);
        REQUIRE(happened->seen == total);
        total += happened->amount;
        if (fresh)
            all.push_back({e.command_id, 0, 0, 0});
        all.back().amount += happened->amount;
        all.back().last_position = e.position;
        all.back().last_version = e.version;
        fresh = e.ends_commit;
    }
    REQUIRE(fresh); // no commit is cut in half
    return all;
}

struct sent {
    std::string to;
    annals::uuid id;
    int amount;
    annals::future<annals::receipt> answer;
};

class history {
public:
    explicit history(world& in) : world_(in) {}

    void send(const std::string& to, int amount, annals::uuid id = {}) {
        if (id.is_nil())
            id = annals::uuid::of_name("command-" + std::to_string(++last_));
        sent_.push_back({to, id, amount, world_.send(to, add{amount}, id)});
    }

    /// Every command has one answer, and the log holds what the answers say: no more, no less, in
    /// the order of sending.
    void check_against_log() {
        std::map<std::string, std::vector<stored_command>> logs;
        for (const auto& s : sent_)
            if (!logs.contains(s.to))
                logs[s.to] = commands_in(world_.journal->stored(), "tally-" + s.to);
        std::map<std::string, std::size_t> next;
        for (const auto& s : sent_) {
            REQUIRE(s.answer.is_ready());
            const auto came = s.answer.get();
            auto& log = logs[s.to];
            if (came && came->what == annals::receipt::kind::stored) {
                auto& at = next[s.to];
                REQUIRE(at < log.size());
                CHECK(log[at].id == s.id);
                CHECK(log[at].amount == s.amount);
                CHECK(log[at].last_position == came->position);
                CHECK(log[at].last_version == came->version);
                ++at;
            } else if (!came) {
                const bool is_stored = std::any_of(log.begin(), log.end(),
                                                   [&](const auto& c) { return c.id == s.id; });
                CHECK_FALSE(is_stored);
            }
        }
        for (const auto& [to, log] : logs)
            CHECK(next[to] == log.size());
    }
    const std::vector<sent>& all() const { return sent_; }

private:
    world& world_;
    std::vector<sent> sent_;
    int last_ = 0;
};

constexpr std::uint32_t seeds = 400;

annals::engine_limits small() {
    annals::engine_limits limits;
    limits.idle_timeout = std::chrono::milliseconds(50);
    limits.page_events = 7;
    limits.split_reads_from = 4;
    return limits;
}

} // namespace

TEST_CASE("pipelined commands are stored in order, each on the state it was decided on") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        history h(w);
        for (int i = 0; i < 40; ++i) {
            h.send(std::to_string(w.below(3)), static_cast<int>(1 + w.below(12)));
            w.step_some(6);
        }
        w.run_until_quiet();
        h.check_against_log();
        for (const auto& s : h.all())
            REQUIRE(s.answer.get().has_value());
    }
}

TEST_CASE("a failing commit fails what was decided on top of it, and nothing else") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        std::size_t failures = 0;
        w.journal->fail_by([&](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(8) != 0)
                return std::nullopt;
            ++failures;
            return annals::error{annals::errc::disk_full, "simulated"};
        });
        history h(w);
        for (int i = 0; i < 40; ++i) {
            const int amount = static_cast<int>(w.below(20)) - 3; // some refused, some throw
            h.send(std::to_string(w.below(2)), amount);
            w.step_some(6);
        }
        w.run_until_quiet();
        h.check_against_log();
        std::size_t disk_full = 0;
        for (const auto& s : h.all()) {
            const auto came = s.answer.get();
            if (came.is_error()) {
                const auto code = came.error().code;
                disk_full += code == annals::errc::disk_full;
                REQUIRE((code == annals::errc::disk_full ||
                         code == annals::errc::predecessor_failed ||
                         (code == annals::errc::handler_failed && s.amount == 13)));
            } else if (came.is_rejected()) {
                REQUIRE(s.amount < 0);
            }
        }
        REQUIRE(disk_full == failures);
        // It goes on from what is stored.
        w.journal->fail_by({});
        h.send("0", 1);
        h.send("1", 1);
        w.run_until_quiet();
        h.check_against_log();
        REQUIRE(h.all().back().answer.get().has_value());
    }
}

TEST_CASE("a journal that refuses out of turn leaves no command without its answer") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        const bool even_barriers = seed % 2 == 0;
        w.journal->refuse_by([&](const annals::append_operation& operation) {
            return w.below(5) == 0 && (even_barriers || !operation.commits().empty());
        });
        history h(w);
        for (int i = 0; i < 40; ++i) {
            const int amount = static_cast<int>(w.below(20)) - 3; // some refused, some throw
            h.send(std::to_string(w.below(2)), amount);
            w.step_some(6);
        }
        w.run_until_quiet();
        REQUIRE(w.engine().drained());
        h.check_against_log();
        w.journal->refuse_by({});
        h.send("0", 1);
        h.send("1", 1);
        w.run_until_quiet();
        h.check_against_log();
        REQUIRE(h.all().back().answer.get().has_value());
    }
}

TEST_CASE("after another writer's commit everything is decided again on the new state") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        std::vector<annals::future<annals::receipt>> answers;
        int outside = 0;
        for (int i = 0; i < 40; ++i) {
            answers.push_back(w.send("0", add{1 + (i % 3) * 70}));
            if (w.below(5) == 0) {
                // It reads and writes in one go, so it is always right about the total.
                int total = 0;
                const auto page = w.journal->stored().read_stream("tally-0", 1, 100'000);
                for (const auto& e : page->events)
                    total += annals::from_bytes<added>(e.payload)->amount;
                annals::owned_commit other;
                other.stream = "tally-0";
                other.about.command_id = annals::uuid::of_name("outside-" + std::to_string(i));
                other.events = {{"tally.added", annals::to_bytes(added{5, total})}};
                annals::append(w.journal->stored(), {other},
                               [&](auto results) { outside += results[0].has_value(); });
            }
            w.step_some(6);
        }
        w.run_until_quiet();
        const auto log = commands_in(w.journal->stored(), "tally-0");
        std::size_t stored = 0;
        for (const auto& a : answers) {
            REQUIRE(a.is_ready());
            const auto came = a.get();
            REQUIRE((came || came.error().code == annals::errc::version_conflict ||
                     came.error().code == annals::errc::predecessor_failed));
            stored += came.has_value();
        }
        REQUIRE(log.size() == stored + static_cast<std::size_t>(outside));
    }
}

TEST_CASE("an aggregate that leaves misses no command that is on its way") {
    std::uint64_t passivations = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        auto limits = small();
        limits.max_resident_aggregates = 2;
        world w(seed, limits, {annals::host<tally>});
        history h(w);
        for (int i = 0; i < 60; ++i) {
            h.send(std::to_string(w.below(4)), static_cast<int>(1 + w.below(12)));
            w.step_some(12);
            if (w.below(3) == 0)
                w.pass(std::chrono::milliseconds(w.below(100)));
        }
        w.run_until_quiet();
        h.check_against_log();
        for (const auto& s : h.all())
            REQUIRE(s.answer.get().has_value());
        passivations += w.engine().status().passivations;
    }
    CHECK(passivations > seeds);
}

TEST_CASE("closing at any moment answers everything once, and truthfully") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>, annals::host<sums>});
        history h(w);
        const std::size_t close_at = w.below(30);
        std::vector<annals::future<int>> queries;
        for (std::size_t i = 0; i < 30; ++i) {
            if (i == close_at)
                w.engine().stop_intake();
            if (i == close_at + 2)
                w.engine().stop_actors();
            h.send(std::to_string(w.below(3)), static_cast<int>(1 + w.below(12)));
            queries.push_back(w.ask<sums>(sum_of{}, w.below(40)));
            w.step_some(5);
        }
        w.engine().stop_actors();
        w.run_until_quiet();
        REQUIRE(w.engine().live_actors() == 0);
        REQUIRE(w.engine().drained());
        for (const auto& q : queries)
            REQUIRE(q.is_ready());
        h.check_against_log();
    }
}

TEST_CASE("a repeated command is stored once and every sender gets the same receipt") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        auto limits = small();
        world w(seed, limits, {annals::host<tally>});
        w.journal->fail_by([&](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(12) != 0)
                return std::nullopt;
            return annals::error{annals::errc::disk_full, "simulated"};
        });
        std::map<std::size_t, std::vector<annals::future<annals::receipt>>> answers;
        for (int i = 0; i < 60; ++i) {
            const std::size_t which = w.below(15);
            const auto id = annals::uuid::of_name("repeated-" + std::to_string(which));
            answers[which].push_back(w.send("0", add{static_cast<int>(which)}, id));
            w.step_some(6);
            if (w.below(10) == 0)
                w.pass(std::chrono::milliseconds(200));
        }
        w.run_until_quiet();
        const auto log = commands_in(w.journal->stored(), "tally-0");
        std::set<annals::uuid> distinct;
        for (const auto& c : log)
            REQUIRE(distinct.insert(c.id).second);
        for (const auto& [which, futures] : answers) {
            std::set<annals::log_position> positions;
            std::size_t firsts = 0;
            for (const auto& f : futures) {
                REQUIRE(f.is_ready());
                const auto came = f.get();
                if (!came)
                    continue;
                positions.insert(came->position);
                firsts += came->what == annals::receipt::kind::stored;
            }
            REQUIRE(positions.size() <= 1);
            REQUIRE(firsts == positions.size());
        }
    }
}

TEST_CASE("a refusal waits for the events it was decided on") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        const auto first = w.send("0", add{5});
        const auto refused = w.send("0", add{-1});
        const auto nothing = w.send("0", check{});
        while (!refused.is_ready() || !nothing.is_ready()) {
            REQUIRE(w.step());
            if (refused.is_ready() || nothing.is_ready())
                REQUIRE(w.journal->stored().head() == 1);
        }
        w.run_until_quiet();
        REQUIRE(first.is_ready());
        REQUIRE(refused.get().is_rejected());
        REQUIRE(nothing.get()->position == 1);
    }
}

TEST_CASE("a refusal does not come early because the journal refused to say when") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        w.journal->refuse_by([&](const annals::append_operation& operation) {
            return operation.commits().empty() && w.below(2) == 0;
        });
        const auto first = w.send("0", add{5});
        const auto refused = w.send("0", add{-1});
        bool came_first = false;
        while (w.step())
            came_first = came_first || (refused.is_ready() && refused.get().is_rejected() &&
                                        w.journal->stored().head() == 0);
        CHECK_FALSE(came_first);
        REQUIRE(first.get().has_value());
        REQUIRE(refused.is_ready());
        const auto answer = refused.get();
        REQUIRE((answer.is_rejected() || answer.error().code == annals::errc::overloaded ||
                 answer.error().code == annals::errc::predecessor_failed));
    }
}

TEST_CASE("a deadline answers a command that is stuck, and says what is known") {
    world w(1, small(), {annals::host<tally>});
    const auto soon = w.clock->steady() + std::chrono::milliseconds(10);
    const auto never_started = w.send("0", add{5}, {}, soon);
    w.pass(std::chrono::milliseconds(20));
    REQUIRE(never_started.is_ready());
    REQUIRE(never_started.get().error().code == annals::errc::deadline_exceeded);
    w.run_until_quiet();
    REQUIRE(w.journal->stored().head() == 0);

    const auto later = w.clock->steady() + std::chrono::milliseconds(10);
    const auto started = w.send("0", add{5}, {}, later);
    while (w.journal->queued() == 0)
        REQUIRE(w.step());
    w.pass(std::chrono::milliseconds(20));
    REQUIRE(started.is_ready());
    REQUIRE(started.get().error().code == annals::errc::outcome_unknown);
}

TEST_CASE("a query waits for its position without polling, and no longer than its deadline") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>, annals::host<sums>});
        std::vector<std::pair<annals::log_position, annals::future<int>>> asked;
        for (int i = 0; i < 20; ++i) {
            (void)w.send(std::to_string(w.below(2)), add{1});
            const annals::log_position at_least = w.below(30);
            asked.emplace_back(at_least, w.ask<sums>(sum_of{}, at_least));
            w.step_some(8);
        }
        w.run_until_quiet();
        w.pass(std::chrono::minutes(1));
        w.run_until_quiet();
        for (const auto& [at_least, answer] : asked) {
            REQUIRE(answer.is_ready());
            const auto came = answer.get();
            if (at_least <= 20)
                REQUIRE(*came >= static_cast<int>(at_least)); // every event adds 1
            else
                REQUIRE(came.error().code == annals::errc::version_out_of_reach);
        }
        REQUIRE(w.engine().drained());
    }
}

TEST_CASE("a chain stores nothing behind a command of the same aggregate that failed") {
    std::size_t broken = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<tally>});
        w.journal->fail_by([&](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(15) != 0)
                return std::nullopt;
            return annals::error{annals::errc::disk_full, "simulated"};
        });
        const auto chain = std::make_shared<annals::command_chain>();
        std::map<std::string, std::vector<annals::future<annals::receipt>>> answers;
        for (int i = 0; i < 40; ++i) {
            const auto to = std::to_string(w.below(2));
            answers[to].push_back(w.send(to, add{1}, {}, annals::steady_time::max(), chain));
            w.step_some(6);
        }
        w.run_until_quiet();
        broken += chain->broken();
        for (const auto& [to, in_order] : answers) {
            bool failed = false;
            for (const auto& answer : in_order) {
                REQUIRE(answer.is_ready());
                const bool stored = answer.get().has_value();
                REQUIRE_FALSE((failed && stored));
                failed = failed || !stored;
            }
        }
    }
    CHECK(broken > seeds / 2);
}
