#include "figures.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"
#include "timing.hpp"

namespace bench {

figure raw_log_append(const setting& how) {
    raw_limit by_1000(how);
    raw_limit by_4000(how);
    for (int round = 0; round != 3; ++round) {
        by_1000.sample();
        by_4000.sample(4'000);
    }
    figure made{.name = "raw_log_append", .unit = "events/s"};
    made.value = by_1000.events_per_second();
    made.notes = text("LMDB alone, 1 thread, durable, MDB_APPEND, 120 bytes, 1,000 events for each "
                      "commit, ",
                      grouped(how.pick(1'000'000, 4'000)),
                      " events into an empty store, median of 3; with 4,000 for each commit ",
                      grouped(by_4000.events_per_second()), "/s");
    return made;
}

figure raw_commit_latency(const setting& how) {
    const scratch place(how.directory, "raw");
    raw_store store(place.path());
    store.append(how.pick(100'000, 1'000), 1'000);
    latencies commits;
    const std::size_t count = how.pick(4'000, 50);
    const stopwatch since;
    for (std::size_t i = 0; i != count; ++i)
        commits.time([&] { store.append(1, 1); });
    figure made{.name = "raw_commit_latency", .unit = "commits/s"};
    made.value = since.rate(count);
    made.p50_us = commits.percentile_us(0.5);
    made.p99_us = commits.percentile_us(0.99);
    made.notes = "LMDB alone, 1 thread, durable, MDB_APPEND, 120 bytes, one event for each commit";
    return made;
}

} // namespace bench
