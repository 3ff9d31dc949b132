#include "projection_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

/// The projection's actor: changing places after a rebuild.
///
/// The catalog is told first, in one transaction: which generation serves, what it has set aside, and
/// that the rows - or the saved copy - of the one before go. Both lanes stand still meanwhile, so that
/// neither takes nor sets aside anything in between. Rows change places by that alone. A view in memory
/// then changes places in its query actor, where the two states meet at one position; until then the
/// one before answers. A crash between the two loses only memory: the next opening begins as the
/// catalog says.
namespace annals {

void projection_actor::try_swap() {
    lane* next = building();
    if (next == nullptr || swap_ != swap_step::none || busy_ || catalog_waits_)
        return;
    lane* old = serving();
    if (!next->caught_up() || !next->running()) { // nobody stands still for one that is not there
        for (lane* each : {old, next})
            if (each != nullptr)
                each->pause(paused_);
        return;
    }
    if (old != nullptr && !old->failed()) {
        old->pause(true);
        if (!old->at_rest())
            return;
    }
    // No answer may go back: what was told of the rows before is true of the new ones first.
    if (kind() == projection_kind::stored_view &&
        next->position() <
            of_->rows->most(old != nullptr ? old->generation().space : frozen_.space)) {
        next->pause(paused_);
        return;
    }
    next->pause(true);
    if (next->at_rest())
        store_swap(*next);
}

void projection_actor::store_swap(lane& next) {
    swap_ = swap_step::storing;
    busy_ = true;
    swap_failure_ = {};
    swap_rebuilding_ = std::exchange(rebuilding_, {});
    swap_replaying_ = std::exchange(replaying_by_rebuild_, {});
    of_->book->begin_era(); // no copy of what leaves is saved any more
    row_changes changes;
    generation_record to = next.generation();
    if (kind() == projection_kind::stored_view) {
        // Its checkpoint may be a little behind it, over events that the view does not want. Answers
        // are to know its position before they can see that it serves.
        of_->rows->reached(to.space, next.position());
    } else {
        to.space = 0;
        to.version = of_->what.projection->version();
    }
    erase_being_set_aside(changes, &next);
    of_->book->adopt_set_aside(changes);
    change_record(
        [to](projection_record& record, row_changes& also) {
            if (record.serving.space != 0 && record.serving.space != to.space)
                catalog::drop(also, record.serving); // rows, or a saved copy
            record.serving = to;
            record.building = {};
        },
        std::move(changes),
        [this, id = next.id()](const result<void>& stored) {
            lane* const built = find(id);
            if (stored)
                swap_stored(*built);
            else
                swap_refused(stored.error());
            turn_is_over();
        });
}

void projection_actor::swap_stored(lane& next) {
    of_->book->set_aside_adopted();
    show_set_aside();
    leaving_ = std::exchange(serving_, std::exchange(building_, 0));
    list_is_old_ = false;
    swap_ = swap_step::meeting;
    for (lane* each : {find(leaving_), &next})
        if (each != nullptr)
            each->pause(paused_);
    if (kind() == projection_kind::stored_view) {
        const log_position position = position_of(next);
        of_->serving_space.store(next.generation().space);
        of_->rows->keep_only({next.generation().space});
        gauge_->serves_version(next.generation().version);
        gauge_->reached(position, 0, next.read_at(), core_->parts.clock->steady());
        caf::anon_send(queries_, advanced_message{position});
    }
    if (next.failed())
        lane_failed(next, std::exchange(swap_failure_, {}));
    else if (kind() == projection_kind::stored_view)
        end_swap({});
    else // its actor has both states, and sees when they meet
        caf::anon_send(queries_,
                       swap_message{next.id(), of_->book->era(), next.generation().since});
}

/// It goes on as before, and tries again.
void projection_actor::swap_refused(const error& why) {
    swap_ = swap_step::none;
    for (auto [from, to] : {std::pair(&swap_rebuilding_, &rebuilding_),
                            std::pair(&swap_replaying_, &replaying_by_rebuild_)})
        for (duty& each : std::exchange(*from, {}))
            to->push_back(std::move(each));
    save_copies();
    try_again_later(why);
    if (lane* next = building(); next != nullptr && next->failed())
        lane_failed(*next, std::exchange(swap_failure_, {}));
    else if (is_final(why.code) || why.code == errc::too_large)
        fail_rebuild(why); // it goes on trying, but nobody shall wait for that
}

void projection_actor::try_again_later(const error& why) {
    catalog_waits_ = true;
    gauge_->failed_with(why.message);
    for (lane* each : {serving(), building()})
        if (each != nullptr)
            each->pause(paused_);
    const auto delay = std::clamp<std::chrono::milliseconds>(
        of_->what.options.on_failure.longest_delay, std::chrono::milliseconds(100),
        std::chrono::seconds(30));
    core_->remind(core_->parts.clock->steady() + delay, self(), swap_again_message{});
}

/// From the view's actor.
void projection_actor::on_swapped(const swapped_message& m) {
    if (swap_ != swap_step::meeting || m.lane != serving_)
        return; // a reset came between, or it has failed or begins again
    end_swap({});
    try_swap(); // what is built beside it may be ready already
}

void projection_actor::end_swap(const result<void>& how) {
    swap_ = swap_step::none;
    frozen_ = {};
    if (const lane* now = serving())
        correct_list(*now);
    if (!how)
        gauge_->serves_version(of_->what.projection->version()); // as soon as it is resumed
    if (building_ == 0) // no earlier: a view in memory answers as before until the states meet
        gauge_->rebuilds(std::nullopt);
    leaving_ = 0;
    prune();
    answer_paused();
    if (how && queries_)
        caf::anon_send(queries_, projection_resumed_message{}); // the old one may have failed
    for (const duty& each : std::exchange(swap_rebuilding_, {})) {
        if (how)
            (*each)->complete(gauge_->position());
        else
            (*each)->complete(how.error());
    }
    for (const duty& each : std::exchange(swap_replaying_, {})) {
        const log_position position = (*each)->position;
        if (!how)
            (*each)->complete(how.error());
        else if (of_->book->has_set_aside(position))
            (*each)->complete(error{errc::handler_failed,
                                    "event " + std::to_string(position) +
                                        " failed again and stays in the list; look at its error",
                                    position});
        else
            (*each)->complete(position);
    }
    show_mode();
}

/// While the states were about to meet, what leaves may have set an event aside that the other took.
void projection_actor::correct_list(const lane& of) {
    row_changes changes;
    for (const log_position each : of_->book->set_aside())
        if (!of.skips(each) && each != of.being_set_aside()) {
            of_->book->erase_set_aside(changes, projection_book::list::serving, each);
            of_->book->no_longer_set_aside(each);
        }
    for (const auto& [id, each] : lanes_)
        if (const log_position coming = each->being_set_aside(); each.get() != &of && coming != 0 &&
                                                                 !of.skips(coming) &&
                                                                 coming != of.being_set_aside()) {
            of_->book->erase_set_aside(changes, projection_book::list::serving, coming);
            each->forget_being_set_aside();
        }
    show_set_aside();
    if (!changes.empty())
        of_->book->store().apply(std::move(changes), [](const result<void>&) {
            // What could not be erased is skipped by the next opening, and listed: it can be replayed.
        });
}

void projection_actor::settle_old_list() {
    const lane* now = serving();
    if (!list_is_old_ || busy_ || catalog_waits_ || now == nullptr || !now->caught_up() ||
        !now->running())
        return;
    row_changes changes;
    std::vector<log_position> taken;
    for (const log_position each : of_->book->set_aside())
        if (each <= now->position() && !now->skips(each) && each != now->being_set_aside())
            taken.push_back(each);
    for (const log_position each : taken)
        of_->book->erase_set_aside(changes, projection_book::list::serving, each);
    busy_ = true;
    change_record(
        [now = of_->book->present()](projection_record& record, row_changes& also) {
            if (record.serving.space != 0)
                catalog::drop(also, record.serving); // a copy that this version cannot read
            record.serving = now;
        },
        std::move(changes),
        [this, taken = std::move(taken)](const result<void>& stored) {
            if (stored) {
                list_is_old_ = false;
                for (const log_position each : taken)
                    of_->book->no_longer_set_aside(each);
                show_set_aside();
                save_copies();
            } else {
                try_again_later(stored.error());
            }
            turn_is_over();
        });
}

/// What serves, and has its list in the catalog, may be saved.
void projection_actor::save_copies() {
    if (kind() == projection_kind::view && serving_ != 0 && !list_is_old_)
        caf::anon_send(queries_,
                       copies_message{of_->book->era(), of_->book->record().serving.since});
}

} // namespace annals
