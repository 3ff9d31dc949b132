#include "reaction_queue.hpp"

#include <algorithm>
#include <utility>

namespace annals {

reaction_queue::reaction_queue(std::size_t partitions, const checkpoint_record& start,
                               std::size_t most_in_part)
    : partitions_(partitions),
      most_in_part_(most_in_part),
      progress_(start) {}

bool reaction_queue::take(slice what) {
    if (what.epoch < epoch_)
        return false;
    if (what.epoch > epoch_) {
        epoch_ = what.epoch;
        refuses_ = false;
        slices_.clear();
    }
    if (refuses_)
        return false;
    const auto first = what.first;
    const auto& events = *what.events;
    if (what.replayed == 0)
        progress_.arrive(first < events.count ? events.label(first).position : events.through + 1);
    slices_.push_back({std::move(what), first});
    return true;
}

checkpoint_record reaction_queue::pass_over(log_position done) {
    return progress_.pass_over(done);
}

void reaction_queue::stand_at(const checkpoint_record& stored) {
    progress_ = reaction_progress(stored);
}

// --- parts -------------------------------------------------------------------------------------------

reaction_queue::part_ptr reaction_queue::next() {
    while (!slices_.empty()) {
        const auto& front = slices_.front();
        if (front.next == front.what.events->count) {
            finish_front();
            continue;
        }
        auto made = plan(front);
        if (made.running != 0)
            return std::make_shared<reaction_part>(std::move(made));
        settle(made);
    }
    return nullptr;
}

reaction_part reaction_queue::plan(const pending& front) const {
    const auto& what = front.what;
    reaction_part made;
    if (what.replayed != 0) {
        made = replay_part(what.events, what.first, what.attempt, partitions_);
    } else {
        const auto left = what.events->count - front.next;
        const auto end = front.next + std::min(left, most_in_part_);
        const auto attempt = front.next == what.first ? what.attempt : 1;
        made = progress_.plan(what.events, front.next, end, attempt, partitions_);
    }
    made.epoch = what.epoch;
    made.replayed = what.replayed;
    return made;
}

bool reaction_queue::ended(reaction_part& part, std::size_t partition) {
    if (part.replayed == 0)
        progress_.record(part.shares[partition]);
    if (--part.running != 0)
        return false;
    if (wants(part) && !slices_.empty())
        settle(part);
    else if (part.replayed == 0)
        // Of an older epoch: its slice is not wanted any more, but what took effect is behind us. A
        // failure is told when a newer slice comes to it.
        (void)progress_.advance(part);
    return true;
}

void reaction_queue::settle(const reaction_part& part) {
    if (part.replayed != 0) {
        settle_replay(part);
        return;
    }
    const auto came = progress_.advance(part);
    auto& front = slices_.front();
    front.next = came.next;
    if (came.failure != nullptr) {
        failure_among_reports_ = true;
        fail(came.next, *came.failure);
    } else if (front.next != front.what.events->count) {
        reports_.push_back(report());
    }
}

void reaction_queue::settle_replay(const reaction_part& part) {
    auto& front = slices_.front();
    for (const auto& share : part.shares)
        for (const auto& step : share.steps) {
            if (step.failure) {
                fail(front.next, *step.failure);
                return;
            }
            if (step.now == reaction_part::step::state::succeeded) {
                progress_.count_replayed();
                replayed_.push_back(part.replayed);
                front.next = part.end;
            }
        }
}

void reaction_queue::finish_front() {
    const auto& what = slices_.front().what;
    if (what.replayed == 0)
        progress_.look_past(what.events->through);
    reports_.push_back(report());
    reports_.back().finished = true;
    slices_.pop_front();
}

void reaction_queue::fail(std::size_t index, const error& why) {
    auto failed = report();
    failed.next = index;
    failed.why = why;
    reports_.push_back(std::move(failed));
    slices_.clear();
    refuses_ = true;
}

// --- what is stored ----------------------------------------------------------------------------------

reaction_queue::change reaction_queue::due_before(const reaction_part* next) {
    const auto begin = next != nullptr ? next->last : 0;
    change due{{}, std::exchange(replayed_, {})};
    if (progress_.is_due() || !progress_.is_begun(begin)) {
        due.checkpoint = progress_.checkpoint(begin);
        progress_.storing(*due.checkpoint);
    }
    return due;
}

reaction_queue::change reaction_queue::due_at_end() {
    change due{{}, std::exchange(replayed_, {})};
    if (progress_.should_store_at_end())
        due.checkpoint = progress_.checkpoint();
    return due;
}

// --- reports -----------------------------------------------------------------------------------------

sink_report reaction_queue::report() {
    sink_report made;
    made.epoch = epoch_;
    made.done = progress_.done();
    made.events = progress_.take_count();
    return made;
}

std::vector<sink_report> reaction_queue::take_reports() {
    if (std::exchange(failure_among_reports_, false))
        progress_.told_failure();
    return std::exchange(reports_, {});
}

sink_report reaction_queue::lost(const error& why) {
    progress_.not_stored();
    auto made = report();
    made.done = progress_.stored_done();
    for (const auto& untold : std::exchange(reports_, {}))
        made.events += untold.events;
    made.why = why;
    made.lost = true;
    failure_among_reports_ = false;
    slices_.clear();
    refuses_ = true;
    return made;
}

} // namespace annals
