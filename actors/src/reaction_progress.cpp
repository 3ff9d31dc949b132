#include "reaction_progress.hpp"

#include "stream_partition.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace annals {

reaction_part replay_part(std::shared_ptr<const decoded_events> events, std::size_t index,
                          unsigned attempt, std::size_t partitions) {
    reaction_part made;
    made.first = index;
    made.end = index + 1;
    made.shares.resize(partitions);
    made.running = 1;
    const auto label = events->label(index);
    made.shares[partition_of(label.stream, partitions)].steps.push_back(
        {index, label.position, true, attempt});
    made.events = std::move(events);
    return made;
}

void reaction_part::share::end(std::size_t which, const result<void>& how) {
    step& one = steps[which];
    if (how) {
        one.now = step::state::succeeded;
    } else {
        one.now = step::state::failed;
        one.failure = how.error();
        failed = true;
    }
}

reaction_progress::reaction_progress(checkpoint_record start)
    : stored_(start),
      begun_before_(start.begun),
      done_(start.done),
      last_effect_(start.done),
      events_(start.events) {
    stored_.mark = 0; // given to a checkpoint when it is stored
}

// --- giving an event up ----------------------------------------------------------------------------

checkpoint_record reaction_progress::pass_over(log_position done) {
    auto behind = checkpoint();
    behind.done = std::max(behind.done, done);
    behind.begun = std::max(behind.begun, behind.done);
    passed_ = behind;
    return behind;
}

void reaction_progress::arrive(log_position from) {
    if (!passed_)
        return;
    if (from > passed_->done) {
        stored(*passed_);
        move_to(passed_->done);
    }
    passed_.reset();
}

// --- delivering ------------------------------------------------------------------------------------

reaction_part reaction_progress::plan(std::shared_ptr<const decoded_events> events,
                                      std::size_t first, std::size_t end, unsigned attempt,
                                      std::size_t partitions) const {
    reaction_part made;
    made.first = first;
    made.end = end;
    made.shares.resize(partitions);
    std::vector<bool> waits(partitions, false);
    std::unordered_map<std::string_view, std::size_t> last_of; ///< each stream's last step
    for (std::size_t i = first; i != end; ++i) {
        const auto label = events->label(i);
        const auto partition = partition_of(label.stream, partitions);
        const auto before = outcomes_.find(label.position);
        const bool tried = before != outcomes_.end();
        if (tried && before->second.failure)
            waits[partition] = true;
        if (label.position <= done_ || waits[partition] || (tried && before->second.succeeded))
            continue;
        const unsigned which =
            std::max(i == first ? attempt : 1, tried ? before->second.failures + 1 : 1);
        const bool again = tried || which > 1 || label.position <= begun_before_;
        auto& steps = made.shares[partition].steps;
        made.running += steps.empty() ? 1U : 0U;
        const auto [at, first_of_stream] = last_of.try_emplace(label.stream, steps.size());
        steps.push_back({i, label.position, again, which});
        if (!first_of_stream) {
            steps.back().before = at->second;
            steps[at->second].next = steps.size() - 1;
            at->second = steps.size() - 1;
        }
        made.last = label.position;
    }
    made.events = std::move(events);
    return made;
}

void reaction_progress::record(const reaction_part::share& of) {
    using state = reaction_part::step::state;
    for (const auto& step : of.steps) {
        if (step.now == state::waiting)
            continue;
        auto& tried = outcomes_[step.position]; // it was delivered, whatever came of it
        tried.succeeded = step.now == state::succeeded;
        tried.failure = step.failure;
        tried.failures += step.failure ? 1U : 0U;
    }
}

reaction_progress::standing reaction_progress::advance(const reaction_part& over) {
    for (std::size_t i = over.first; i != over.end; ++i) {
        const auto position = over.events->label(i).position;
        if (position <= done_)
            continue;
        const auto how = outcomes_.find(position);
        if (how == outcomes_.end() || !how->second.succeeded) {
            move_to(position - 1);
            const bool failed = how != outcomes_.end() && how->second.failure;
            return {i, failed ? &*how->second.failure : nullptr};
        }
        move_to(position);
        last_effect_ = position;
        ++events_;
        ++untold_;
    }
    return {over.end, nullptr};
}

void reaction_progress::look_past(log_position through) {
    if (through > done_)
        move_to(through);
}

void reaction_progress::told_failure() {
    const auto lowest = outcomes_.begin();
    if (lowest != outcomes_.end())
        lowest->second.failure.reset();
}

void reaction_progress::move_to(log_position done) {
    done_ = std::max(done_, done);
    outcomes_.erase(outcomes_.begin(), outcomes_.upper_bound(done_));
}

// --- the checkpoint --------------------------------------------------------------------------------

checkpoint_record reaction_progress::checkpoint(log_position begin) const {
    const auto tried = outcomes_.empty() ? log_position{0} : outcomes_.rbegin()->first;
    return {done_, std::max({done_, begun_before_, tried, begin}), events_, 0};
}

void reaction_progress::stored(const checkpoint_record& checkpoint) {
    stored_ = checkpoint;
    on_its_way_.reset();
}

bool reaction_progress::is_due() const noexcept {
    return last_effect_ > stored_.done || done_ - stored_.done >= lazy_positions;
}

bool reaction_progress::should_store_at_end() const noexcept {
    return !passed_ && on_its_way_.value_or(stored_) != checkpoint();
}

} // namespace annals
