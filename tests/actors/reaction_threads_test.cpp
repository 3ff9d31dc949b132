#include "reaction_verbs.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <map>
#include <mutex>
#include <random>

/// A reaction's sink with real threads; the other tests have it on one.

namespace annals::test {

TEST_CASE("on threads of their own the partitions deliver each event once and in order") {
    const auto seed = random_seed();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    struct recorder final : reaction_type::handler {
        explicit recorder(std::vector<logged_event>& into) : into_(into) {}
        handled react(const decoded_events& events, std::size_t index,
                      const delivery_terms&) override {
            const auto label = events.label(index);
            into_.push_back({label.position, std::string(label.stream)});
            return result<void>();
        }
        std::vector<logged_event>& into_;
    };

    constexpr log_position end = 5'000;
    std::vector<std::vector<logged_event>> delivered(3);
    std::promise<void> all;
    const auto on = disk();
    sink_parts parts;
    parts.store = on;
    std::unique_ptr<reaction_sink> sink;
    std::mutex taking; // makes calls from two threads one at a time, as the actor does
    log_position read = 0;
    const auto take_next = [&] {
        slice next;
        std::vector<logged_event> events;
        for (const auto through = std::min(end, read + 1 + random() % 200); read != through;) {
            ++read;
            events.push_back({read, "order-" + std::to_string(read % 50)});
        }
        next.events = std::make_shared<plain_events>(std::move(events), read);
        sink->take(std::move(next));
    };
    const auto actor = thread_executor(1);
    parts.report = [&](const sink_report& report) {
        actor->post([&, report] {
            const std::lock_guard lock(taking);
            if (report.done == end)
                all.set_value();
            else if (report.finished && read != end)
                take_next();
        });
    };
    std::vector<std::unique_ptr<reaction_type::handler>> handlers;
    for (auto& one : delivered) {
        handlers.push_back(std::make_unique<recorder>(one));
        parts.threads.push_back(thread_executor(1));
    }
    const auto threads = parts.threads;
    sink = std::make_unique<reaction_sink>(std::move(parts), std::move(handlers), "confirm_orders",
                                           1, checkpoint_record{});
    {
        const std::lock_guard lock(taking);
        take_next();
        take_next();
    }
    all.get_future().wait();
    sink->stop();
    for (const auto& one : threads)
        one->stop();
    actor->stop();

    std::map<std::string, log_position> last;
    std::size_t count = 0;
    for (std::size_t i = 0; i != delivered.size(); ++i) {
        count += delivered[i].size();
        for (const auto& one : delivered[i]) {
            REQUIRE(partition_of(one.stream, delivered.size()) == i);
            REQUIRE(last[one.stream] < one.position);
            last[one.stream] = one.position;
        }
    }
    REQUIRE(count == end);
    REQUIRE(stored_checkpoint(*on, 1) == checkpoint_record{end, end, end, 0});
}

} // namespace annals::test
