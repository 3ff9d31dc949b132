#include "account.hpp"
#include "figures.hpp"
#include "journal_load.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"

#include <annals/reaction.hpp>
#include <annals/runtime.hpp>

#include <stdexcept>

namespace bench {

namespace {

/// What the reaction asks for: an entry in a book for each payment.
struct book_payment {
    std::int64_t amount = 0;
};
struct payment_booked {
    std::int64_t amount = 0;
    ANNALS_EVENT(payment_booked, "book.payment_booked", amount)
};
struct book {
    static constexpr std::string_view name = "book";
    using command = std::variant<book_payment>;
    using event = std::variant<payment_booked>;
    using decision = annals::decision<event>;
    std::int64_t amount = 0;
};
book::decision decide(const book&, const book_payment& command) {
    return payment_booked{command.amount};
}
void evolve(book& to, const payment_booked& e) {
    to.amount += e.amount;
}

/// One command for each event.
struct booking {
    static constexpr std::string_view name = "booking";
    using event = std::variant<payment_received>;
};
annals::future<annals::receipt> react(booking&, const payment_received& e,
                                      const annals::delivery& about) {
    return about.send(std::string(about.id), book_payment{e.amount});
}

} // namespace

figure reaction_commands(const setting& how) {
    const std::size_t events = how.pick(200'000, 2'000);
    const std::size_t accounts = how.pick(1'000, 50);
    std::vector<double> rates;
    raw_limit limit(how);
    limit.sample();
    for (int round = 0; round != 3; ++round) {
        const scratch place(how.directory, "reaction_commands");
        make_store(place.path(), accounts, events);
        const stopwatch since;
        auto rt = annals::runtime::open(
                      place.path(), annals::host<account>, annals::host<book>,
                      annals::host_reaction(booking{}, annals::reaction_start::beginning))
                      .value();
        (void)rt.projection<booking>().reaches(events, std::chrono::minutes(5)).get().value();
        rates.push_back(since.rate(events));
        if (rt.status().commands_stored != events)
            throw std::runtime_error("the reaction did not send one command for each event");
        limit.sample();
    }
    figure made{.name = "reaction_commands", .unit = "commands/s", .baseline = "raw_log_append"};
    made.value = median(rates);
    made.baseline_value = limit.events_per_second();
    made.goals = {how.at_least(">= 30,000/s", *made.value, 30'000)};
    made.notes =
        text("runtime, default configuration, durable: one reaction that returns the future of one "
             "command for each of ",
             grouped(events), " events of ", grouped(accounts),
             " streams, which were stored before; 256 in flight, one thread, each command "
             "idempotent; from opening until the reaction's checkpoint is behind the last event; "
             "median of 3");
    return made;
}

} // namespace bench
