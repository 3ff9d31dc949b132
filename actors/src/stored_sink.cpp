#include "stored_sink.hpp"

#include "row_progress.hpp"
#include "stored_fold.hpp"

#include "annals/hosting.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace annals {

/// The slices on their way, in order. One task at a time folds; one part at a time is being stored, and
/// one more may wait for that. While one waits nothing is folded.
class stored_sink::line : public std::enable_shared_from_this<line> {
public:
    line(sink_parts parts, const stored_view_type& type, row_space space,
         const checkpoint_record& start)
        : parts_(std::move(parts)),
          space_(space),
          fold_(parts_.store, type, space, start),
          stored_(start) {}

    void take(slice what) {
        bool first = false;
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(std::move(what));
            if (std::exchange(folding_, true))
                return;
            first = !std::exchange(begun_, true);
        }
        if (first)
            wait_for_the_store();
        else
            post();
    }

    void pass_over(row_changes& into, log_position done) {
        const std::lock_guard lock(mutex_);
        checkpoint_record behind = stored_;
        behind.done = std::max(behind.done, done);
        note_on_its_way(behind);
        catalog::put_checkpoint(into, space_, marked_by(parts_.marks, behind));
    }

    void stop() {
        stopped_.store(true);
        const std::lock_guard lock(outside_); // what is taking effect is let finish
    }

private:
    void post() {
        parts_.threads.front()->post([me = shared_from_this()] { me->work(); });
    }

    /// What a sink before this one had on its way to the same rows is there when this is answered, and
    /// only then can be told where to begin.
    void wait_for_the_store() {
        const std::lock_guard lock(outside_);
        if (!stopped_)
            parts_.store->apply({}, [me = shared_from_this()](const result<void>&) { me->post(); });
    }

    // -- folding: one task at a time --------------------------------------------------------------

    /// `executor` tasks must not throw.
    void work() noexcept {
        while (prepare()) {
            std::optional<stored_part> part;
            try {
                part = next_part();
            } catch (...) {
                part = lost(error{errc::handler_failed, "folding into a stored view threw: " +
                                                            describe_current_exception()});
            }
            if (!part) {
                fold_.rest();
                return; // stopped
            }
            submit(*std::move(part));
        }
    }

    /// Makes sure that `present_` is there to be folded. False: the task ends; `advance` or `take`
    /// begins another one.
    [[nodiscard]] bool prepare() {
        std::size_t settled = 0;
        {
            const std::lock_guard lock(mutex_);
            while (!queue_.empty() && (queue_.front().epoch < wanted_epoch_ ||
                                       queue_.front().epoch < queue_.back().epoch))
                queue_.pop_front();
            if (present_.epoch < wanted_epoch_ ||
                (!queue_.empty() && present_.epoch < queue_.front().epoch))
                present_ = {};
            const bool idle = !present_.events && queue_.empty();
            const bool other_epoch =
                !present_.events && !queue_.empty() && queue_.front().epoch != epoch_;
            if (stopped_ || waiting_ || idle || (other_epoch && storing_)) {
                fold_.rest();
                folding_ = false;
                return false;
            }
            if (!present_.events) {
                present_ = std::move(queue_.front());
                queue_.pop_front();
                next_ = present_.first;
            }
            settled = std::exchange(settled_, 0);
        }
        for (; settled > 0; --settled)
            fold_.settle();
        return true;
    }

    [[nodiscard]] std::optional<stored_part> next_part() {
        if (present_.epoch != epoch_) {
            if (auto begun = fold_.begin(); !begun)
                return lost(begun.error());
            epoch_ = present_.epoch;
            const std::lock_guard lock(mutex_);
            stored_ = fold_.checkpoint();
        }
        return fold_.fold(present_, next_, stopped_);
    }

    [[nodiscard]] stored_part lost(error why) const {
        stored_part part;
        part.report.epoch = present_.epoch;
        part.report.done = fold_.checkpoint().done;
        part.report.next = next_;
        part.report.why = std::move(why);
        part.report.lost = true;
        return part;
    }

    // -- storing: one part at a time ----------------------------------------------------------------

    void submit(stored_part part) {
        {
            const std::lock_guard lock(mutex_);
            if (present_.epoch < wanted_epoch_)
                return; // what it rests on was not stored
            if (part.report.why)
                wanted_epoch_ = present_.epoch + 1;
            if (part.report.why || part.report.finished)
                present_ = {};
            if (std::exchange(storing_, true)) {
                waiting_ = std::move(part);
                return;
            }
        }
        store(std::move(part));
    }

    void store(stored_part part) {
        if (!part.stores) {
            stored(part, {});
            return;
        }
        const std::lock_guard lock(outside_);
        if (stopped_)
            return;
        note_on_its_way(part.checkpoint);
        auto changes = std::move(part.changes);
        catalog::put_checkpoint(changes, space_, marked_by(parts_.marks, part.checkpoint));
        const auto kept = std::make_shared<stored_part>(std::move(part));
        parts_.store->apply(
            std::move(changes),
            [me = shared_from_this(), kept](const result<void>& how) { me->stored(*kept, how); });
    }

    /// An answer may tell this checkpoint before the store says that it has it.
    void note_on_its_way(const checkpoint_record& checkpoint) const {
        if (parts_.rows)
            parts_.rows->may_reach(space_, checkpoint.done);
    }

    /// On a thread of the store, or within `store`.
    void stored(stored_part& part, const result<void>& how) {
        {
            const std::lock_guard lock(mutex_);
            if (!how) {
                wanted_epoch_ = std::max(wanted_epoch_, part.report.epoch + 1);
                waiting_.reset(); // it rests on what is not stored
                part.report = {part.report.epoch, stored_.done, 0,    false,
                               part.report.next,  how.error(),  true, false};
            } else if (part.stores) {
                ++settled_;
                stored_ = part.checkpoint;
            }
        }
        tell(std::move(part.report));
        advance();
    }

    void tell(sink_report what) {
        const std::lock_guard lock(outside_);
        if (!stopped_)
            parts_.report(std::move(what));
    }

    /// The part that waits is stored next; and folding goes on, if it ended because of this.
    void advance() {
        std::optional<stored_part> next;
        bool resume = false;
        {
            const std::lock_guard lock(mutex_);
            next = std::exchange(waiting_, std::nullopt);
            storing_ = next.has_value();
            if (stopped_)
                return;
            resume = !folding_ && (present_.events || !queue_.empty());
            folding_ = folding_ || resume;
        }
        if (next)
            store(*std::move(next));
        if (resume)
            post();
    }

    const sink_parts parts_;
    const row_space space_;

    // Of the one task that folds.
    stored_fold fold_;
    std::optional<std::uint64_t> epoch_; ///< that `fold_` is in
    std::size_t next_ = 0;               ///< index in `present_` of the next event

    std::mutex mutex_;
    std::deque<slice> queue_;
    slice present_; ///< without events if there is none
    bool begun_ = false;
    bool folding_ = false; ///< a task is posted or runs, or the store is waited for
    bool storing_ = false;
    std::optional<stored_part> waiting_; ///< for the one that is being stored
    std::size_t settled_ = 0;            ///< parts that were stored since `fold_` was told
    std::uint64_t wanted_epoch_ = 0;     ///< nothing from before it is taken any more
    checkpoint_record stored_;

    /// Held while something takes effect outside: a change, or a report. Never taken with `mutex_`.
    /// Recursive, because a store may answer a change at once.
    std::recursive_mutex outside_;
    std::atomic<bool> stopped_{false};
};

stored_sink::stored_sink(sink_parts parts, const stored_view_type& type, row_space space,
                         const checkpoint_record& start)
    : line_(std::make_shared<line>(std::move(parts), type, space, start)) {}

stored_sink::~stored_sink() {
    line_->stop();
}

void stored_sink::take(slice what) {
    line_->take(std::move(what));
}

void stored_sink::pass_over(row_changes& into, log_position done) {
    line_->pass_over(into, done);
}

void stored_sink::stop() {
    line_->stop();
}

} // namespace annals
