#include "projection_book.hpp"

#include <algorithm>

namespace annals {

generation_record projection_book::present_generation(const projection_type& type) {
    generation_record made;
    made.version = type.version();
    if (type.kind() == projection_kind::stored_view)
        made.shape = static_cast<const stored_view_type&>(type).shape();
    return made;
}

result<std::shared_ptr<projection_book>>
projection_book::open(const hosted& what, std::shared_ptr<projection_store> store,
                      log_position head) {
    const projection_type& type = *what.projection;
    std::string name(type.name());
    std::shared_ptr<projection_book> made(new projection_book(std::move(name), std::move(store)));
    auto snapshot = made->store_->snapshot();
    if (!snapshot)
        return snapshot.error();
    auto found = catalog::find(**snapshot, made->name_);
    if (!found)
        return found.error();
    const auto kind = static_cast<std::uint8_t>(type.kind());
    if (*found && (*found)->kind != kind)
        return error{errc::invalid_argument,
                     "\"" + made->name_ + "\" has been a " +
                         std::string(to_string(static_cast<projection_kind>((*found)->kind))) +
                         " in this store and cannot become a " +
                         std::string(to_string(type.kind())) + "; give it another name"};
    const bool known = found->has_value();
    if (known)
        made->record_ = **std::move(found);
    made->record_.kind = kind;
    auto positions = catalog::set_aside_positions(**snapshot, made->name_);
    if (!positions)
        return positions.error();
    made->set_aside_ = *std::move(positions);
    if (auto checked = made->check_positions(**snapshot, head); !checked)
        return checked.error();
    (*snapshot).reset();
    if (auto entered = made->enter(what, head); !entered)
        return entered.error();
    return made;
}

/// What is built from a log cannot be ahead of it, unless the log was put back from an older copy.
result<void> projection_book::check_positions(row_snapshot& in, log_position head) const {
    for (const auto* each : {&record_.serving, &record_.building}) {
        if (each->space == 0)
            continue;
        auto checkpoint = catalog::find_checkpoint(in, each->space);
        if (!checkpoint)
            return checkpoint.error();
        if (*checkpoint && (*checkpoint)->done > head)
            return error{errc::corrupt,
                         "projection \"" + name_ + "\" has seen position " +
                             std::to_string((*checkpoint)->done) +
                             ", and the log ends at " + std::to_string(head) +
                             ": the log was put back from an older copy. Put back views.mdb with it, "
                             "or delete it (views are built again; reactions begin anew)",
                         (*checkpoint)->done};
    }
    return {};
}

result<void> projection_book::enter(const hosted& what, log_position head) {
    const projection_type& type = *what.projection;
    row_changes changes;
    const projection_record before = record_;
    if (type.kind() == projection_kind::stored_view) {
        generation_record wanted = present_generation(type);
        // A half-built generation of yet another version is of no use to anybody.
        if (record_.building.space != 0 && !same_make(record_.building, wanted)) {
            catalog::drop(changes, record_.building);
            record_.building = {};
        }
        if (record_.serving.space == 0) {
            wanted.space = store_->new_space();
            record_.serving = wanted;
            catalog::put_checkpoint(changes, wanted.space, {});
        } else if (!same_make(record_.serving, wanted) && record_.building.space == 0) {
            wanted.space = store_->new_space();
            record_.building = wanted;
            catalog::put_checkpoint(changes, wanted.space, {});
        }
    } else if (type.kind() == projection_kind::reaction && record_.serving.space == 0) {
        const auto start = static_cast<const reaction_type&>(type).start();
        record_.serving = present_generation(type);
        record_.serving.space = store_->new_space();
        checkpoint_record begin;
        if (start == reaction_start::now)
            begin.done = begin.begun = head;
        record_.serving.since = begin.done;
        catalog::put_checkpoint(changes, record_.serving.space, begin);
    } else if (type.kind() == projection_kind::view && record_.serving.space == 0 &&
               record_.serving.version != type.version()) {
        version_changed_ = record_.serving.version != 0;
        record_.serving = present_generation(type);
    }
    if (record_ == before && changes.empty())
        return {};
    catalog::put(changes, name_, record_);
    return apply_and_wait(*store_, std::move(changes));
}

projection_record projection_book::record() const {
    const std::lock_guard lock(mutex_);
    return record_;
}

std::vector<log_position> projection_book::set_aside() const {
    const std::lock_guard lock(mutex_);
    return set_aside_;
}

void projection_book::now_set_aside(log_position position) {
    const std::lock_guard lock(mutex_);
    const auto at = std::lower_bound(set_aside_.begin(), set_aside_.end(), position);
    if (at == set_aside_.end() || *at != position)
        set_aside_.insert(at, position);
}

void projection_book::no_longer_set_aside(log_position position) {
    const std::lock_guard lock(mutex_);
    std::erase(set_aside_, position);
}

} // namespace annals
