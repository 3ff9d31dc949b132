#include "tally_history.hpp"

/// The races of the write path, each under many seeded interleavings: storing.

using namespace tally_history;

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
