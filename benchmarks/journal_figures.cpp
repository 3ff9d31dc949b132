#include "figures.hpp"
#include "journal_load.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"

#include <annals/lmdb_journal.hpp>

#include <random>

namespace bench {

figure journal_append(const setting& how) {
    constexpr std::size_t fifths = 5;
    constexpr std::size_t in_flight = 8;
    const std::size_t accounts = how.pick(1'000'000, 1'000);
    const std::size_t events = how.pick(5'000'000, 20'000);
    figure made{.name = "journal_append", .unit = "events/s", .baseline = "raw_log_append"};

    raw_limit limit(how);
    limit.sample();
    const scratch place(how.directory, "journal");
    std::vector<double> rates;
    stopwatch since;
    {
        const auto journal = annals::open_lmdb_journal(place.path()).value();
        journal_load load(*journal, accounts, in_flight);
        std::mt19937_64 chance(17);
        since = {};
        for (std::size_t i = 0; i != fifths; ++i) {
            const stopwatch fifth;
            load.run(events / fifths, [&](std::size_t) { return chance() % accounts; });
            rates.push_back(fifth.rate(events / fifths));
        }
        made.value = since.rate(events);
        journal->close();
    }
    limit.sample();
    limit.sample();
    made.baseline_value = limit.events_per_second();

    const double last_to_first = rates.back() / rates.front();
    made.goals = {how.at_least(">= 0.40 of raw_log_append", *made.ratio(), 0.40),
                  how.at_least("last fifth >= 0.75 of the first", last_to_first, 0.75)};
    made.notes =
        text("journal API, default options, durable, 1 appending thread beside the journal's "
             "writer, operations of 1,000 one-event commits at exact versions, ",
             in_flight, " operations in flight, ", grouped(events), " events over ",
             grouped(accounts), " random streams; fifths ", grouped(rates[0]), ", ",
             grouped(rates[1]), ", ", grouped(rates[2]), ", ", grouped(rates[3]), ", ",
             grouped(rates[4]), " (last/first ", two_digits(last_to_first), "); the store holds ",
             grouped(static_cast<double>(place.bytes_on_disk()) / static_cast<double>(events)),
             " bytes for each event; raw before once, after twice");
    return made;
}

} // namespace bench
