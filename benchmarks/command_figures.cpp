#include "account.hpp"
#include "command_load.hpp"
#include "figures.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"

#include <annals/runtime.hpp>

#include <algorithm>
#include <exception>
#include <future>

namespace bench {

namespace {

constexpr std::size_t window = 8'192;

struct measured {
    double per_second = 0;
    latencies times;
};

/// `count` payments from `threads` threads, thread t to the accounts of `ids` that are t modulo
/// `threads`, in turn.
measured send_payments(annals::runtime& rt, const std::vector<std::string>& ids, std::size_t count,
                       std::size_t threads) {
    const stopwatch since;
    std::vector<std::future<latencies>> senders;
    for (std::size_t t = 0; t != threads; ++t)
        senders.push_back(std::async(std::launch::async, [&, t] {
            command_load load(rt, window / threads);
            std::size_t next = t % ids.size();
            for (std::size_t i = 0; i != count / threads; ++i) {
                load.send(ids[next], a_payment());
                next = (next + threads) % ids.size();
            }
            load.harvest_all();
            return load.times();
        }));
    measured made;
    for (auto& sender : senders)
        made.times.add(sender.get());
    made.per_second = since.rate(count / threads * threads);
    return made;
}

/// What came of one number of sending threads.
struct rush_of {
    std::size_t threads = 1;
    std::vector<double> rates{};
    latencies times{};

    [[nodiscard]] std::string told() const {
        return text(threads, " sending thread", threads == 1 ? "" : "s", " (", grouped(rates[0]),
                    ", ", grouped(rates[1]), ")");
    }
};

/// Commands at a steady rush, between samples of the raw limit: twice from each number of sending
/// threads, in turn. Reports the faster number, and tells of all.
figure rush(const setting& how, std::string name, std::size_t accounts,
            const std::vector<std::size_t>& sender_counts) {
    const std::size_t count = how.pick(1'000'000, 5'000);
    const auto ids = account_ids(accounts);
    const scratch place(how.directory, name);
    auto rt = annals::runtime::open(place.path(), annals::host<account>).value();
    send_payments(rt, ids, accounts, 1); // every account is in memory

    std::vector<rush_of> senders;
    for (const std::size_t threads : sender_counts)
        senders.push_back({.threads = threads});
    raw_limit limit(how);
    limit.sample();
    for (int round = 0; round != 2; ++round)
        for (auto& each : senders) {
            const measured made = send_payments(rt, ids, count, each.threads);
            each.rates.push_back(made.per_second);
            each.times.add(made.times);
            limit.sample();
        }
    std::string senders_told;
    for (const auto& each : senders)
        senders_told.append(senders_told.empty() ? "" : " and ").append(each.told());
    if (senders.size() > 1)
        senders_told.insert(0, "the faster of ");
    const rush_of& faster = *std::ranges::max_element(
        senders, {}, [](const rush_of& each) { return median(each.rates); });

    figure made{.name = std::move(name), .unit = "commands/s", .baseline = "raw_log_append"};
    made.value = median(faster.rates);
    made.baseline_value = limit.events_per_second();
    made.p50_us = faster.times.percentile_us(0.5);
    made.p99_us = faster.times.percentile_us(0.99);
    made.notes =
        text("runtime, default configuration, durable, ", senders_told, ", ", grouped(window),
             " commands in flight, ", grouped(accounts), accounts == 1 ? " account" : " accounts",
             " in memory, twice ", grouped(count),
             " commands; latency from send until the sender, which harvests in order, has the "
             "answer");
    return made;
}

} // namespace

figure commands_many(const setting& how) {
    figure made = rush(how, "commands_many", how.pick(10'000, 100), {1, 2});
    made.goals = {how.at_least(">= 300,000/s", *made.value, 300'000),
                  how.at_least(">= 0.20 of raw_log_append", *made.ratio(), 0.20)};
    return made;
}

figure commands_hot(const setting& how) {
    figure made = rush(how, "commands_hot", 1, {1});
    made.goals = {how.at_least(">= 150,000/s", *made.value, 150'000)};
    return made;
}

figure command_latency(const setting& how) {
    const scratch raw_place(how.directory, "raw");
    const scratch place(how.directory, "command_latency");
    raw_store raw(raw_place.path());
    raw.append(how.pick(100'000, 1'000), 1'000);
    auto rt = annals::runtime::open(place.path(), annals::host<account>).value();
    const auto ids = account_ids(100);
    send_payments(rt, ids, how.pick(100'000, 1'000), 1);

    const std::size_t blocks = how.pick(20, 2);
    const std::size_t block = how.pick(250, 20);
    latencies alone;
    latencies through;
    for (std::size_t b = 0; b != blocks; ++b) {
        for (std::size_t i = 0; i != block; ++i)
            alone.time([&] { raw.append(1, 1); });
        command_load one_by_one(rt, 1);
        for (std::size_t i = 0; i != block; ++i) {
            one_by_one.send(ids[i % ids.size()], a_payment());
            one_by_one.harvest_all();
        }
        through.add(one_by_one.times());
    }
    figure made{
        .name = "command_latency", .unit = "us (p50)", .baseline = "raw_commit_latency p50, us"};
    made.p50_us = made.value = through.percentile_us(0.5);
    made.p99_us = through.percentile_us(0.99);
    made.baseline_value = alone.percentile_us(0.5);
    made.goals = {how.at_most("p50 <= 1.4 x raw_commit_latency p50", *made.ratio(), 1.4)};
    made.notes = text("runtime, default configuration, durable, 1 command in flight, accounts in "
                      "memory, ",
                      grouped(blocks * block), " commands in blocks of ", block,
                      " that alternate with raw commits (raw p99 ",
                      grouped(alone.percentile_us(0.99)), " us)");
    return made;
}

} // namespace bench
