#include "slice_marks.hpp"

#include <utility>

namespace annals {

void slice_marks::add(const std::shared_ptr<const decoded_events>& events) {
    log_mark last = events->marked;
    if (last.id == 0 && events->count != 0)
        last = events->mark(events->count - 1);
    push({events, last, false});
}

void slice_marks::add(const log_mark& event) {
    push({{}, event, true});
}

void slice_marks::push(entry next) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() == most_entries) {
        if (entries_.front().last.id != 0)
            known_ = entries_.front().last;
        entries_.pop_front();
    }
    entries_.push_back(std::move(next));
}

checkpoint_record slice_marks::marked(checkpoint_record reached) const {
    const std::lock_guard lock(mutex_);
    reached.mark = 0;
    if (known_.position > reached.done)
        return reached; // not known any more: the next opening marks it
    log_mark best = known_;
    for (const entry& each : entries_) {
        if (each.last.id == 0)
            continue;
        if (each.last.position <= reached.done) {
            best = each.last;
            continue;
        }
        if (each.single)
            continue;
        const auto events = each.events.lock();
        if (!events)
            return reached;
        std::size_t taken = 0;
        for (std::size_t end = events->count; taken != end;) { // how many are not after it
            const std::size_t middle = taken + (end - taken) / 2;
            if (events->label(middle).position <= reached.done)
                taken = middle + 1;
            else
                end = middle;
        }
        if (taken != 0)
            best = events->mark(taken - 1);
        break;
    }
    if (best.id == 0 && best.position != 0)
        return reached; // nothing was known from the start
    reached.done = best.position;
    reached.mark = best.id;
    return reached;
}

} // namespace annals
