#include "command_load.hpp"
#include "figures.hpp"
#include "journal_load.hpp"
#include "raw_lmdb.hpp"
#include "sales.hpp"
#include "scratch.hpp"
#include "text.hpp"
#include "timed_journal.hpp"

#include <annals/lmdb_journal.hpp>
#include <annals/runtime.hpp>

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

namespace bench {

namespace {

/// Seconds from opening the store until all of `Views` have folded its `events`.
template <int... Numbers>
double seconds_to_fold(const std::filesystem::path& directory, std::size_t events,
                       std::integer_sequence<int, Numbers...>) {
    const stopwatch since;
    auto rt = annals::runtime::open(directory, annals::host<turnover_copy<Numbers>>...).value();
    const annals::ask_options at_the_end{events, std::chrono::minutes(5), {}};
    const auto wait = [&](auto answer) {
        if (static_cast<std::size_t>(answer.get().value()) != events)
            throw std::runtime_error("a view did not see every event");
    };
    (wait(rt.ask(typename turnover_copy<Numbers>::total{}, at_the_end)), ...);
    return since.seconds();
}

double megabytes_allocated() {
    const struct mallinfo2 now = ::mallinfo2();
    return static_cast<double>(now.uordblks + now.hblkhd) / (1 << 20);
}

} // namespace

figure catch_up_many(const setting& how) {
    const std::size_t events = how.pick(2'000'000, 10'000);
    const scratch place(how.directory, "catch_up_many");
    make_store(place.path(), how.pick(100'000, 100), events);
    std::vector<double> alone;
    std::vector<double> together;
    for (int round = 0; round != 3; ++round) {
        alone.push_back(
            seconds_to_fold(place.path(), events, std::make_integer_sequence<int, 1>()));
        together.push_back(
            seconds_to_fold(place.path(), events, std::make_integer_sequence<int, 4>()));
    }
    const double one = median(alone);
    const double four = median(together);
    figure made{
        .name = "catch_up_many", .unit = "ns/event", .baseline = "one view alone, ns/event"};
    made.value = (four - one) / 3 / static_cast<double>(events) * 1e9;
    made.baseline_value = one / static_cast<double>(events) * 1e9;
    made.goals = {};
    made.notes =
        text("runtime, default configuration: what each further view costs, from four equal "
             "views that fold ",
             grouped(events), " events at once (", two_digits(four), " s) and one alone (",
             two_digits(one), " s); median of 3; the file is in the page cache");
    return made;
}

figure stored_view(const setting& how) {
    const std::size_t events = how.pick(1'000'000, 5'000);
    const std::size_t accounts = how.pick(100'000, 100);
    const std::size_t batch = annals::engine_limits{}.page_events;
    const scratch place(how.directory, "stored_view");
    std::vector<std::size_t> order(events);
    std::mt19937_64 random(17);
    for (auto& each : order)
        each = random() % accounts;
    const auto account_of = [&](std::size_t i) { return order[i]; };
    {
        const auto journal = annals::open_lmdb_journal(place.path()).value();
        journal_load(*journal, accounts, 8).run(events, account_of);
        journal->close();
    }
    std::vector<double> rates;
    std::vector<double> plain;
    for (int round = 0; round != 3; ++round) {
        const scratch raw_place(how.directory, "raw_rows");
        const stopwatch putting;
        put_rows(raw_place.path(), events, account_of, batch);
        plain.push_back(putting.rate(events));

        std::error_code ignored;
        std::filesystem::remove(place.path() / "views.mdb", ignored);
        std::filesystem::remove(place.path() / "views.mdb-lock", ignored);
        const stopwatch since;
        auto rt = annals::runtime::open(place.path(), annals::host<balances_on_disk>).value();
        const auto seen =
            rt.ask(balance_of{"7"}, {events, std::chrono::minutes(5), {}}).get().value();
        rates.push_back(since.rate(events));
        if (seen != std::count(order.begin(), order.end(), 7U))
            throw std::runtime_error("the stored view did not see every event");
    }
    figure made{.name = "stored_view",
                .unit = "updates/s",
                .baseline = "LMDB alone, the same rows put in batches of the same size"};
    made.value = median(rates);
    made.baseline_value = median(plain);
    made.goals = {how.at_least("ratio >= 0.3", made.ratio().value_or(0), 0.3)};
    made.notes = text("runtime, default configuration, a stored view that changes one of ",
                      grouped(accounts), " rows, at random, with each of ", grouped(events),
                      " events, durable, rows and checkpoint in one transaction for each ", batch,
                      " events; decoding included; median of 3");
    return made;
}

figure publish_lag(const setting& how) {
    const std::size_t commands = how.pick(500'000, 2'000);
    constexpr auto burst_time = std::chrono::microseconds(200);
    constexpr std::size_t burst = 10; // every 200 us: 50,000 commands a second
    const scratch place(how.directory, "publish_lag");
    durable_times().assign(commands + 1, {});
    seen_times().assign(commands + 1, {});
    annals::config with;
    with.journal = std::make_shared<timed_journal>(annals::open_lmdb_journal(place.path()).value());
    auto rt =
        annals::runtime::open(std::move(with), annals::host<account>, annals::host<timed_payments>)
            .value();
    const auto ids = account_ids(1'000);
    std::vector<annals::future<annals::receipt>> answers;
    answers.reserve(commands);
    const stopwatch since;
    auto next = steady::now();
    for (std::size_t i = 0; i != commands; ++i) {
        if (i % burst == 0)
            std::this_thread::sleep_until(next += burst_time);
        answers.push_back(rt.send(ids[i % ids.size()], a_payment()));
    }
    for (const auto& each : answers)
        (void)each.get().value();
    const double rate = since.rate(commands);
    (void)rt.ask(payments_seen{}, annals::latest()).get().value();

    latencies lags;
    for (std::size_t i = commands / 10; i <= commands; ++i)
        lags.add(seen_times()[i] - durable_times()[i]);
    figure made{.name = "publish_lag",
                .unit = "us (p50)",
                .baseline = "a sync of one event by LMDB alone, p50 us"};
    made.p50_us = made.value = lags.percentile_us(0.5);
    made.p99_us = lags.percentile_us(0.99);
    made.baseline_value = raw_commit_p50_us(how);
    made.goals = {how.at_most("p50 <= 100 us", *made.value, 100)};
    made.notes =
        text("runtime, default configuration, ", grouped(rate), " commands/s in bursts of ", burst,
             ", 1,000 aggregates; from the moment "
             "the journal says that an event is durable until a view has folded it");
    return made;
}

figure live_query_updates(const setting& how) {
    const std::size_t commands = how.pick(500'000, 2'000);
    const scratch place(how.directory, "live_query");
    auto rt =
        annals::runtime::open(place.path(), annals::host<account>, annals::host<turnover>).value();
    const auto ids = account_ids(1'000);
    std::atomic<std::uint64_t> updates{0};
    std::atomic<std::uint64_t> skipped{0};
    std::atomic<std::int64_t> last{0};
    auto live =
        rt.watch<turnover>(total_received{}, [&](const annals::live_update<turnover>& update) {
            updates.fetch_add(1);
            skipped.fetch_add(update.skipped);
            if (update.answer)
                last.store(update.answer->payments);
        });
    const stopwatch since;
    {
        command_load load(rt, 64);
        for (std::size_t i = 0; i != commands; ++i)
            load.send(ids[i % ids.size()], a_payment());
        load.harvest_all();
    }
    const double seconds = since.seconds();
    while (last.load() != static_cast<std::int64_t>(commands))
        (void)rt.ask(total_received{}, annals::latest()).get().value();
    live.cancel();
    figure made{
        .name = "live_query", .unit = "updates/s", .baseline = "commands/s of the same run"};
    made.value = static_cast<double>(updates.load()) / seconds;
    made.baseline_value = static_cast<double>(commands) / seconds;
    made.notes =
        text("runtime, default configuration, one live query, latest wins, while one thread "
             "sends ",
             grouped(commands),
             " commands with 64 in flight; each slice of events that "
             "the view folds is one change; ",
             grouped(static_cast<double>(skipped.load())),
             " were replaced by later ones before the callback had time");
    return made;
}

figure stopped_projection(const setting& how) {
    const std::size_t events = how.pick(5'000'000, 20'000);
    const scratch place(how.directory, "stopped");
    auto rt = annals::runtime::open(place.path(), annals::host<turnover>).value();
    (void)rt.projection<turnover>().pause().get().value();
    const double before = megabytes_allocated();
    {
        journal_load load(rt.journal(), 1'000, 8);
        load.run(events, [](std::size_t i) { return i % 1'000; });
    }
    const double after = megabytes_allocated();
    const stopwatch since;
    (void)rt.projection<turnover>().resume().get().value();
    double most = after;
    for (;;) {
        const auto seen = rt.ask(total_received{}, {0, {}, {}}).get().value();
        most = std::max(most, megabytes_allocated());
        if (static_cast<std::size_t>(seen.payments) == events)
            break;
    }
    figure made{.name = "stopped_projection", .unit = "MiB", .baseline = "the events' bytes, MiB"};
    made.value = most - before;
    made.baseline_value = static_cast<double>(events) * 120 / (1 << 20);
    made.goals = {how.at_most("<= 64 MiB", *made.value, 64)};
    made.notes =
        text("heap (mallinfo2) that a view holds at most while it is paused for ", grouped(events),
             " events and then catches up in ", two_digits(since.seconds()), " s; ",
             two_digits(after - before), " MiB while it is paused");
    return made;
}

} // namespace bench
