#include "stored_process.hpp"

#include "stored_fold.hpp"
#include "stored_queries.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>

/// Where events become rows: what is stored after each step, and what another process finds.

namespace annals::test {

namespace {

std::shared_ptr<projection_store> disk() {
    return make_memory_projection_store();
}

payments good_payments(std::size_t count) {
    payments log;
    for (std::size_t i = 1; i <= count; ++i)
        log.push_back({i * 2, i % 3 == 0 ? "anna" : "bert", static_cast<std::int64_t>(i)});
    return log;
}

payments any_payments(std::mt19937_64& chance) {
    payments log;
    log_position at = 0;
    for (auto left = 5 + chance() % 40; left > 0; --left) {
        at += 1 + chance() % 3;
        const bool bad = chance() % 8 == 0;
        log.push_back({at, std::string(1, static_cast<char>('a' + chance() % 4)),
                       bad ? -1 : static_cast<std::int64_t>(chance() % 100)});
        if (!bad && chance() % 10 == 0)
            around().fails_at.insert(at);
    }
    return log;
}

/// The rows are what the checkpoint says, and what was reported is stored.
void check_rows(const stored_process& process, const payments& log) {
    const auto done = process.checkpoint().done;
    if (!(process.on_disk() == books_after(log, done)))
        FAIL("the rows are not those of position " << done);
    if (process.ahead_of_notes)
        FAIL("position " << done << " may be told and was not noted");
    if (process.position() > done)
        for (const auto& one : log)
            if (one.position > done && one.position <= process.position() &&
                !process.given_up.contains(one.position))
                FAIL("position " << one.position << " was reported and is not stored");
}

} // namespace

/// Apart from the number of transactions that it took.
static checkpoint_record progress_of(const stored_process& process) {
    checkpoint_record at = process.checkpoint();
    at.changes = 0;
    return at;
}

TEST_CASE("rows and checkpoint are stored together, and reported when they are") {
    const auto log = good_payments(3);
    stored_process process(disk(), log);
    process.start();
    REQUIRE(process.reports.empty());
    REQUIRE(process.checkpoint().done == 0);
    process.write();
    REQUIRE(process.on_disk() == books_after(log, 8));
    REQUIRE(progress_of(process) == checkpoint_record{8, 0, 3, 0});
    REQUIRE(process.reports.empty());
    process.tell();
    REQUIRE(process.reports.size() == 1);
    CHECK(process.reports[0].done == 8);
    CHECK(process.reports[0].events == 3);
    CHECK(process.reports[0].finished);
    CHECK_FALSE(process.reports[0].why);
}

TEST_CASE("while one slice is stored the next one is folded over it") {
    const auto log = good_payments(6);
    stored_process process(disk(), log);
    process.start();
    REQUIRE(process.store->waiting() == 1);
    REQUIRE(process.thread->waiting() == 0); // both are folded, the second waits for the first
    process.write();
    process.tell();
    REQUIRE(process.store->waiting() == 1);
    process.write();
    process.tell();
    REQUIRE(process.on_disk() == books_after(log, 12));
    REQUIRE(process.checkpoint().events == 6);
    REQUIRE(process.store->written() == 2);
}

TEST_CASE("each event takes effect exactly once, wherever the process dies") {
    const auto log = good_payments(20);
    bool died = true;
    std::size_t steps = 0;
    for (; died; ++steps) {
        INFO("dies behind step " << steps);
        const auto on = disk();
        {
            stored_process process(on, log);
            for (std::size_t i = 0; i != steps; ++i)
                died = process.step([](std::size_t n) { return n - 1; });
            died = died || steps == 0;
            process.die();
        }
        stored_process process(on, log);
        check_rows(process, log);
        process.run_until_quiet();
        REQUIRE(process.on_disk() == books_after(log, 42));
        REQUIRE(progress_of(process) == checkpoint_record{42, 0, 20, 0});
    }
    REQUIRE(steps > 15);
}

TEST_CASE("whatever happens in which order, the rows are those of the checkpoint") {
    const auto seed = random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    for (int round = 0; round < 400; ++round) {
        INFO("round " << round);
        around().fails_at.clear();
        const auto log = any_payments(chance);
        const auto on = disk();
        const bool same_sink = chance() % 2 == 0;
        const auto faults = chance() % 3;
        for (bool done = false; !done;) {
            stored_process process(on, log, [&] { return 1 + chance() % 9; });
            process.same_sink_when_lost = same_sink;
            process.fault = [&]() -> std::optional<error> {
                if (faults > 0 && chance() % (faults * 8) == 0)
                    return error{errc::disk_full, "no room"};
                return std::nullopt;
            };
            const auto lives = chance() % 120;
            done = chance() % 3 == 0;
            for (std::size_t i = 0; done || i < lives; ++i) {
                if (!process.step([&](std::size_t n) { return chance() % n; })) {
                    done = true;
                    break;
                }
                check_rows(process, log);
            }
            process.die();
        }
        const auto end = log.back().position + 2;
        if (!(books_on(*on, stored_process::space) == books_after(log, end)))
            FAIL("the rows are not those of the log");
    }
    around().fails_at.clear();
}

TEST_CASE("an event that fails leaves nothing behind, and what came before it is stored") {
    payments log = good_payments(3);
    log[2].amount = -1;
    stored_process process(disk(), log);
    process.start();
    process.write();
    process.tell();
    REQUIRE(process.reports.size() == 1);
    const auto& report = process.reports[0];
    REQUIRE(report.why);
    CHECK(report.why->code == errc::handler_failed);
    CHECK(report.why->actual == 6);
    CHECK(report.next == 2);
    CHECK(report.done == 5);
    CHECK(report.events == 2);
    CHECK_FALSE(report.lost);
    CHECK_FALSE(report.finished);
    CHECK(process.checkpoint().done == 5);
    CHECK(process.on_disk() == books_after(log, 5));
    CHECK_FALSE(process.on_disk().balances.contains("anna"));
    process.run_until_quiet(); // tried again, then given up
    CHECK(process.given_up == std::set<log_position>{6});
    CHECK(process.position() == 8);
}

TEST_CASE("when the store fails, nothing that rests on it is stored") {
    const auto log = good_payments(9);
    for (const bool same_sink : {false, true}) {
        stored_process process(disk(), log);
        process.same_sink_when_lost = same_sink;
        process.start();
        process.store->write_one(error{errc::disk_full, "no room"});
        process.tell();
        REQUIRE(process.reports.size() == 1);
        CHECK(process.reports[0].lost);
        CHECK(process.reports[0].why->code == errc::disk_full);
        REQUIRE(process.store->waiting() == 0); // the second slice went with the first
        process.run_until_quiet();
        CHECK(process.on_disk() == books_after(log, 20));
        CHECK(process.checkpoint().events == 9);
    }
}

TEST_CASE("a part whose predecessor is not stored while it is folded is not stored either") {
    const auto log = good_payments(6);
    stored_process process(disk(), log);
    around().during = [&](log_position at) {
        if (at == 10) { // the fifth event, in the second slice
            process.store->write_one(error{errc::disk_full, "no room"});
            process.tell();
        }
    };
    process.start();
    around().during = [](log_position) {};
    CHECK(process.reports.size() == 1);
    CHECK(process.reports[0].lost);
    CHECK(process.store->waiting() == 0);
    process.run_until_quiet();
    CHECK(process.on_disk() == books_after(log, 14));
    CHECK(process.checkpoint().events == 6);
}

TEST_CASE("what an earlier sink had on its way is not counted twice") {
    const auto log = good_payments(9);
    const auto on = disk();
    stored_process first(on, log);
    first.start(); // its change is on its way to the store
    first.sink.reset();
    stored_process second(
        on, log, [] { return std::size_t{2}; }, first.store);
    second.run_until_quiet();
    CHECK(first.reports.empty());
    CHECK(second.on_disk() == books_after(log, 20));
    CHECK(second.checkpoint().events == 9);
}

TEST_CASE("an epoch that begins while a part is stored leaves out what that part did") {
    const auto log = good_payments(6);
    stored_process process(disk(), log);
    process.start();
    for (const log_position after : {log_position{0}, log_position{4}}) {
        slice made;
        made.epoch = 2;
        made.events = page_of(log, after, 2, 12);
        process.sink->take(std::move(made));
    }
    process.work();
    process.run_until_quiet();
    CHECK(process.on_disk() == books_after(log, 14));
    CHECK(progress_of(process) == checkpoint_record{14, 0, 6, 0});
    CHECK(process.reports.back().epoch == 2);
    CHECK(process.reports.back().finished);
}

TEST_CASE("stretches without an event cost a transaction only when they are long") {
    const payments nothing_yet;
    stored_process process(disk(), nothing_yet);
    const auto take = [&](log_position through) {
        slice made;
        made.epoch = 1;
        made.events = page_of(nothing_yet, 0, 1, through);
        process.sink->take(std::move(made));
        process.start();
    };
    take(1'000);
    REQUIRE(process.store->waiting() == 0);
    REQUIRE(process.reports.back().done == 1'000);
    REQUIRE(process.reports.back().finished);
    take(1'000 + stored_fold::lazy_positions);
    REQUIRE(process.store->waiting() == 1);
    process.write();
    CHECK(process.checkpoint().done == 1'000 + stored_fold::lazy_positions);
}

TEST_CASE("an event that had been set aside takes effect behind the others, and leaves the list") {
    payments log = good_payments(4);
    const auto on = disk();
    const auto good = log[0].amount;
    log[0].amount = -1;
    stored_process process(on, log);
    process.run_until_quiet();
    REQUIRE(process.given_up == std::set<log_position>{2});
    row_changes listed;
    set_aside_event event;
    event.position = 2;
    catalog::put_set_aside(listed, "bank", event);
    REQUIRE(apply_and_wait(*on, std::move(listed)));
    const auto before = process.checkpoint();

    const auto replay = [&](std::int64_t amount, std::uint64_t epoch) {
        slice made;
        made.epoch = epoch;
        made.events = page_of({{2, log[0].account, amount}}, 0, 1, 2);
        made.replayed = 2;
        process.sink->take(std::move(made));
        process.run_until_quiet();
    };
    replay(-1, 10);
    CHECK(process.reports.back().why);
    CHECK(catalog::set_aside_positions(**on->snapshot(), "bank")->size() == 1);
    CHECK(process.checkpoint() == before);

    replay(good, 11);
    CHECK(process.reports.back().finished);
    CHECK_FALSE(process.reports.back().why);
    CHECK(catalog::set_aside_positions(**on->snapshot(), "bank")->empty());
    CHECK(process.checkpoint().done == before.done);
    CHECK(process.checkpoint().events == before.events + 1);
    CHECK(process.on_disk().balances.at(log[0].account) ==
          books_after(log, 100).balances.at(log[0].account) + good);
}

TEST_CASE("after stop nothing is folded, stored or reported") {
    const auto log = good_payments(9);
    stored_process process(disk(), log);
    SECTION("before it has begun") {
        process.sink->stop();
    }
    SECTION("between two events") {
        log_position last = 0;
        around().during = [&](log_position at) {
            last = at;
            if (at == 4)
                process.sink->stop();
        };
        process.start();
        around().during = [](log_position) {};
        CHECK(last == 4);
    }
    SECTION("while a part is stored") {
        process.start();
        process.sink->stop();
        process.write();
        process.tell();
        CHECK(process.on_disk() == books_after(log, process.checkpoint().done));
    }
    const auto done = process.checkpoint().done;
    process.run_until_quiet();
    CHECK(process.reports.empty());
    CHECK(process.checkpoint().done == done);
    CHECK(process.store->waiting() == 0);
}

TEST_CASE("a slice that changes much is stored in parts, between events") {
    payments log;
    const std::string account(100, 'a');
    for (log_position i = 1; i <= 100'000; ++i)
        log.push_back({i, account + std::to_string(i), 1});
    stored_process large(disk(), log, [] { return std::size_t{100'000}; });
    large.run_until_quiet();
    CHECK(large.checkpoint().events == 100'000);
    CHECK(large.on_disk().balances.size() == 100'000);
    const auto unfinished =
        std::ranges::count_if(large.reports, [](const sink_report& one) { return !one.finished; });
    CHECK(unfinished >= 2);
}

TEST_CASE("a slice that comes again is folded from where the checkpoint stands within it") {
    const auto log = good_payments(6);
    const payments beginning(log.begin(), log.begin() + 3);
    const auto on = disk();
    stored_process died(on, beginning);
    died.run_until_quiet();
    checkpoint_record reached = died.checkpoint();
    reached.done = beginning.back().position;
    row_changes changes;
    catalog::put_checkpoint(changes, stored_process::space, reached);
    REQUIRE(apply_and_wait(*on, std::move(changes)));

    stored_process next(on, log);
    slice whole;
    whole.epoch = 2;
    whole.events = page_of(log, 0, log.size(), log.back().position);
    next.sink->take(std::move(whole));
    next.work();
    next.run_until_quiet();
    CHECK(next.on_disk() == books_after(log, log.back().position));
}

TEST_CASE("an answer is from one snapshot, at the position of its checkpoint") {
    const auto log = good_payments(6);
    const auto on = disk();
    stored_process process(on, log);
    std::atomic<row_space> serving{stored_process::space};
    row_progress known;
    const stored_answers answers(on, bank_type(), serving, known);
    const auto ask = [&] {
        std::pair<std::int64_t, log_position> came;
        const auto done = answers.answer([&](const void* state, const stored_answers::place& at) {
            came = {answer(*static_cast<const bank*>(state), balance_of{"bert"}), at.position};
        });
        if (!done)
            FAIL(done.error().message);
        return came;
    };
    CHECK(ask() == std::pair<std::int64_t, log_position>(0, 0));
    process.run_until_quiet();
    CHECK(ask() == std::pair<std::int64_t, log_position>(12, process.checkpoint().done));
    known.reached(stored_process::space, 90);
    CHECK(ask().second == 90); // nothing followed that the view wants

    // Generations change places; nobody has told the one that answers.
    row_changes swap;
    projection_record record;
    record.serving.space = stored_process::space + 1;
    catalog::put(swap, "bank", record);
    catalog::put_checkpoint(swap, record.serving.space, {.done = 33});
    generation_record old;
    old.space = stored_process::space;
    catalog::drop(swap, old);
    REQUIRE(apply_and_wait(*on, std::move(swap)));
    CHECK(ask() == std::pair<std::int64_t, log_position>(0, 33)); // what is known is of other rows
    known.reached(record.serving.space, 91);
    CHECK(ask() == std::pair<std::int64_t, log_position>(0, 91));

    on->close();
    const auto refused = answers.answer([](const void*, const stored_answers::place&) {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::closed);
}

} // namespace annals::test
