#include "reaction_sink.hpp"

#include "reaction_queue.hpp"

#include <cassert>
#include <mutex>
#include <utility>

namespace annals {

/// The sink's state. One thing happens at a time, on whichever thread ended the one before: a change
/// is being stored, reports are being handed over, or a part is with the handlers. Whoever has that
/// turn calls `go_on` when it ends; `busy_` says that somebody has it.
class reaction_sink::line : public std::enable_shared_from_this<line> {
public:
    line(sink_parts parts, std::vector<std::unique_ptr<reaction_type::handler>> handlers,
         std::string name, row_space space, const checkpoint_record& start)
        : parts_(std::move(parts)),
          handlers_(std::move(handlers)),
          name_(std::move(name)),
          space_(space),
          queue_(handlers_.size(), start) {
        assert(!handlers_.empty() && handlers_.size() == parts_.threads.size());
    }

    void take(slice what);
    void pass_over(row_changes& into, log_position done);
    void begin_again(const checkpoint_record& start);
    void end(bool and_store);

private:
    using part_ptr = reaction_queue::part_ptr;
    using change = reaction_queue::change;

    // None of these is called with the mutex held.
    void go_on();
    /// A change was stored, or could not be.
    void stored(const result<void>& how, const change& what, const part_ptr& next);
    /// True if there is more to do, and this thread still has the turn.
    [[nodiscard]] bool tell_and_start(const part_ptr& next);
    void tell_lost(const error& why);
    void start(const part_ptr& part);
    void work(const part_ptr& part, std::size_t partition);
    void ended(const part_ptr& part, std::size_t partition);
    void store_at_end(const change& last);
    [[nodiscard]] row_changes rows_of(const change& what) const;

    const sink_parts parts_;
    const std::vector<std::unique_ptr<reaction_type::handler>>
        handlers_; ///< each on its own thread
    const std::string name_;
    const row_space space_;
    std::stop_source stop_;

    std::mutex mutex_; ///< guards what follows; not held while the host's code runs
    reaction_queue queue_;
    bool busy_ = false;       ///< see the class
    bool delivering_ = false; ///< a part is with the handlers
    bool ended_ = false;
    bool store_at_end_ = false;
};

// --- the owner's calls -------------------------------------------------------------------------------

void reaction_sink::line::take(slice what) {
    {
        const std::lock_guard lock(mutex_);
        if (ended_ || !queue_.take(std::move(what)) || std::exchange(busy_, true))
            return;
    }
    go_on();
}

void reaction_sink::line::pass_over(row_changes& into, log_position done) {
    const std::lock_guard lock(mutex_);
    catalog::put_checkpoint(into, space_, queue_.pass_over(done));
}

void reaction_sink::line::begin_again(const checkpoint_record& start) {
    const std::lock_guard lock(mutex_);
    assert(!delivering_ && queue_.empty());
    queue_.begin_again(start);
}

void reaction_sink::line::end(bool and_store) {
    change last;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(ended_, true))
            return;
        store_at_end_ = and_store;
        // While a part is with the handlers, the last of them stores.
        if (and_store && !delivering_)
            last = queue_.due_at_end();
    }
    stop_.request_stop();
    store_at_end(last);
}

// --- taking turns ------------------------------------------------------------------------------------

void reaction_sink::line::go_on() {
    for (bool more = true; more;) {
        part_ptr next;
        change due;
        {
            const std::lock_guard lock(mutex_);
            if (ended_)
                return;
            next = queue_.next();
            due = queue_.due_before(next.get());
        }
        auto rows = rows_of(due);
        if (!rows.empty()) {
            auto done = [me = shared_from_this(), due, next](const result<void>& how) {
                me->stored(how, due, next);
            };
            parts_.store->apply(std::move(rows), std::move(done));
            return;
        }
        more = tell_and_start(next);
    }
}

void reaction_sink::line::stored(const result<void>& how, const change& what,
                                 const part_ptr& next) {
    if (!how) {
        tell_lost(how.error());
        return;
    }
    if (what.checkpoint) {
        const std::lock_guard lock(mutex_);
        queue_.stored(*what.checkpoint);
    }
    if (tell_and_start(next))
        go_on();
}

bool reaction_sink::line::tell_and_start(const part_ptr& next) {
    std::vector<sink_report> told;
    {
        const std::lock_guard lock(mutex_);
        if (ended_)
            return false;
        told = queue_.take_reports();
    }
    for (auto& one : told)
        parts_.report(std::move(one));
    {
        const std::lock_guard lock(mutex_);
        if (ended_)
            return false;
        if (next == nullptr || !queue_.wants(*next)) {
            busy_ = !queue_.empty();
            return busy_;
        }
        delivering_ = true;
    }
    start(next);
    return false;
}

void reaction_sink::line::tell_lost(const error& why) {
    sink_report lost;
    {
        const std::lock_guard lock(mutex_);
        if (ended_)
            return;
        lost = queue_.lost(why);
    }
    parts_.report(std::move(lost));
    if (tell_and_start(nullptr))
        go_on();
}

// --- delivering --------------------------------------------------------------------------------------

void reaction_sink::line::start(const part_ptr& part) {
    for (std::size_t i = 0; i != part->shares.size(); ++i) {
        if (!part->shares[i].steps.empty())
            parts_.threads[i]->post([me = shared_from_this(), part, i] { me->work(part, i); });
    }
}

void reaction_sink::line::work(const part_ptr& part, std::size_t partition) {
    auto& mine = part->shares[partition];
    for (const auto& step : mine.steps) {
        if (stop_.stop_requested())
            break;
        auto how = handlers_[partition]->react(*part->events, step.index,
                                               {step.redelivered, step.attempt, stop_.get_token()});
        if (!how) {
            mine.failure = how.error();
            break;
        }
        ++mine.succeeded;
    }
    ended(part, partition);
}

void reaction_sink::line::ended(const part_ptr& part, std::size_t partition) {
    change last;
    {
        const std::lock_guard lock(mutex_);
        if (!queue_.ended(*part, partition))
            return;
        delivering_ = false;
        if (ended_ && store_at_end_)
            last = queue_.due_at_end();
    }
    store_at_end(last);
    go_on();
}

// --- storing -----------------------------------------------------------------------------------------

void reaction_sink::line::store_at_end(const change& last) {
    auto rows = rows_of(last);
    if (!rows.empty())
        parts_.store->apply(std::move(rows), [](const result<void>&) {});
}

row_changes reaction_sink::line::rows_of(const change& what) const {
    row_changes rows;
    if (what.checkpoint)
        catalog::put_checkpoint(rows, space_, *what.checkpoint);
    for (const auto position : what.replayed)
        catalog::erase_set_aside(rows, name_, position);
    return rows;
}

// --- the sink ----------------------------------------------------------------------------------------

reaction_sink::reaction_sink(sink_parts parts,
                             std::vector<std::unique_ptr<reaction_type::handler>> handlers,
                             std::string name, row_space space, const checkpoint_record& start)
    : line_(std::make_shared<line>(std::move(parts), std::move(handlers), std::move(name), space,
                                   start)) {}

reaction_sink::~reaction_sink() {
    line_->end(false);
}

void reaction_sink::take(slice what) {
    const auto me = line_; // a report may lead to this sink's end
    me->take(std::move(what));
}

void reaction_sink::pass_over(row_changes& into, log_position done) {
    line_->pass_over(into, done);
}

void reaction_sink::stop() {
    line_->end(true);
}

void reaction_sink::begin_again(const checkpoint_record& start) {
    line_->begin_again(start);
}

} // namespace annals
