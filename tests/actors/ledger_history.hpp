#pragma once

#include "simulation.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

/// A domain in which every event depends on the whole history before it, to the time of each event, and
/// which remembers what each decision was made on top of. What was sent to one or more runtimes over one
/// log, with repeated and nearly repeated commands, is compared with that log.
namespace ledger_history {

using annals::errc;
using annals::uuid;
using simulation::world;

struct deposit { // described, so that repeats are compared by their fields
    int amount = 0;
    ANNALS_FIELDS(deposit, amount)
};
struct withdraw {
    int amount = 0;
    ANNALS_FIELDS(withdraw, amount)
};
struct look { // decides nothing
    ANNALS_FIELDS(look)
};

struct moved {
    int amount = 0;
    std::uint64_t seen = 0; ///< digest of the history it was decided on
    std::string note;       ///< what makes some too large
    uuid by;                ///< the sending, or the command where several runtimes may decide it
    ANNALS_EVENT(moved, "ledger.moved", amount, seen, note, by)
};

inline std::uint64_t after(std::uint64_t digest, const moved& next, annals::timestamp time,
                           const uuid& command) {
    const auto at = static_cast<std::uint64_t>(time.time_since_epoch().count());
    for (const std::uint64_t part :
         {static_cast<std::uint64_t>(next.amount), at, std::uint64_t{std::hash<uuid>{}(command)}})
        digest = (digest ^ part) * 0x9e3779b97f4a7c15U + (digest >> 29);
    return digest & 0xffff'ffffU;
}

struct ledger {
    static constexpr std::string_view name = "ledger";
    using command = std::variant<deposit, withdraw, look>;
    using event = std::variant<moved>;
    using decision = annals::decision<event>;
    int total = 0;
    std::uint64_t digest = 0;
    std::vector<uuid> sendings; ///< whose events it holds
};

/// Several runtimes decide the same events for the same command.
inline bool& in_company() {
    static bool several = false;
    return several;
}

/// What each sending was decided on top of, in any attempt. Sendings are told apart by their correlation id.
inline std::map<uuid, std::set<uuid>>& believed() {
    static std::map<uuid, std::set<uuid>> all;
    return all;
}

inline ledger::decision move(const ledger& state, int amount,
                             const annals::command_context& context) {
    believed()[context.about.correlation_id].insert(state.sendings.begin(), state.sendings.end());
    if (std::abs(amount) == 13)
        throw std::runtime_error("thirteen");
    if (amount < 0 && state.total + amount < 0)
        return annals::reject("not enough");
    const auto note = std::abs(amount) == 7 ? std::string(600, 'x') : std::string();
    const uuid by = in_company() ? context.about.command_id : context.about.correlation_id;
    // How many events it takes depends on the history.
    const int parts = state.digest % 3 == 0 ? 2 : 1;
    std::vector<ledger::event> made;
    auto digest = state.digest;
    for (int i = 0; i != parts; ++i) {
        moved one{i == 0 ? amount - (parts - 1) : 1, digest, note, by};
        digest = after(digest, one, context.about.time, context.about.command_id);
        made.emplace_back(std::move(one));
    }
    return made;
}
inline ledger::decision decide(const ledger& state, const deposit& command,
                               const annals::command_context& context) {
    return move(state, command.amount, context);
}
inline ledger::decision decide(const ledger& state, const withdraw& command,
                               const annals::command_context& context) {
    return move(state, -command.amount, context);
}
inline ledger::decision decide(const ledger& state, const look&,
                               const annals::command_context& context) {
    believed()[context.about.correlation_id].insert(state.sendings.begin(), state.sendings.end());
    return annals::nothing;
}
inline void evolve(ledger& state, const moved& happened, const annals::event_context& context) {
    state.total += happened.amount;
    state.digest = after(state.digest, happened, context.time, context.command_id);
    if (state.sendings.empty() || state.sendings.back() != happened.by)
        state.sendings.push_back(happened.by);
}

struct stored_commit {
    int amount = 0;
    annals::log_position position = 0;
    annals::stream_version version = 0;
};

/// The commits of a stream by command id. Fails the test if an event was not decided on the history that
/// it was stored on, or an id was stored twice.
inline std::map<uuid, stored_commit> commits_in(const annals::journal& log,
                                                const std::string& stream) {
    std::map<uuid, stored_commit> all;
    std::uint64_t digest = 0;
    bool fresh = true;
    const auto page = log.read_stream(stream, 1, 100'000, annals::direction::forward).value();
    for (const auto& e : page.events) {
        const auto happened = annals::from_bytes<moved>(e.payload).value();
        REQUIRE(happened.seen == digest);
        digest = after(digest, happened, e.time, e.command_id);
        REQUIRE(all.contains(e.command_id) != fresh);
        auto& in = all[e.command_id];
        in.amount += happened.amount;
        in.position = e.position;
        in.version = e.version;
        fresh = e.ends_commit;
    }
    REQUIRE(fresh);
    return all;
}

/// One command as it was sent to one runtime.
struct sending {
    std::size_t to_world;
    std::string to;
    uuid id;
    uuid itself; ///< this sending
    int kind;    ///< 0 deposit, 1 withdraw, 2 look
    int amount;
    annals::future<annals::receipt> answer;

    [[nodiscard]] bool same_command(const sending& other) const {
        return kind == other.kind && (kind == 2 || amount == other.amount);
    }
    [[nodiscard]] int signed_amount() const { return kind == 1 ? -amount : amount; }
    [[nodiscard]] bool is(annals::receipt::kind what) const {
        const auto came = answer.get();
        return came && came->what == what;
    }
    [[nodiscard]] bool failed_with(errc code) const {
        const auto came = answer.get();
        return came.is_error() && came.error().code == code;
    }
    /// An error that stands for a commit that is not stored.
    [[nodiscard]] bool failed() const {
        return answer.get().is_error() && !failed_with(errc::invalid_argument);
    }
};

class history {
public:
    explicit history(std::vector<world*> worlds) : worlds_(std::move(worlds)) {
        believed().clear();
        in_company() = worlds_.size() > 1;
    }

    /// Something new, the same as before, or nearly the same as before, to either world.
    void send_anything(world& random) {
        const auto chance = random.below(10);
        if (sent_.empty() || chance < 6) {
            send(random.below(worlds_.size()), std::to_string(random.below(2)),
                 uuid::of_name("command " + std::to_string(sent_.size())),
                 random.below(5) == 0   ? 2
                 : random.below(3) == 0 ? 1
                                        : 0,
                 1 + static_cast<int>(random.below(20)));
            return;
        }
        const auto before =
            sent_[sent_.size() - 1 -
                  random.below(std::min<std::size_t>(sent_.size(), 12))]; // not too long ago
        const bool nearly = chance == 9;
        const bool other_kind = nearly && random.below(2) == 0;
        send(random.below(worlds_.size()), before.to, before.id,
             other_kind ? (before.kind + 1) % 3 : before.kind,
             nearly && !other_kind ? before.amount + 1 : before.amount);
    }

    void send(std::size_t to_world, std::string to, uuid id, int kind, int amount) {
        const auto itself = uuid::of_name("sending " + std::to_string(sent_.size()));
        sent_.push_back({to_world, to, id, itself, kind, amount,
                         kind == 0   ? request(to_world, to, deposit{amount}, id, itself)
                         : kind == 1 ? request(to_world, to, withdraw{amount}, id, itself)
                                     : request(to_world, to, look{}, id, itself)});
    }

    void check_against(const annals::journal& log) {
        std::map<std::string, std::map<uuid, stored_commit>> logs;
        for (const auto& s : sent_)
            if (!logs.contains(s.to))
                logs[s.to] = commits_in(log, "ledger-" + s.to);
        std::map<std::string, std::map<uuid, int>> accounted;
        for (std::size_t i = 0; i != sent_.size(); ++i) {
            const auto& s = sent_[i];
            INFO("sending " << i << " to runtime " << s.to_world << ", ledger " << s.to << ": "
                            << s.answer.get().explanation());
            REQUIRE(s.answer.is_ready());
            check_answer(i, logs[s.to]);
            check_predecessors(i, logs[s.to]);
            accounted[s.to][s.id] +=
                s.is(annals::receipt::kind::stored) || s.failed_with(errc::outcome_unknown);
        }
        for (const auto& [to, commits] : logs)
            for (const auto& [id, one] : commits)
                CHECK(accounted[to][id] > 0);
    }

    [[nodiscard]] const std::vector<sending>& all() const { return sent_; }
    [[nodiscard]] std::size_t count(errc code) const {
        return static_cast<std::size_t>(std::count_if(
            sent_.begin(), sent_.end(), [&](const auto& s) { return s.failed_with(code); }));
    }
    [[nodiscard]] std::size_t count(annals::receipt::kind what) const {
        return static_cast<std::size_t>(
            std::count_if(sent_.begin(), sent_.end(), [&](const auto& s) { return s.is(what); }));
    }

private:
    template <class C>
    annals::future<annals::receipt> request(std::size_t to_world, const std::string& to, C command,
                                            uuid id, uuid itself) {
        auto made = std::make_shared<annals::typed_command<C>>(to, std::move(command));
        made->about.command_id = id;
        made->about.correlation_id = itself;
        annals::future<annals::receipt> answer(made);
        worlds_[to_world]->engine().send(std::move(made));
        return answer;
    }

    void check_answer(std::size_t i, const std::map<uuid, stored_commit>& commits) const {
        const auto& s = sent_[i];
        const auto came = s.answer.get();
        const auto found = commits.find(s.id);
        const bool says_stored = came && came->what != annals::receipt::kind::nothing_to_do;
        if (says_stored) {
            REQUIRE(found != commits.end());
            CHECK(found->second.amount == s.signed_amount());
            CHECK(found->second.position == came->position);
            CHECK(found->second.version == came->version);
        }
        std::size_t stored = 0;
        bool stored_here_before = false;
        bool other_command = false;
        for (std::size_t k = 0; k != sent_.size(); ++k) {
            const auto& other = sent_[k];
            if (other.to != s.to || other.id != s.id)
                continue;
            const bool is_stored = other.is(annals::receipt::kind::stored);
            stored += is_stored;
            other_command = other_command || !other.same_command(s);
            stored_here_before =
                stored_here_before ||
                (is_stored && k < i && other.to_world == s.to_world && other.same_command(s));
        }
        CHECK(stored <= 1);
        if (stored_here_before)
            CHECK((s.is(annals::receipt::kind::already_stored)));
        if (s.failed_with(errc::invalid_argument))
            CHECK(other_command);
        CHECK_FALSE(s.failed_with(errc::corrupt));
    }

    /// `predecessor_failed` has a predecessor that failed, and what is stored has none.
    void check_predecessors(std::size_t i, const std::map<uuid, stored_commit>& commits) const {
        const auto& s = sent_[i];
        if (s.failed_with(errc::predecessor_failed)) {
            std::size_t k = i;
            const auto passed_over = [&](const sending& other) {
                const auto came = other.answer.get();
                return other.to != s.to || other.to_world != s.to_world || came.is_rejected() ||
                       other.failed_with(errc::invalid_argument) ||
                       (came && came->what != annals::receipt::kind::stored);
            };
            bool given_up = false; // a command turned out to be another's when it was decided again
            for (; k != 0 && passed_over(sent_[k - 1]); --k)
                given_up = given_up || (worlds_.size() > 1 && sent_[k - 1].to == s.to &&
                                        sent_[k - 1].failed_with(errc::invalid_argument));
            CHECK((given_up || (k != 0 && sent_[k - 1].failed())));
        }
        if (!s.is(annals::receipt::kind::stored))
            return;
        for (const auto& by : believed()[s.itself]) {
            INFO("decided on top of " << by.to_string());
            std::size_t meant = 0; // sendings of this runtime
            std::size_t failed = 0;
            for (const auto& other : sent_)
                if (other.to == s.to && other.to_world == s.to_world &&
                    (in_company() ? other.id : other.itself) == by) {
                    ++meant;
                    failed += other.failed() && !commits.contains(other.id);
                }
            CHECK((meant == 0 || failed < meant));
        }
    }

    std::vector<world*> worlds_;
    std::vector<sending> sent_;
};

/// A log whose events and commits are small enough for some commands to be too large.
inline std::shared_ptr<annals::journal> small_log() {
    return annals::make_memory_journal(512);
}

} // namespace ledger_history
