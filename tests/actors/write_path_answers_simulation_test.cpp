#include "tally_history.hpp"

#include <set>

/// The races of the write path, each under many seeded interleavings: who is told what, and when.

using namespace tally_history;

namespace {

/// A command that runs something when it is dropped: between the moment at which its deadline has claimed it
/// and its answer.
struct post_note {
    std::shared_ptr<void> when_dropped;
    friend std::size_t size_hint(const post_note&) { return 4'096; } // too large to be kept
};
struct note_posted {
    int number = 0;
    ANNALS_EVENT(note_posted, "notes.posted", number)
};
struct notes {
    static constexpr std::string_view name = "notes";
    using command = std::variant<post_note>;
    using event = std::variant<note_posted>;
    using decision = annals::decision<event>;
    int posted = 0;
};
notes::decision decide(const notes& state, const post_note&) {
    return note_posted{state.posted + 1};
}
void evolve(notes& state, const note_posted& happened) {
    state.posted = happened.number;
}

} // namespace

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

TEST_CASE("a command of a chain is not decided behind one that a deadline has claimed") {
    world w(1, small(), {annals::host<notes>});
    const auto chain = std::make_shared<annals::command_chain>();
    const auto never = annals::steady_time::max();
    const auto soon = w.clock->steady() + std::chrono::milliseconds(10);
    bool dropped = false;
    std::shared_ptr<void> when_dropped(static_cast<void*>(&w), [&](void*) {
        dropped = true;
        w.run_until_quiet(); // the aggregate takes both, and the journal writes
    });
    const auto late = w.send("0", post_note{std::move(when_dropped)}, {}, soon, chain);
    const auto next = w.send("0", post_note{}, {}, never, chain);
    REQUIRE_FALSE(late.is_ready());
    w.pass(std::chrono::milliseconds(20));
    w.run_until_quiet();
    REQUIRE(dropped);
    REQUIRE(late.get().error().code == annals::errc::deadline_exceeded);
    REQUIRE(next.get().is_error());
    REQUIRE(next.get().error().code == annals::errc::predecessor_failed);
    REQUIRE(w.journal->stored().head() == 0);
}

TEST_CASE("whoever repeats a command with the id in its error makes it take effect once") {
    std::size_t repeats = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        auto limits = small();
        limits.max_commands_waiting_per_aggregate = 6;
        world w(seed, limits, {annals::host<tally>});
        w.journal->fail_by([&](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(10) != 0)
                return std::nullopt;
            return annals::error{w.below(2) == 0 ? annals::errc::disk_full
                                                 : annals::errc::outcome_unknown,
                                 "simulated"};
        });
        struct wish {
            annals::uuid id;
            annals::future<annals::receipt> answer;
        };
        std::vector<wish> wishes;
        const auto repeat_if_failed = [&](wish& each) {
            if (!each.answer.is_ready())
                return false;
            const auto came = each.answer.get();
            if (!came.is_error())
                return false;
            REQUIRE_FALSE(came.error().command_id.is_nil());
            REQUIRE((each.id.is_nil() || each.id == came.error().command_id));
            each.id = came.error().command_id;
            each.answer = w.send("0", add{1}, each.id);
            ++repeats;
            return true;
        };
        for (int i = 0; i < 30; ++i) {
            const auto soon = w.clock->steady() + std::chrono::milliseconds(1 + w.below(40));
            wishes.push_back(
                {{}, w.send("0", add{1}, {}, w.below(2) == 0 ? soon : annals::steady_time::max())});
            w.step_some(6);
            if (w.below(6) == 0)
                w.pass(std::chrono::milliseconds(w.below(70)));
            for (auto& each : wishes)
                if (w.below(4) == 0)
                    (void)repeat_if_failed(each);
        }
        w.journal->fail_by({});
        for (bool again = true; again;) {
            w.run_until_quiet();
            again = false;
            for (auto& each : wishes)
                again = repeat_if_failed(each) || again;
        }
        const auto log = commands_in(w.journal->stored(), "tally-0");
        std::set<annals::uuid> distinct;
        for (const auto& c : log)
            REQUIRE(distinct.insert(c.id).second);
        REQUIRE(log.size() == wishes.size());
        for (const auto& each : wishes) {
            const auto came = each.answer.get();
            REQUIRE(came);
            REQUIRE(distinct.count(came->command_id) == 1);
        }
        REQUIRE(w.engine().status().command_bytes_in_flight == 0);
    }
    CHECK(repeats > seeds);
}
