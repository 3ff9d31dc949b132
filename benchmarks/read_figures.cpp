#include "account.hpp"
#include "answering_thread.hpp"
#include "command_load.hpp"
#include "figures.hpp"
#include "journal_load.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"

#include <annals/lmdb_journal.hpp>
#include <annals/runtime.hpp>

#include <atomic>
#include <random>
#include <shared_mutex>
#include <thread>

namespace bench {

figure rehydrate_100(const setting& how) {
    constexpr std::size_t events_each = 100;
    const std::size_t accounts = how.pick(10'000, 100);
    const std::size_t events = accounts * events_each;
    const scratch raw_place(how.directory, "raw");
    const scratch place(how.directory, "rehydrate");
    raw_store raw(raw_place.path());
    raw.append(events, 1'000);
    make_store(place.path(), accounts, events);
    auto rt = annals::runtime::open(place.path(), annals::host<account>).value();

    auto ids = account_ids(accounts);
    std::shuffle(ids.begin(), ids.end(), std::mt19937_64(17));
    const std::size_t blocks = how.pick(20, 2);
    const std::size_t block = how.pick(100, 20);
    latencies alone;
    latencies through;
    std::uint64_t seen = 0;
    for (std::size_t b = 0; b != blocks; ++b) {
        for (std::size_t i = 0; i != block; ++i) {
            std::vector<std::uint64_t> positions;
            for (std::size_t e = 0; e != events_each; ++e)
                positions.push_back(e * accounts + std::stoull(ids[b * block + i]) + 1);
            alone.time([&] { seen += raw.get(positions); });
        }
        command_load one_by_one(rt, 1);
        for (std::size_t i = 0; i != block; ++i) {
            one_by_one.send(ids[b * block + i], touch{});
            one_by_one.harvest_all();
        }
        through.add(one_by_one.times());
    }
    figure made{.name = "rehydrate_100",
                .unit = "us (p50)",
                .baseline = "LMDB alone, 100 gets of the same events, p50 us"};
    made.p50_us = made.value = through.percentile_us(0.5);
    made.p99_us = through.percentile_us(0.99);
    made.baseline_value = alone.percentile_us(0.5);
    made.goals = {how.at_most("p50 <= 120 us", *made.value, 120)};
    made.notes = text("runtime, default configuration, first command (it decides nothing) to an "
                      "account that is not in memory, one in flight, ",
                      events_each, " events each, spread evenly over a log of ", grouped(events),
                      "; the file is in the page cache", seen == 0 ? ", empty" : "");
    return made;
}

figure query_latency(const setting& how) {
    const std::size_t count = how.pick(50'000, 200);
    const scratch place(how.directory, "query");
    auto rt =
        annals::runtime::open(place.path(), annals::host<account>, annals::host<turnover>).value();
    const auto written = rt.send("1", a_payment()).get().value();
    (void)rt.ask(total_received{}, annals::after(written)).get().value();

    answering_thread plain;
    latencies alone;
    latencies through;
    latencies rested;
    for (int block = 0; block != 10; ++block) {
        for (std::size_t i = 0; i != count / 10; ++i)
            alone.time([&] { plain.ask(); });
        for (std::size_t i = 0; i != count / 10; ++i)
            through.time([&] { (void)rt.ask(total_received{}).get().value(); });
    }
    for (std::size_t i = 0; i != count / 100; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        rested.time([&] { (void)rt.ask(total_received{}).get().value(); });
    }
    figure made{.name = "query_latency",
                .unit = "us (p50)",
                .baseline = "std::promise answered by another thread, p50 us"};
    made.p50_us = made.value = through.percentile_us(0.5);
    made.p99_us = through.percentile_us(0.99);
    made.baseline_value = alone.percentile_us(0.5);
    made.goals = {how.at_most("p50 <= 10 us", *made.value, 10)};
    made.notes = text("runtime, default configuration, ask and get from 1 host thread, one query "
                      "in flight, live idle view, ",
                      grouped(count), " queries; when each follows 1 ms of rest: p50 ",
                      two_digits(rested.percentile_us(0.5)), " us");
    return made;
}

figure view_read(const setting& how) {
    constexpr std::size_t reads_in_one = 32; // a clock's reading takes as long as a view's
    const std::size_t samples = how.pick(200'000, 1'000);
    const scratch place(how.directory, "view_read");
    auto rt =
        annals::runtime::open(place.path(), annals::host<account>, annals::host_published<turnover>)
            .value();
    auto reader = rt.reader<turnover>().value();
    std::atomic<bool> over{false};
    std::thread storm([&] { // versions change while they are read
        const auto ids = account_ids(100);
        command_load load(rt, 64);
        for (std::size_t i = 0; !over.load(); ++i)
            load.send(ids[i % ids.size()], a_payment());
        load.harvest_all();
    });
    std::shared_mutex mutex;
    turnover guarded;
    latencies through;
    latencies alone;
    std::int64_t seen = 0;
    for (std::size_t i = 0; i != samples; ++i) {
        through.time([&] {
            for (std::size_t n = 0; n != reads_in_one; ++n)
                seen += reader.read()->payments;
        });
        alone.time([&] {
            for (std::size_t n = 0; n != reads_in_one; ++n) {
                const std::shared_lock lock(mutex);
                seen += guarded.payments;
            }
        });
    }
    over.store(true);
    storm.join();
    const auto versions = reader.read().position();
    figure made{.name = "view_read",
                .unit = "ns (p50)",
                .baseline = "a value under a std::shared_mutex that nobody writes, p50 ns"};
    made.value = through.percentile_us(0.5) * 1'000 / reads_in_one;
    made.baseline_value = alone.percentile_us(0.5) * 1'000 / reads_in_one;
    made.goals = {how.at_most("p50 <= 150 ns", *made.value, 150)};
    made.notes = text("published version read from 1 host thread while commands change the view (",
                      grouped(versions), " events meanwhile); ", grouped(samples), " samples of ",
                      reads_in_one, " reads; p99 ",
                      two_digits(through.percentile_us(0.99) * 1'000 / reads_in_one), " ns",
                      seen == -1 ? ", empty" : "");
    return made;
}

namespace {

/// The journal's own way through the whole log, with the runtime's page size.
double read_all_rate(const std::filesystem::path& directory) {
    const auto journal = annals::open_lmdb_journal(directory).value();
    const stopwatch since;
    std::size_t events = 0;
    for (annals::log_position after = 0; after != journal->head();) {
        const auto page = journal->read_all(after, annals::engine_limits{}.page_events).value();
        events += page.events.size();
        after = page.through;
    }
    const double rate = since.rate(events);
    journal->close();
    return rate;
}

} // namespace

figure catch_up(const setting& how) {
    const std::size_t events = how.pick(2'000'000, 10'000);
    const scratch raw_place(how.directory, "raw");
    const scratch place(how.directory, "catch_up");
    raw_store raw(raw_place.path());
    raw.append(events, 4'000);
    make_store(place.path(), how.pick(100'000, 100), events);

    std::vector<double> rates;
    std::vector<double> plain;
    std::vector<double> scans;
    std::vector<double> openings;
    std::uint64_t seen = 0;
    for (int round = 0; round != 3; ++round) {
        const stopwatch scanning;
        seen += raw.scan();
        scans.push_back(scanning.rate(events));
        plain.push_back(read_all_rate(place.path()));

        const stopwatch since;
        auto rt = annals::runtime::open(place.path(), annals::host<turnover>).value();
        openings.push_back(since.seconds());
        const auto all =
            rt.ask(total_received{}, {events, std::chrono::minutes(5), {}}).get().value();
        rates.push_back(since.rate(events));
        if (static_cast<std::size_t>(all.payments) != events)
            throw std::runtime_error("the view did not see every event");
    }
    figure made{
        .name = "catch_up", .unit = "events/s", .baseline = "journal read_all of the same store"};
    made.value = median(rates);
    made.baseline_value = median(plain);
    made.goals = {how.at_least(">= 2,000,000/s", *made.value, 2'000'000)};
    made.notes = text("runtime, default configuration, one view that decodes and folds each of ",
                      grouped(events), " events; from opening the store (which took ",
                      two_digits(median(openings) * 1'000),
                      " ms) until a query at the head is answered; median of 3; the file is in "
                      "the page cache; LMDB alone scans ",
                      grouped(median(scans)), " events/s", seen == 0 ? ", empty" : "");
    return made;
}

} // namespace bench
