#pragma once

// Part of contract/journal_contract.hpp: following the log.

#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

namespace annals::test {

/// A subscription together with a count of how often it was woken.
class follower {
public:
    follower(journal& of, log_position after, event_filter filter = {})
        : subscription_(of.subscribe(after, std::move(filter), [this] { wakes_.add(); }).value()) {}

    [[nodiscard]] result<event_page> next(std::size_t max = 100) {
        auto page = subscription_->next(max);
        if (page && page->at_end)
            ++waits_;
        return page;
    }
    /// Waits for the wake that each page at the end was promised.
    [[nodiscard]] bool is_woken() { return wakes_.reaches(waits_); }
    [[nodiscard]] std::size_t wakes() const { return wakes_.count(); }
    void stop() { subscription_.reset(); }

private:
    counter wakes_;
    std::size_t waits_ = 0;
    std::unique_ptr<subscription> subscription_;
};

ANNALS_JOURNAL_PROMISE("a subscription catches up and goes on live, with no gap and no duplicate") {
    journal_under_test store;
    const auto journal = store.open();
    constexpr log_position before = 200;
    constexpr log_position total = 800;
    const auto append_number = [&](log_position i) {
        return append_one(*journal, commit_of(std::to_string(i), "cart-" + std::to_string(i % 50)));
    };
    for (log_position i = 0; i != before; ++i)
        REQUIRE(append_number(i));

    follower reader(*journal, 0);
    std::size_t failed = 0;
    std::thread appender([&] {
        for (log_position i = before; i != total; ++i)
            failed += !append_number(i);
    });
    std::vector<seen_event> events;
    bool woken = true;
    while (woken && events.size() < total) {
        const auto page = reader.next(37);
        if (!page)
            break;
        see_all(*page, events);
        if (page->at_end && events.size() < total)
            woken = reader.is_woken();
    }
    appender.join();
    REQUIRE(failed == 0);
    REQUIRE(woken);
    REQUIRE(events.size() == total);
    for (log_position i = 0; i != total; ++i) {
        REQUIRE(events[i].position == i + 1);
        REQUIRE(events[i].payload == std::to_string(i) + "/1");
    }
}

ANNALS_JOURNAL_PROMISE("a subscription begins after the position it was given") {
    journal_under_test store;
    const auto journal = store.open();
    for (int i = 0; i != 5; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
    follower reader(*journal, 3);
    const auto page = reader.next().value();
    REQUIRE(page.events.size() == 2);
    REQUIRE(page.events[0].position == 4);
    REQUIRE(page.at_end);
    REQUIRE(page.through == 5);
    REQUIRE(reader.next().value().events.empty());
}

ANNALS_JOURNAL_PROMISE("a subscription gives what its filter lets through") {
    journal_under_test store;
    const auto journal = store.open();
    follower reader(*journal, 0, {{"wanted"}, {"cart"}});
    std::vector<seen_event> events;
    const auto read = [&] {
        for (bool at_end = false; !at_end;) {
            const auto page = reader.next().value();
            see_all(page, events);
            at_end = page.at_end;
        }
    };
    read();
    REQUIRE(append_all(*journal,
                       {commit_of("a", "cart-1", expected_version::any(), {"wanted", "other"}),
                        commit_of("b", "order-1", expected_version::any(), {"wanted"}),
                        commit_of("c", "cart-2", expected_version::any(), {"wanted"})})
                .at(2));
    REQUIRE(reader.is_woken());
    read();
    REQUIRE(payloads_of(events) == std::vector<std::string>{"a/1", "c/1"});
}

ANNALS_JOURNAL_PROMISE("a subscriber is woken once for each page at the end") {
    journal_under_test store;
    const auto journal = store.open();
    follower reader(*journal, 0);
    REQUIRE(append_one(*journal, commit_of("before", "cart-1")));
    REQUIRE(reader.next(10).value().at_end);
    for (int i = 0; i != 20; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
    REQUIRE(reader.is_woken());
    reader.stop(); // after which no wake is under way
    REQUIRE(reader.wakes() == 1);
}

ANNALS_JOURNAL_PROMISE("a subscriber that did not reach the end is not woken") {
    journal_under_test store;
    const auto journal = store.open();
    for (int i = 0; i != 5; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
    follower reader(*journal, 0);
    REQUIRE_FALSE(reader.next(3).value().at_end);
    REQUIRE(append_one(*journal, commit_of("more", "cart-1")));
    reader.stop();
    REQUIRE(reader.wakes() == 0);
}

ANNALS_JOURNAL_PROMISE("a subscriber is not woken once its subscription is gone") {
    journal_under_test store;
    const auto journal = store.open();
    follower reader(*journal, 0);
    REQUIRE(reader.next().value().at_end);
    reader.stop();
    for (int i = 0; i != 5; ++i)
        REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
    journal->close();
    REQUIRE(reader.wakes() == 0);
}

ANNALS_JOURNAL_PROMISE("a subscription that ends waits for the wake that is running") {
    journal_under_test store;
    const auto journal = store.open();
    counter begun;
    std::atomic<bool> finished{false};
    auto reader = journal
                      ->subscribe(0, {},
                                  [&] {
                                      begun.add();
                                      for (int turn = 0; turn != 10'000; ++turn)
                                          std::this_thread::yield();
                                      finished = true;
                                  })
                      .value();
    REQUIRE(reader->next(10).value().at_end);
    std::thread appender([&] { (void)append_one(*journal, commit_of("a", "cart-1")); });
    const bool running = begun.reaches(1);
    reader.reset();
    const bool waited = finished;
    appender.join();
    REQUIRE(running);
    REQUIRE(waited);
}

ANNALS_JOURNAL_PROMISE("subscriptions come and go while others append") {
    journal_under_test store;
    const auto journal = store.open();
    std::atomic<bool> enough{false};
    std::thread appender([&] {
        for (int i = 0; !enough; ++i)
            (void)append_one(*journal, commit_of(std::to_string(i), "cart-1"));
    });
    std::size_t gaps = 0;
    std::atomic<std::size_t> woken_when_gone{0};
    for (int i = 0; i != 300; ++i) {
        const auto gone = std::make_shared<std::atomic<bool>>(false);
        auto reader = journal->subscribe(0, {}, [gone, &woken_when_gone] {
            for (int turn = 0; turn != 20; ++turn)
                std::this_thread::yield(); // lets the reader go meanwhile, if it does not wait
            woken_when_gone += gone->load();
        });
        log_position through = 0;
        for (bool at_end = !reader; !at_end;) {
            const auto page = (*reader)->next(10'000);
            for (std::size_t at = 0; page && at != page->events.size(); ++at)
                gaps += page->events[at].position != ++through;
            at_end = !page || page->at_end;
        }
        if (reader)
            reader->reset();
        gone->store(true);
    }
    enough = true;
    appender.join();
    REQUIRE(gaps == 0);
    REQUIRE(woken_when_gone == 0);
}

} // namespace annals::test
