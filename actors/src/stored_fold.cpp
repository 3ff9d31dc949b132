#include "stored_fold.hpp"

#include "view_code_scope.hpp"

#include <algorithm>
#include <utility>

namespace annals {

stored_fold::stored_fold(std::shared_ptr<projection_store> store, const stored_view_type& type,
                         row_space space, const checkpoint_record& start)
    : store_(std::move(store)),
      type_(type),
      space_(space),
      start_(start),
      rows_(store_, space),
      written_(start),
      at_(start) {}

result<void> stored_fold::begin() {
    rows_.forget();
    view_ = type_.bind(rows_);
    const auto snapshot = store_->snapshot();
    if (!snapshot)
        return snapshot.error();
    const auto found = catalog::find_checkpoint(**snapshot, space_);
    if (!found)
        return found.error();
    at_ = written_ = found->value_or(start_);
    return {};
}

std::optional<stored_part> stored_fold::fold(const slice& of, std::size_t& next,
                                             const std::atomic<bool>& stopped) {
    const decoded_events& events = *of.events;
    if (of.replayed == 0)
        while (next < events.count && events.label(next).position <= at_.done)
            ++next;
    std::uint64_t folded = 0;
    result<void> how;
    while (next < events.count && rows_.changed_bytes() < most_part_bytes &&
           rows_.held_bytes() < most_held_bytes) {
        if (stopped.load(std::memory_order_relaxed))
            return std::nullopt;
        how = fold_one(events, next);
        if (!how)
            break;
        ++next;
        ++folded;
    }
    return finish(of, next, folded, how);
}

result<void> stored_fold::fold_one(const decoded_events& events, std::size_t index) {
    static const std::function<void(std::size_t)> nobody;
    rows_.begin_event();
    const view_code_scope scope(type_.name()); // the host's evolve
    auto came = view_->fold(events, index, index + 1, nobody);
    if (rows_.failure())
        return *rows_.failure();
    if (!came.status) {
        rows_.undo_event();
        view_ = type_.bind(rows_); // the host's value may be half changed or moved from
    }
    return came.status;
}

stored_part stored_fold::finish(const slice& of, std::size_t next, std::uint64_t folded,
                                const result<void>& how) {
    const decoded_events& events = *of.events;
    stored_part part;
    part.report.epoch = of.epoch;
    part.report.next = next;
    if (!how)
        part.report.why = how.error();
    if (rows_.failure()) { // nothing of this part can be trusted
        part.report.lost = true;
        part.report.done = written_.done;
        return part;
    }
    part.report.finished = how && next == events.count;
    part.report.events = folded;
    if (of.replayed == 0) {
        const log_position done = part.report.finished ? events.through
                                  : how                ? events.label(next - 1).position
                                                       : events.label(next).position - 1;
        at_.done = std::max(at_.done, done);
    }
    at_.events += folded;
    at_.changes += folded > 0 ? 1 : 0;
    part.report.done = at_.done;
    if (folded > 0 || at_.done - std::min(written_.done, at_.done) >= lazy_positions)
        seal(part, of);
    return part;
}

void stored_fold::seal(stored_part& part, const slice& of) {
    part.stores = true;
    part.changes = rows_.seal();
    part.checkpoint = at_;
    if (of.replayed != 0 && part.report.finished)
        catalog::erase_set_aside(part.changes, type_.name(), of.replayed);
    written_ = at_;
}

} // namespace annals
