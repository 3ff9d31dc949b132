#pragma once

#include "reaction_activity.hpp"
#include "reaction_sink.hpp"
#include "support/stepped_executor.hpp"
#include "support/stepped_projection_store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

struct logged_event {
    log_position position;
    std::string stream;
};

/// Events of a log, decoded; nothing is inside.
class plain_events final : public decoded_events {
public:
    plain_events(std::vector<logged_event> events, log_position looked_at, bool last = true)
        : events_(std::move(events)) {
        through = looked_at;
        count = events_.size();
        at_end = last;
    }
    [[nodiscard]] event_label label(std::size_t index) const noexcept override {
        return {events_[index].position, events_[index].stream, "shop.sold"};
    }
    [[nodiscard]] timestamp time(std::size_t) const noexcept override { return {}; }

private:
    std::vector<logged_event> events_;
};

/// One call of a handler.
struct delivered {
    log_position position = 0;
    std::string stream;
    std::size_t partition = 0;
    bool redelivered = false;
    unsigned attempt = 1;
    bool succeeded = true;
};

/// A process in which a reaction lives, as its sink sees it: threads and a store's writer that go on
/// when the test says so, and a disk that outlives it. Whatever happens is a step, and the process can
/// die behind any of them.
class reaction_process {
public:
    static constexpr row_space space = 7;
    static constexpr const char* name = "confirm_orders";

    /// `begins`: its sink has read where it stands.
    explicit reaction_process(std::shared_ptr<projection_store> disk, std::size_t partitions = 1,
                              bool begins = true,
                              std::size_t most_in_part = reaction_queue::usual_part)
        : disk_(std::move(disk)),
          most_in_part_(most_in_part),
          store(std::make_shared<stepped_projection_store>(disk_)),
          started_from(stored_checkpoint(*disk_, space)) {
        for (std::size_t i = 0; i != partitions; ++i)
            threads.push_back(std::make_shared<stepped_executor>());
        sink = make_sink(started_from);
        if (begins) {
            take({}, started_from.done);
            run_until_quiet();
            reports.clear();
        }
    }
    ~reaction_process() { die(); }
    reaction_process(const reaction_process&) = delete;
    reaction_process& operator=(const reaction_process&) = delete;

    // --- what the test does ------------------------------------------------------------------------

    /// From now on nothing that this process does has an effect.
    void die() {
        alive_ = false;
        sink.reset();
        held_.clear();
        for (auto& thread : threads)
            thread->drop();
        store->drop();
    }
    /// Dies behind the step with this number, from now.
    void die_behind(std::size_t steps) { steps_left_ = steps; }
    [[nodiscard]] bool alive() const { return alive_; }

    /// The next of the tasks of `partition`.
    bool work(std::size_t partition) {
        return alive_ && threads[partition]->run_one() && counted();
    }
    bool write(std::optional<error> fault = {}) {
        return alive_ && store->write_one(std::move(fault)) && counted();
    }
    bool tell() { return alive_ && store->tell_one() && counted(); }
    /// The actor takes the next report.
    bool hear() {
        if (!alive_ || inbox_.empty())
            return false;
        const auto report = std::move(inbox_.front());
        inbox_.pop_front();
        on_report(report);
        return counted();
    }
    /// The handling of the event at `position`, which `holds` had go on, ends so.
    void answer(log_position position, result<void> how = {}) {
        const auto found = held_.find(position);
        const auto tell = std::move(found->second);
        held_.erase(found);
        tell(std::move(how));
    }
    [[nodiscard]] std::vector<log_position> held() const {
        std::vector<log_position> made;
        for (const auto& [position, tell] : held_)
            made.push_back(position);
        return made;
    }
    /// Nobody will say how it ends.
    void forget(log_position position) { held_.erase(position); }

    /// One thing happens: `choose(n)` says which of n.
    template <class Choose>
    bool step(Choose&& choose) {
        std::vector<std::function<bool()>> choices;
        if (!inbox_.empty())
            choices.emplace_back([this] { return hear(); });
        for (std::size_t i = 0; i != threads.size(); ++i)
            if (threads[i]->waiting() > 0)
                choices.emplace_back([this, i] { return work(i); });
        for (const auto& [position, tell] : held_)
            if (answers_by_itself)
                choices.emplace_back([this, at = position] {
                    answer(at, answers_by_itself(at));
                    return counted();
                });
        if (store->has_to_tell())
            choices.emplace_back([this] { return tell(); });
        else if (store->waiting() > 0)
            choices.emplace_back([this] { return write(fault_()); });
        if (!alive_ || choices.empty())
            return false;
        return choices[choices.size() == 1 ? 0 : choose(choices.size())]();
    }
    void run_until_quiet() {
        while (step([](std::size_t) { return std::size_t{0}; })) {
        }
    }
    void fail_writes_by(std::function<std::optional<error>()> rule) { fault_ = std::move(rule); }

    void take(std::vector<logged_event> events, log_position through, std::uint64_t epoch = 0,
              std::size_t first = 0, unsigned attempt = 1) {
        slice made;
        made.epoch = epoch;
        made.events = std::make_shared<plain_events>(std::move(events), through);
        made.first = first;
        made.attempt = attempt;
        sink->take(std::move(made));
    }
    /// Stops in good order: what runs ends, and everything that was to be stored is.
    void close() {
        activity->close();
        while (!held_.empty() && answers_by_itself)
            answer(held_.begin()->first, answers_by_itself(held_.begin()->first));
        sink->stop();
        sink.reset();
        for (auto& thread : threads)
            thread->stop();
        store->close();
    }

    // --- what the test sees ------------------------------------------------------------------------

    [[nodiscard]] std::vector<log_position> positions() const {
        std::vector<log_position> made;
        for (const auto& one : deliveries)
            made.push_back(one.position);
        return made;
    }
    [[nodiscard]] std::vector<log_position> flagged() const {
        std::vector<log_position> made;
        for (const auto& one : deliveries)
            if (one.redelivered)
                made.push_back(one.position);
        return made;
    }
    [[nodiscard]] checkpoint_record checkpoint() const { return stored_checkpoint(*disk_, space); }
    [[nodiscard]] std::unique_ptr<reaction_sink> make_sink(const checkpoint_record& start) {
        sink_parts parts;
        parts.report = [this](sink_report report) { told(std::move(report)); };
        parts.store = store;
        parts.activity = activity;
        std::vector<std::unique_ptr<reaction_type::handler>> handlers;
        for (std::size_t i = 0; i != threads.size(); ++i) {
            parts.threads.push_back(threads[i]);
            handlers.push_back(std::make_unique<watched_handler>(*this, i));
        }
        return std::make_unique<reaction_sink>(std::move(parts), std::move(handlers), name, space,
                                               start, most_in_part_);
    }

private:
    class watched_handler final : public reaction_type::handler {
    public:
        watched_handler(reaction_process& in, std::size_t partition)
            : in_(in),
              partition_(partition) {}
        handled react(const decoded_events& events, std::size_t index,
                      const delivery_terms& terms) override {
            return in_.handle(events.label(index), partition_, terms);
        }

    private:
        reaction_process& in_;
        std::size_t partition_;
    };

    handled handle(const event_label& label, std::size_t partition, const delivery_terms& terms) {
        if (!alive_)
            return result<void>();
        if (holds && holds(label.position)) {
            deliveries.push_back({label.position, std::string(label.stream), partition,
                                  terms.redelivered, terms.attempt, false});
            if (begun)
                begun(label.position, terms);
            counted();
            return handled::later([this, at = label.position](handled::told tell) {
                if (alive_)
                    held_.emplace(at, std::move(tell));
            });
        }
        auto how = behave(label.position, terms);
        deliveries.push_back({label.position, std::string(label.stream), partition,
                              terms.redelivered, terms.attempt, how.has_value()});
        counted();
        return how;
    }
    void told(sink_report report) {
        if (!alive_)
            return;
        reports.push_back(report);
        if (on_report)
            inbox_.push_back(std::move(report));
    }
    bool counted() {
        if (steps_left_ && (*steps_left_)-- == 0) {
            steps_left_.reset();
            die();
        }
        return true;
    }

    std::shared_ptr<projection_store> disk_;
    const std::size_t most_in_part_;
    bool alive_ = true;
    std::map<log_position, handled::told> held_; ///< what goes on, by event
    std::optional<std::size_t> steps_left_;
    std::deque<sink_report> inbox_; ///< on their way to the actor
    std::function<std::optional<error>()> fault_ = [] { return std::optional<error>(); };

public:
    const std::shared_ptr<reaction_activity> activity = std::make_shared<reaction_activity>();
    const std::shared_ptr<stepped_projection_store> store;
    const checkpoint_record started_from;
    std::vector<std::shared_ptr<stepped_executor>> threads;
    /// What a handler does about the event at a position.
    std::function<result<void>(log_position, const delivery_terms&)> behave =
        [](log_position, const delivery_terms&) { return result<void>(); };
    std::function<void(const sink_report&)> on_report; ///< what the actor does
    /// Whether handling the event at a position ends later: when `answer` says so, or as a step does
    /// with what `answers_by_itself` says. `begun` is told.
    std::function<bool(log_position)> holds;
    std::function<void(log_position, const delivery_terms&)> begun;
    std::function<result<void>(log_position)> answers_by_itself;
    std::vector<delivered> deliveries;
    std::vector<sink_report> reports;
    std::unique_ptr<reaction_sink> sink;
};

} // namespace annals::test
