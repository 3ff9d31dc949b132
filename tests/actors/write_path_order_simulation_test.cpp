#include "ledger_history.hpp"

/// The order of the write path under many seeded interleavings: what fails, and what rests on it. In
/// batches of many operations, with refusals beside acceptances, and with several runtimes on one log.

using namespace ledger_history;
using annals::append_operation;

namespace {

constexpr std::uint32_t seeds = 400;

annals::engine_limits small() {
    annals::engine_limits limits;
    limits.idle_timeout = std::chrono::milliseconds(50);
    limits.page_events = 7;
    limits.split_reads_from = 4;
    limits.conflict_retries = 3;
    return limits;
}

/// Which troubles the journal has; by the bits of a seed, so that each occurs with and without the others.
void trouble(world& w, std::uint32_t kinds) {
    if ((kinds & 1U) != 0)
        w.journal->refuse_by([&w](const append_operation& operation) {
            return !operation.commits().empty() && w.below(10) == 0;
        });
    if ((kinds & 34U) != 0)
        w.journal->fail_by([&w, kinds](const annals::commit&) -> std::optional<annals::error> {
            if ((kinds & 32U) != 0 && w.below(8) == 0)
                return annals::error{errc::too_large, "simulated"};
            if ((kinds & 2U) != 0 && w.below(2) == 0)
                return annals::error{errc::version_conflict, "simulated", 0};
            return std::nullopt;
        });
    if ((kinds & 12U) != 0)
        w.journal->fail_batches_by(
            [&w, kinds]() -> std::optional<simulation::stepped_journal::batch_fault> {
                if (w.below(12) != 0)
                    return std::nullopt;
                if ((kinds & 8U) == 0 || ((kinds & 4U) != 0 && w.below(2) == 0))
                    return {{{errc::disk_full, "simulated"}, false}};
                return {{{errc::outcome_unknown, "simulated"}, w.below(2) == 0}};
            });
    w.most_in_batch = (kinds & 16U) != 0 ? 40 : 4;
}

void calm(world& w) {
    w.journal->refuse_by({});
    w.journal->fail_by({});
    w.journal->fail_batches_by({});
}

/// Everything happens but writing; then these operations become one batch.
void write_in_one_batch(world& w, std::size_t operations) {
    w.journal_waits = true;
    w.run_until_quiet();
    REQUIRE(w.journal->queued() == operations);
    w.journal->write_batch(operations);
    w.journal_waits = false;
}

uuid command(const std::string& name) {
    return uuid::of_name(name);
}

} // namespace

TEST_CASE("every answer is true beside refusals, failed batches and conflicts") {
    std::map<errc, std::size_t> seen;
    std::size_t already = 0;
    for (std::uint32_t seed = 1; seed <= 2 * seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<ledger>}, simulation::disk::at_once, small_log());
        trouble(w, seed);
        history h({&w});
        for (int i = 0; i < 50; ++i) {
            h.send_anything(w);
            w.step_some(w.below(2) == 0 ? 4 : 20);
            if (w.below(10) == 0)
                w.pass(std::chrono::milliseconds(w.below(100)));
        }
        w.run_until_quiet();
        REQUIRE(w.engine().drained());
        h.check_against(w.journal->stored());
        for (const auto code : {errc::overloaded, errc::disk_full, errc::outcome_unknown,
                                errc::version_conflict, errc::predecessor_failed, errc::too_large,
                                errc::handler_failed, errc::invalid_argument})
            seen[code] += h.count(code);
        already += h.count(annals::receipt::kind::already_stored);
        calm(w); // it goes on from what is stored
        h.send(0, "0", command("last"), 0, 1);
        w.run_until_quiet();
        REQUIRE(h.all().back().is(annals::receipt::kind::stored));
        h.check_against(w.journal->stored());
    }
    for (const auto& [code, times] : seen) {
        INFO(annals::to_string(code));
        CHECK(times > seeds / 8);
    }
    CHECK(already > seeds);
}

TEST_CASE("two runtimes on one log with the same commands tell nothing that is not in it") {
    std::size_t already = 0;
    for (std::uint32_t seed = 1; seed <= 2 * seeds; ++seed) {
        INFO("seed " << seed);
        const auto log = small_log();
        auto limits = small();
        limits.conflict_retries = seed % 2 == 0 ? 3 : 1'000;
        world a(seed, limits, {annals::host<ledger>}, simulation::disk::at_once, log);
        world b(~seed, limits, {annals::host<ledger>}, simulation::disk::at_once, log);
        b.clock->advance(std::chrono::milliseconds(a.below(2))); // mostly they decide at one time
        trouble(a, seed / 2);
        trouble(b, seed / 4);
        history h({&a, &b});
        for (int i = 0; i < 50; ++i) {
            h.send_anything(a);
            for (std::size_t n = a.below(20); n > 0; --n)
                (void)(a.below(2) == 0 ? a : b).step();
        }
        for (bool moved = true; moved;) {
            const bool by_a = a.step();
            moved = b.step() || by_a;
        }
        h.check_against(*log);
        already += h.count(annals::receipt::kind::already_stored);
        calm(a);
        calm(b);
        for (std::size_t i = 0; i != 2; ++i) {
            h.send(i, "0", command("last of " + std::to_string(i)), 0, 1);
            for (bool moved = true; moved;) {
                const bool by_a = a.step();
                moved = b.step() || by_a;
            }
            REQUIRE(h.all().back().is(annals::receipt::kind::stored));
        }
        h.check_against(*log);
    }
    CHECK(already > seeds);
}

TEST_CASE("a repeat is judged by its first, and a refusal by what it was decided on") {
    world w(1, small(), {annals::host<ledger>}, simulation::disk::at_once, small_log());
    w.most_in_batch = 10;
    w.journal->fail_by([](const annals::commit& one) -> std::optional<annals::error> {
        if (one.about->command_id != command("refused"))
            return std::nullopt;
        return annals::error{errc::too_large, "simulated"};
    });
    history h({&w});
    h.send(0, "0", command("first"), 0, 5);
    h.send(0, "0", command("first"), 0, 5);
    h.send(0, "0", command("look"), 2, 0);
    h.send(0, "0", command("too much"), 1, 9);
    h.send(0, "0", command("refused"), 0, 1);
    h.send(0, "0", command("on top"), 0, 1);
    write_in_one_batch(w, 6);
    w.run_until_quiet();
    CHECK(h.all()[0].is(annals::receipt::kind::stored));
    CHECK(h.all()[1].is(annals::receipt::kind::already_stored));
    CHECK(h.all()[2].is(annals::receipt::kind::nothing_to_do));
    CHECK(h.all()[3].answer.get().is_rejected());
    CHECK(h.all()[4].failed_with(errc::too_large));
    CHECK(h.all()[5].failed_with(errc::predecessor_failed));
    h.check_against(w.journal->stored());
}

TEST_CASE("a repeat of what ended unknown is unknown, and of what is stored is not") {
    for (const bool stored : {true, false}) {
        world w(1, small(), {annals::host<ledger>}, simulation::disk::at_once, small_log());
        history h({&w});
        h.send(0, "0", command("before"), 0, 5);
        write_in_one_batch(w, 1);
        w.run_until_quiet();
        w.journal->fail_batches_by(
            [&]() -> std::optional<simulation::stepped_journal::batch_fault> {
                return {{{errc::outcome_unknown, "simulated"}, stored}};
            });
        h.send(0, "0", command("unknown"), 0, 3);
        h.send(0, "0", command("unknown"), 0, 3);
        h.send(0, "0", command("before"), 0, 5);
        h.send(0, "0", command("look"), 2, 0);
        write_in_one_batch(w, 3);
        w.journal->fail_batches_by({});
        w.run_until_quiet();
        CHECK(h.all()[0].is(annals::receipt::kind::stored));
        CHECK(h.all()[1].failed_with(errc::outcome_unknown));
        CHECK(h.all()[2].failed_with(errc::outcome_unknown));
        CHECK(h.all()[3].is(annals::receipt::kind::already_stored));
        CHECK(h.all()[4].failed_with(errc::predecessor_failed));
        h.send(0, "0", command("unknown"), 0, 3);
        w.run_until_quiet();
        CHECK(h.all()[5].is(stored ? annals::receipt::kind::already_stored
                                   : annals::receipt::kind::stored));
        h.check_against(w.journal->stored());
    }
}

TEST_CASE("what was accepted before a refusal is stored, wherever the refusal comes") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        world w(seed, small(), {annals::host<ledger>}, simulation::disk::at_once, small_log());
        w.most_in_batch = 40;
        std::size_t accepted = 0;
        w.journal->refuse_by([&](const append_operation& operation) {
            if (operation.commits().empty())
                return false;
            const bool refused = w.journal->queued() >= 3; // as much as the queue takes
            accepted += !refused;
            return refused;
        });
        history h({&w});
        for (int i = 0; i < 40; ++i)
            h.send(0, "0", command(std::to_string(i)), 0, 1);
        w.run_until_quiet();
        h.check_against(w.journal->stored());
        // Refused is only what was decided before the refusal was known.
        REQUIRE(h.count(annals::receipt::kind::stored) == accepted);
        REQUIRE(h.count(errc::predecessor_failed) == 0);
        REQUIRE(h.count(annals::receipt::kind::stored) + h.count(errc::overloaded) == 40);
        REQUIRE(accepted >= 28);
    }
}

TEST_CASE("nothing is stored on top of a command that too many conflicts have failed") {
    std::size_t exhausted = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        auto limits = small();
        limits.conflict_retries = 1;
        world w(seed, limits, {annals::host<ledger>}, simulation::disk::at_once, small_log());
        w.journal->fail_by([&w](const annals::commit&) -> std::optional<annals::error> {
            if (w.below(2) == 0)
                return std::nullopt;
            return annals::error{errc::version_conflict, "simulated", 0};
        });
        history h({&w});
        for (int i = 0; i < 30; ++i) {
            h.send(0, "0", command(std::to_string(i)), 0, 1 + static_cast<int>(w.below(20)));
            w.step_some(5);
        }
        w.run_until_quiet();
        h.check_against(w.journal->stored());
        exhausted += h.count(errc::version_conflict);
    }
    CHECK(exhausted > seeds);
}
