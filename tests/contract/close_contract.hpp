#pragma once

// Part of contract/journal_contract.hpp: how a journal ends.

#include "contract/subscribe_contract.hpp"
#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

namespace annals::test {

ANNALS_JOURNAL_PROMISE("a closed journal answers that it is closed") {
    journal_under_test store;
    const auto journal = store.open();
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    journal->close();
    journal->close();
    REQUIRE(
        outcomes_of(append_all(*journal, {commit_of("b", "cart-1"), commit_of("c", "cart-1")})) ==
        std::vector<outcome>{refused(errc::closed), refused(errc::closed)});
    REQUIRE(journal->read_all(0, 10).error().code == errc::closed);
    REQUIRE(journal->read_stream("cart-1", 1, 10).error().code == errc::closed);
    REQUIRE(journal->describe("cart-1").error().code == errc::closed);
    REQUIRE(journal->subscribe(0, {}, [] {}).error().code == errc::closed);
}

ANNALS_JOURNAL_PROMISE(
    "a barrier waits for what was appended before it, also while the journal closes") {
    for (int round = 0; round != 25; ++round) {
        journal_under_test store;
        const auto journal = store.open();
        std::atomic<bool> begun{false};
        std::thread closer([&] {
            while (!begun)
                std::this_thread::yield();
            journal->close();
        });
        std::atomic<int> completed{0};
        std::atomic<int> refused_ones{0};
        std::atomic<int> too_early{0};
        int appended = 0;
        while (refused_ones == 0) {
            append(*journal, {commit_of(std::to_string(appended), "cart-1")},
                   [&](std::span<const append_result> results) {
                       refused_ones += results[0] ? 0 : 1;
                       ++completed;
                   });
            ++appended;
            append(*journal, {}, [&, before = appended](std::span<const append_result>) {
                too_early += completed < before ? 1 : 0;
            });
            begun = appended > 20 + round;
        }
        closer.join();
        REQUIRE(too_early == 0);
        REQUIRE(completed == appended);
    }
}

ANNALS_JOURNAL_PROMISE("closing wakes the subscriber that waits, and tells it") {
    journal_under_test store;
    const auto journal = store.open();
    follower reader(*journal, 0);
    REQUIRE(reader.next().value().at_end);
    journal->close();
    REQUIRE(reader.is_woken());
    REQUIRE(reader.next().error().code == errc::closed);
}

ANNALS_JOURNAL_PROMISE("a subscription may outlive its journal") {
    journal_under_test store;
    auto journal = store.open();
    follower reader(*journal, 0);
    REQUIRE(reader.next().value().at_end);
    journal.reset();
    REQUIRE(reader.next().error().code == errc::closed);
}

ANNALS_JOURNAL_PROMISE("closing answers every append, and stores what it says it stored") {
    journal_under_test store;
    auto journal = store.open();
    constexpr std::size_t threads = 3;
    constexpr std::size_t appends = 300;
    std::vector<log_position> positions; // only the journal's own completions store, in order
    std::atomic<std::size_t> closed{0};  // a refusal may complete on the thread that appends
    std::atomic<std::size_t> other{0};
    counter answered;
    counter begun;
    std::vector<std::thread> appenders;
    for (std::size_t t = 0; t != threads; ++t)
        appenders.emplace_back([&, t] {
            for (std::size_t i = 0; i != appends; ++i) {
                const auto name = std::to_string(t) + "." + std::to_string(i);
                append(*journal, {commit_of(name, "cart-" + std::to_string(t))},
                       [&](std::span<const append_result> results) {
                           if (results[0])
                               positions.push_back(results[0]->position);
                           else
                               ++(results[0].error().code == errc::closed ? closed : other);
                           answered.add();
                       });
                begun.add();
            }
        });
    const bool under_way = begun.reaches(threads * appends / 3);
    journal->close();
    for (auto& each : appenders)
        each.join();
    REQUIRE(under_way);
    REQUIRE(answered.reaches(threads * appends));
    REQUIRE(other == 0);
    REQUIRE(positions.size() + closed == threads * appends);

    if (!journal->capabilities().durable)
        return;
    journal.reset();
    journal = store.open();
    REQUIRE(read_log(*journal).size() == positions.size());
    REQUIRE(journal->head() == (positions.empty() ? 0 : positions.back()));
}

ANNALS_JOURNAL_PROMISE("closing returns when everything appended before is answered") {
    journal_under_test store;
    const auto journal = store.open();
    std::atomic<std::size_t> answered{0};
    for (int i = 0; i != 200; ++i)
        append(*journal, {commit_of(std::to_string(i), "cart-1")},
               [&](std::span<const append_result> results) { answered += results.size(); });
    journal->close();
    REQUIRE(answered == 200);
}

ANNALS_JOURNAL_PROMISE("an operation is released once it is completed") {
    journal_under_test store;
    const auto journal = store.open();
    const auto held = std::make_shared<int>(17);
    append(*journal, {commit_of("a", "cart-1")},
           [held, copy = held](std::span<const append_result>) {});
    journal->close();
    REQUIRE(held.use_count() == 1);
}

} // namespace annals::test
