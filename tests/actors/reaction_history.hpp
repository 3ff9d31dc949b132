#pragma once

#include "reaction_process.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace annals::test {

/// A log and a reaction to it through several lives of its process. A seed chooses what is in the
/// log, which events fail how often, how it is cut into slices, and what happens next; and each
/// delivery is held against what may happen.
class reaction_history {
public:
    struct conditions {
        std::size_t partitions = 1;
        log_position positions = 300;
        unsigned retries = 2;
        unsigned failing_percent = 0;    ///< of the events: fail once or a few times, or always
        unsigned faulty_writes = 0;      ///< of a hundred
        std::size_t largest_slice = 100; ///< in positions
        unsigned later_percent = 0;      ///< of the events: their handling ends some steps later
        std::size_t most_in_part = reaction_queue::usual_part;
    };

    reaction_history(std::uint64_t seed, const conditions& how) : how_(how), random_(seed) {
        for (log_position i = 1; i <= how_.positions; ++i) {
            if (below(3) == 0)
                continue;
            log_[i] = "order-" + std::to_string(below(7));
            if (below(100) < how_.failing_percent)
                failures_left_[i] = below(5) == 0 ? 1'000 : 1 + below(3);
        }
    }

    enum class ending { death, order };
    /// Lives until everything is delivered or so many steps have been made. True if that was all.
    bool live(std::optional<std::size_t> steps, ending how);
    /// The last life, in which the disk does not fail: everything comes to its end.
    void live_on() {
        how_.faulty_writes = 0;
        REQUIRE(live({}, ending::order));
        check_end();
    }
    std::size_t below(std::size_t bound) { return random_() % bound; }

private:
    class lane;
    struct life {
        checkpoint_record start;
        std::map<log_position, unsigned> failed; ///< how often in this life
        std::map<log_position, unsigned> told;
        std::set<log_position> delivered;
        std::set<log_position> succeeded;
        std::set<log_position> open;
        bool started_over = false;
    };

    result<void> handle(log_position at, const delivery_terms& terms) {
        begin(at, terms);
        return end(at);
    }
    void begin(log_position at, const delivery_terms& terms);
    result<void> end(log_position at);
    void check_behind(log_position done) const;
    void check_end() const;
    /// How often it failed in this life.
    [[nodiscard]] unsigned failures(log_position at) const {
        const auto found = now_.failed.find(at);
        return found == now_.failed.end() ? 0 : found->second;
    }
    [[nodiscard]] std::set<log_position> aside() const {
        const auto all = *catalog::set_aside_positions(**disk_->snapshot(), reaction_process::name);
        return {all.begin(), all.end()};
    }

    conditions how_;
    std::mt19937_64 random_;
    std::map<log_position, std::string> log_;
    std::map<log_position, std::size_t> failures_left_;
    const std::shared_ptr<projection_store> disk_ = make_memory_projection_store();
    std::set<log_position> delivered_; ///< in any life
    std::set<log_position> effects_;   ///< in any life
    life now_;
};

/// What the projection's actor does for the sink: keeps two slices on their way, tries again, gives
/// up, starts over.
class reaction_history::lane {
public:
    lane(reaction_history& in, reaction_process& process)
        : in_(in),
          process_(process),
          read_(process.started_from.done) {
        process_.on_report = [this](const sink_report& report) { on_report(report); };
    }
    void feed() {
        while (slices_.size() < 2 && read_ < in_.how_.positions) {
            slices_.push_back(read());
            process_.sink->take(slices_.back());
        }
    }

private:
    slice read() {
        const auto through = std::min<log_position>(in_.how_.positions,
                                                    read_ + 1 + in_.below(in_.how_.largest_slice));
        const auto skip = in_.aside();
        std::vector<logged_event> events;
        for (auto i = in_.log_.upper_bound(read_); i != in_.log_.end() && i->first <= through; ++i)
            if (!skip.contains(i->first))
                events.push_back({i->first, i->second});
        read_ = through;
        slice made;
        made.epoch = epoch_;
        made.events = std::make_shared<plain_events>(std::move(events), through);
        return made;
    }

    void on_report(const sink_report& report) {
        if (report.epoch != epoch_)
            return;
        if (report.lost) {
            in_.now_.started_over = true;
            ++epoch_;
            slices_.clear();
            read_ = process_.checkpoint().done;
            REQUIRE(report.done == read_);
            feed();
            return;
        }
        REQUIRE(report.done >= done_);
        done_ = report.done;
        in_.check_behind(done_);
        if (report.why) {
            on_failure(report);
        } else if (report.finished) {
            REQUIRE(done_ >= slices_.front().events->through);
            slices_.pop_front();
            if (in_.below(10) == 0)
                start_over(); // while what was sent may be with the handlers
            feed();
        }
    }

    void on_failure(const sink_report& report) {
        auto& front = slices_.front();
        const auto at = front.events->label(report.next).position;
        REQUIRE(report.done == at - 1);
        ++in_.now_.told[at];
        front.first = report.next;
        front.attempt = in_.failures(at) + 1;
        if (in_.failures(at) <= in_.how_.retries) {
            send_again();
            return;
        }
        row_changes into;
        set_aside_event record;
        record.position = at;
        catalog::put_set_aside(into, reaction_process::name, record);
        process_.sink->pass_over(into, at);
        process_.store->apply(std::move(into), [this](const result<void>& how) {
            if (!process_.sink)
                return; // the process closes
            if (how) {
                ++slices_.front().first;
                slices_.front().attempt = 1;
            }
            send_again();
        });
    }

    void start_over() {
        in_.now_.started_over = true;
        if (in_.below(2) == 0) { // with other slices
            ++epoch_;
            slices_.clear();
            read_ = done_;
        } else {
            send_again();
        }
    }

    void send_again() {
        ++epoch_;
        for (auto& one : slices_) {
            one.epoch = epoch_;
            process_.sink->take(one);
        }
    }

    reaction_history& in_;
    reaction_process& process_;
    log_position read_;
    log_position done_ = 0;
    std::uint64_t epoch_ = 0;
    std::deque<slice> slices_; ///< on their way
};

inline bool reaction_history::live(std::optional<std::size_t> steps, ending how) {
    reaction_process process(disk_, how_.partitions, false, how_.most_in_part);
    now_ = {};
    now_.start = process.started_from;
    check_behind(now_.start.done);
    // What a death leaves in doubt is bounded.
    REQUIRE(std::distance(log_.upper_bound(now_.start.done), log_.upper_bound(now_.start.begun)) <=
            static_cast<std::ptrdiff_t>(how_.most_in_part));
    process.behave = [this](log_position at, const delivery_terms& t) { return handle(at, t); };
    process.holds = [this](log_position) { return below(100) < how_.later_percent; };
    process.begun = [this](log_position at, const delivery_terms& t) { begin(at, t); };
    process.answers_by_itself = [this](log_position at) { return end(at); };
    process.fail_writes_by([this]() -> std::optional<error> {
        if (below(100) < how_.faulty_writes)
            return error{errc::disk_full, "simulated"};
        return {};
    });
    if (steps && how == ending::death)
        process.die_behind(*steps);
    lane feeding(*this, process);
    feeding.feed();
    std::size_t made = 0;
    while ((!steps || how == ending::death || made++ < *steps) &&
           process.step([this](std::size_t n) { return below(n); })) {
    }
    if (!process.alive())
        return false;
    const bool all = !steps || process.store->waiting() == 0;
    process.close();
    if (how_.partitions == 1 && how_.later_percent == 0 && how_.failing_percent == 0 &&
        how_.faulty_writes == 0 && now_.start.begun == now_.start.done)
        REQUIRE(process.checkpoint().begun == process.checkpoint().done); // nothing comes again
    return all;
}

inline void reaction_history::begin(log_position at, const delivery_terms& terms) {
    CAPTURE(at, now_.start.done, now_.start.begun);
    // Each event once, unless it failed; flagged when it may have been delivered, and only then.
    REQUIRE_FALSE(now_.succeeded.contains(at));
    REQUIRE(now_.open.insert(at).second);
    const bool again = at <= now_.start.begun || now_.delivered.contains(at);
    REQUIRE(terms.redelivered == again);
    REQUIRE((terms.redelivered || !delivered_.contains(at)));
    REQUIRE(terms.attempt == failures(at) + 1);
    // In order within its stream.
    const auto given_up = aside();
    for (auto i = log_.begin(); i->first < at; ++i) {
        CAPTURE(i->first);
        if (i->second == log_[at] && i->first > now_.start.done)
            REQUIRE((now_.succeeded.contains(i->first) || given_up.contains(i->first)));
    }
    delivered_.insert(at);
    now_.delivered.insert(at);
}

inline result<void> reaction_history::end(log_position at) {
    now_.open.erase(at);
    if (auto left = failures_left_.find(at); left != failures_left_.end() && left->second > 0) {
        --left->second;
        ++now_.failed[at];
        return error{errc::handler_failed, "simulated"};
    }
    now_.succeeded.insert(at);
    effects_.insert(at);
    return {};
}

/// Everything up to `done` took effect or was given up.
inline void reaction_history::check_behind(log_position done) const {
    const auto given_up = aside();
    for (const auto& [position, stream] : log_)
        if (position <= done)
            REQUIRE((effects_.contains(position) || given_up.contains(position)));
}

inline void reaction_history::check_end() const {
    const auto at_end = stored_checkpoint(*disk_, reaction_process::space);
    REQUIRE(at_end.done == how_.positions);
    REQUIRE(at_end.begun == how_.positions);
    REQUIRE(at_end.events == log_.size() - aside().size());
    check_behind(how_.positions);
    if (!now_.started_over)
        REQUIRE(now_.told == now_.failed); // each failure once
}

} // namespace annals::test
