#include "reaction_sink.hpp"

#include "reaction_activity.hpp"

#include <atomic>
#include <cassert>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace annals {

/// The sink's state. One thing happens at a time, on whichever thread ended the one before: a change
/// is being stored, reports are being handed over, or a part is with the handlers. Whoever has that
/// turn calls `go_on` when it ends; `busy_` says that somebody has it.
class reaction_sink::line : public std::enable_shared_from_this<line> {
public:
    line(sink_parts parts, std::vector<std::unique_ptr<reaction_type::handler>> handlers,
         std::string name, row_space space, const checkpoint_record& start,
         std::size_t most_in_part)
        : parts_(with_activity(std::move(parts))),
          handlers_(std::move(handlers)),
          name_(std::move(name)),
          space_(space),
          queue_(handlers_.size(), start, most_in_part) {
        assert(!handlers_.empty() && handlers_.size() == parts_.threads.size());
    }

    /// Call it once, before anything else: from now on it stops when the runtime closes.
    void listen();
    void take(slice what);
    void pass_over(row_changes& into, log_position done);
    void end(bool and_store);

private:
    using part_ptr = reaction_queue::part_ptr;
    using change = reaction_queue::change;
    class late_end;

    static sink_parts with_activity(sink_parts parts) {
        if (!parts.activity)
            parts.activity = std::make_shared<reaction_activity>();
        return parts;
    }

    // None of these is called with mutex_ held.
    /// Waits for what an earlier sink has with these threads and the store; then `go_on`.
    void begin();
    void thread_is_free();
    void read_start();
    void go_on();
    /// A change was stored, or could not be.
    void stored(const result<void>& how, const change& what, part_ptr next);
    /// True if there is more to do, and this thread still has the turn.
    [[nodiscard]] bool tell_and_start(part_ptr next);
    void tell_lost(const error& why);
    // These let go of the part before anybody can begin with another: a thread that was about to would
    // keep its events in memory.
    void start(part_ptr part);
    void work(part_ptr part, std::size_t partition);
    /// Begins a step, if it may; true if it has ended by now.
    [[nodiscard]] bool run(const part_ptr& part, std::size_t partition, std::size_t which);
    /// A step that ended later.
    void ended_late(part_ptr part, std::size_t partition, std::size_t which,
                    const result<void>& how);
    /// One of those that keep a share open is through with it.
    void leave(part_ptr part, std::size_t partition);
    void ended(part_ptr part, std::size_t partition);
    void store_at_end();
    [[nodiscard]] bool has_ended();
    [[nodiscard]] row_changes rows_of(const change& what) const;

    const sink_parts parts_;
    const std::vector<std::unique_ptr<reaction_type::handler>>
        handlers_; ///< each on its own thread
    const std::string name_;
    const row_space space_;
    std::stop_source stop_;

    std::atomic<std::size_t> free_threads_{0}; ///< since the first beginning

    /// Held while something goes out, a change or a report, so that nothing does once `end` has
    /// returned. Taken before mutex_. Recursive, because a store may answer a change at once.
    std::recursive_mutex outside_;
    std::mutex mutex_; ///< guards what follows. Neither is held while the host's code runs
    reaction_queue queue_;
    bool begun_ = false;      ///< the stored checkpoint was read
    bool busy_ = false;       ///< see the class
    bool delivering_ = false; ///< a part is with the handlers
    bool ended_ = false;
    bool store_at_end_ = false;
    std::optional<std::stop_callback<std::function<void()>>> on_close_;
};

/// Tells the line once how a step ended that ends later; on the partition's thread, wherever it is
/// called. If it goes without having been called, nobody will ever say: that is an error.
class reaction_sink::line::late_end {
public:
    late_end(std::shared_ptr<line> of, part_ptr part, std::size_t partition, std::size_t which)
        : of_(std::move(of)),
          part_(std::move(part)),
          partition_(partition),
          which_(which) {}
    late_end(const late_end&) = delete;
    late_end& operator=(const late_end&) = delete;
    ~late_end() {
        if (part_)
            tell(
                error{errc::aborted, "the future that react returned went away without an answer"});
    }
    void tell(result<void> how) {
        if (!part_)
            return;
        const auto on = of_->parts_.threads[partition_];
        on->post([of = std::move(of_), part = std::exchange(part_, nullptr), partition = partition_,
                  which = which_, how = std::move(how)]() mutable {
            of->ended_late(std::move(part), partition, which, how);
        });
    }

private:
    std::shared_ptr<line> of_;
    part_ptr part_;
    const std::size_t partition_;
    const std::size_t which_;
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
    catalog::put_checkpoint(into, space_, marked_by(parts_.marks, queue_.pass_over(done)));
}

void reaction_sink::line::end(bool and_store) {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(ended_, true))
            return;
        store_at_end_ = and_store;
    }
    stop_.request_stop();
    const std::lock_guard out(outside_); // what is on its way out is let out
    if (and_store)
        store_at_end();
}

// --- beginning ---------------------------------------------------------------------------------------

void reaction_sink::line::listen() {
    on_close_.emplace(parts_.activity->closing(), [weak = weak_from_this()] {
        if (const auto me = weak.lock())
            me->end(true);
    });
}

void reaction_sink::line::begin() {
    // What an earlier sink has on its way may need no thread while it waits for its end.
    parts_.activity->when_idle([me = shared_from_this()] {
        for (const auto& thread : me->parts_.threads)
            thread->post([me] { me->thread_is_free(); });
    });
}

void reaction_sink::line::thread_is_free() {
    if (++free_threads_ % parts_.threads.size() != 0)
        return;
    const std::lock_guard out(outside_);
    if (has_ended())
        return;
    parts_.store->apply({}, [me = shared_from_this()](const result<void>& how) {
        if (how)
            me->parts_.threads.front()->post([me] { me->read_start(); });
        else
            me->tell_lost(how.error());
    });
}

void reaction_sink::line::read_start() {
    result<std::optional<checkpoint_record>> found = std::optional<checkpoint_record>();
    {
        auto snapshot = parts_.store->snapshot();
        found = snapshot ? catalog::find_checkpoint(**snapshot, space_) : snapshot.error();
    }
    if (!found) {
        tell_lost(found.error());
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        begun_ = true;
        if (*found)
            queue_.stand_at(**found);
    }
    go_on();
}

// --- taking turns ------------------------------------------------------------------------------------

void reaction_sink::line::go_on() {
    for (bool more = true; more;) {
        const std::lock_guard out(outside_);
        bool begun = false;
        part_ptr next;
        change due;
        {
            const std::lock_guard lock(mutex_);
            if (ended_)
                return;
            begun = begun_;
            if (begun) {
                next = queue_.next();
                due = queue_.due_before(next.get());
            }
        }
        if (!begun) {
            begin();
            return;
        }
        auto rows = rows_of(due);
        if (!rows.empty()) {
            auto done = [me = shared_from_this(), due,
                         next = std::move(next)](const result<void>& how) mutable {
                me->stored(how, due, std::move(next));
            };
            parts_.store->apply(std::move(rows), std::move(done));
            return;
        }
        more = tell_and_start(std::move(next));
    }
}

void reaction_sink::line::stored(const result<void>& how, const change& what, part_ptr next) {
    if (!how) {
        tell_lost(how.error());
        return;
    }
    if (what.checkpoint) {
        const std::lock_guard lock(mutex_);
        queue_.stored(*what.checkpoint);
    }
    if (tell_and_start(std::move(next)))
        go_on();
}

bool reaction_sink::line::tell_and_start(part_ptr next) {
    {
        const std::lock_guard out(outside_);
        std::vector<sink_report> told;
        {
            const std::lock_guard lock(mutex_);
            if (ended_)
                return false;
            told = queue_.take_reports();
        }
        for (auto& one : told)
            parts_.report(std::move(one));
    }
    {
        const std::lock_guard lock(mutex_);
        if (ended_)
            return false;
        if (next == nullptr || !queue_.wants(*next)) {
            busy_ = !queue_.empty();
            return busy_;
        }
        delivering_ = true;
        next->activity = parts_.activity->begin();
    }
    start(std::move(next));
    return false;
}

void reaction_sink::line::tell_lost(const error& why) {
    {
        const std::lock_guard out(outside_);
        sink_report lost;
        {
            const std::lock_guard lock(mutex_);
            if (ended_)
                return;
            lost = queue_.lost(why);
        }
        parts_.report(std::move(lost));
    }
    if (tell_and_start(nullptr))
        go_on();
}

// --- delivering --------------------------------------------------------------------------------------

void reaction_sink::line::start(part_ptr part) {
    std::vector<std::size_t> busy;
    for (std::size_t i = 0; i != part->shares.size(); ++i)
        if (!part->shares[i].steps.empty())
            busy.push_back(i);
    for (const std::size_t i : busy) {
        part_ptr its = i == busy.back() ? std::move(part) : part;
        parts_.threads[i]->post([me = shared_from_this(), its = std::move(its), i]() mutable {
            me->work(std::move(its), i);
        });
    }
}

void reaction_sink::line::work(part_ptr part, std::size_t partition) {
    const auto steps = part->shares[partition].steps.size();
    for (std::size_t i = 0; i != steps; ++i)
        (void)run(part, partition, i);
    leave(std::move(part), partition);
}

bool reaction_sink::line::run(const part_ptr& part, std::size_t partition, std::size_t which) {
    auto& mine = part->shares[partition];
    {
        const std::lock_guard lock(mutex_);
        if (stop_.stop_requested() || !mine.may_begin(which))
            return false;
        mine.begin(which);
    }
    const auto& step = mine.steps[which];
    handled how = handlers_[partition]->react(
        *part->events, step.index, {step.redelivered, step.attempt, stop_.get_token(), nullptr});
    if (how.when_ended) {
        how.when_ended(
            [end = std::make_shared<late_end>(shared_from_this(), part, partition, which)](
                result<void> came) { end->tell(std::move(came)); });
        return false;
    }
    const std::lock_guard lock(mutex_);
    mine.end(which, how.how);
    (void)mine.leave(); // whoever called keeps the share open
    return true;
}

/// Its stream goes on at once: the thread that began the steps is through with them by now, or, if
/// the threads have been stopped, nothing begins any more.
void reaction_sink::line::ended_late(part_ptr part, std::size_t partition, std::size_t which,
                                     const result<void>& how) {
    auto& mine = part->shares[partition];
    {
        const std::lock_guard lock(mutex_);
        mine.end(which, how);
    }
    for (auto next = mine.steps[which].next; next; next = mine.steps[*next].next)
        if (!run(part, partition, *next))
            break;
    leave(std::move(part), partition);
}

void reaction_sink::line::leave(part_ptr part, std::size_t partition) {
    {
        const std::lock_guard lock(mutex_);
        if (!part->shares[partition].leave()) {
            part.reset(); // while mutex_ is held, so before the last one goes on
            return;
        }
    }
    ended(std::move(part), partition);
}

void reaction_sink::line::ended(part_ptr part, std::size_t partition) {
    bool store = false;
    std::shared_ptr<void> activity;
    {
        const std::lock_guard lock(mutex_);
        if (!queue_.ended(*part, partition)) {
            part.reset(); // while mutex_ is held, so before the last thread goes on
            return;
        }
        delivering_ = false;
        store = ended_ && store_at_end_;
        activity = std::move(part->activity);
    }
    part.reset();
    if (store)
        store_at_end();
    activity.reset();
    go_on();
}

// --- storing -----------------------------------------------------------------------------------------

void reaction_sink::line::store_at_end() {
    change last;
    {
        const std::lock_guard lock(mutex_);
        if (delivering_)
            return; // whoever ends the part stores
        last = queue_.due_at_end();
    }
    auto rows = rows_of(last);
    if (!rows.empty())
        parts_.store->apply(std::move(rows), [](const result<void>&) {});
}

bool reaction_sink::line::has_ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
}

row_changes reaction_sink::line::rows_of(const change& what) const {
    row_changes rows;
    if (what.checkpoint)
        catalog::put_checkpoint(rows, space_, marked_by(parts_.marks, *what.checkpoint));
    for (const auto position : what.replayed)
        catalog::erase_set_aside(rows, name_, position);
    return rows;
}

// --- the sink ----------------------------------------------------------------------------------------

reaction_sink::reaction_sink(sink_parts parts,
                             std::vector<std::unique_ptr<reaction_type::handler>> handlers,
                             std::string name, row_space space, const checkpoint_record& start,
                             std::size_t most_in_part)
    : line_(std::make_shared<line>(std::move(parts), std::move(handlers), std::move(name), space,
                                   start, most_in_part)) {
    line_->listen();
}

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

} // namespace annals
