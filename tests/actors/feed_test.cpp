#include "feed.hpp"

#include "simulation.hpp"
#include "support/holding_journal.hpp"
#include "support/journal_verbs.hpp"

#include <catch2/catch.hpp>

/// A feed by itself: what it reads, when, and how far ahead.

using namespace annals;

namespace {

struct noted {
    int number = 0;
    ANNALS_EVENT(noted, "note.noted", number)
};
struct any_notes {};
struct notes {
    static constexpr std::string_view name = "notes";
    using event = std::variant<noted>;
    using query = std::variant<any_notes>;
};
void evolve(notes&, const noted&) {}
[[maybe_unused]] int answer(const notes&, const any_notes&) {
    return 0;
}

void append_notes(journal& to, int count) {
    for (int i = 0; i != count; ++i) {
        owned_commit one;
        one.stream = "note-1";
        one.about.command_id = uuid::of_name("note " + std::to_string(to.head()));
        one.events = {{"note.noted", to_bytes(noted{i})}};
        append(to, {one}, [](const auto& results) { REQUIRE(results[0]); });
    }
}

/// A feed over a log in memory, on an executor that runs when the test says so.
struct fed_log {
    explicit fed_log(std::size_t page_events)
        : log(make_log()),
          feed_(feed::open(*log, executor, std::make_shared<simulation::virtual_clock>(),
                           hosted(host<notes>).projection, 0, {}, page_events,
                           [this](result<fed_events> came) {
                               REQUIRE(came);
                               for (std::size_t i = 0; i != came->events->count; ++i)
                                   seen.push_back(came->events->label(i).position);
                               ++deliveries;
                           })
                    .value()) {}
    /// Runs tasks, any of those that wait next, until there is none.
    void run(std::mt19937& random) {
        while (executor->size() != 0)
            executor->run(random() % executor->size());
    }
    [[nodiscard]] bool has_all() const {
        for (std::size_t i = 0; i != seen.size(); ++i)
            if (seen[i] != i + 1)
                return false;
        return seen.size() == log->head();
    }

    std::shared_ptr<test::holding_journal> make_log() {
        auto made = std::make_shared<test::holding_journal>(make_memory_journal());
        made->when_a_page_is_read([this] {
            if (page_read)
                page_read();
        });
        return made;
    }

    std::function<void()> page_read; ///< what happens meanwhile elsewhere
    std::shared_ptr<test::holding_journal> log;
    std::shared_ptr<simulation::stepped_executor> executor =
        std::make_shared<simulation::stepped_executor>();
    std::vector<log_position> seen;
    std::size_t deliveries = 0;
    std::shared_ptr<feed> feed_;
};

} // namespace

TEST_CASE("a feed delivers as much as is demanded, and reads one page ahead of it") {
    std::mt19937 random(1);
    fed_log log(5);
    append_notes(*log.log, 100);
    REQUIRE(log.executor->size() == 0); // nothing is demanded
    for (std::size_t demands = 1; demands <= 4; ++demands) {
        log.feed_->demand();
        log.run(random);
        REQUIRE(log.deliveries == demands);
        REQUIRE(log.seen.size() == 5 * demands);
    }
}

TEST_CASE("whatever the order of reading, decoding and waking, every event is fed once, in order") {
    for (std::uint32_t seed = 1; seed <= 3'000; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random(seed);
        fed_log log(1 + random() % 4);
        log.page_read = [&] {
            if (random() % 4 == 0)
                append_notes(*log.log, 1); // behind what was read, before the reader knows
        };
        for (int i = 0; i != 60; ++i)
            switch (random() % 4) {
            case 0:
                append_notes(*log.log, static_cast<int>(1 + random() % 6));
                break;
            case 1:
                log.feed_->demand();
                break;
            default:
                if (log.executor->size() != 0)
                    log.executor->run(random() % log.executor->size());
            }
        log.page_read = nullptr;
        // No wake is forgotten: what is demanded is delivered as long as there is something.
        for (int i = 0; !log.has_all(); ++i) {
            REQUIRE(i < 1'000);
            log.feed_->demand();
            log.run(random);
        }
        const std::size_t before = log.deliveries;
        log.feed_->demand();
        log.feed_->demand();
        log.run(random);
        append_notes(*log.log, 1);
        log.run(random);
        REQUIRE(log.has_all());
        REQUIRE(log.deliveries > before);
    }
}

TEST_CASE("a feed that is stopped while a page is read ahead delivers nothing more") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        fed_log log(2);
        append_notes(*log.log, 20);
        log.feed_->demand();
        for (auto steps = random() % 4; steps > 0 && log.executor->size() != 0; --steps)
            log.executor->run(random() % log.executor->size());
        const std::size_t before = log.deliveries;
        log.feed_->stop();
        log.feed_->demand();
        log.run(random);
        REQUIRE(log.deliveries == before);
        const std::weak_ptr<feed> gone = std::exchange(log.feed_, nullptr);
        REQUIRE(gone.expired());
    }
}
