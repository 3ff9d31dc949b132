#pragma once

#include "simulation.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

/// A domain that tells: every event records the total its decision saw, so an event stored on a state other
/// than the one it was decided on shows in the log. And what was sent to it, compared with that log.
namespace tally_history {

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

inline tally::decision decide(const tally& state, const add& command) {
    if (command.amount == 13)
        throw std::runtime_error("thirteen");
    if (command.amount < 0)
        return annals::reject("negative");
    if (command.amount > 100) // one command, several events
        return {added{1, state.total}, added{command.amount - 1, state.total + 1}};
    return added{command.amount, state.total};
}
inline tally::decision decide(const tally&, const check&) {
    return annals::nothing;
}
inline void evolve(tally& state, const added& happened) {
    state.total += happened.amount;
}

struct sum_of {};
struct sums {
    static constexpr std::string_view name = "sums";
    using query = std::variant<sum_of>;
    using event = std::variant<added>;
    int total = 0;
};
inline void evolve(sums& state, const added& happened) {
    state.total += happened.amount;
}
inline int answer(const sums& state, const sum_of&) {
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
inline std::vector<stored_command> commands_in(annals::journal& log, const std::string& stream) {
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

    /// Every command has one answer and holds no memory, and the log holds what the answers say: no more, no less, in
    /// the order of sending.
    void check_against_log() {
        CHECK(world_.engine().status().command_bytes_in_flight == 0);
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

inline annals::engine_limits small() {
    annals::engine_limits limits;
    limits.idle_timeout = std::chrono::milliseconds(50);
    limits.page_events = 7;
    limits.split_reads_from = 4;
    return limits;
}

} // namespace tally_history
