#include "projection_actor.hpp"
#include "projection_sinks.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

/// The projection's actor: what operators ask of it, and changing places after a rebuild.
namespace annals {

namespace {

error not_in_list(const std::string& name, log_position position) {
    return {errc::invalid_argument,
            "\"" + name + "\" has not set event " + std::to_string(position) +
                " aside; projection_control::set_aside lists those that it has",
            position};
}

} // namespace

void projection_actor::on_control(const duty& what) {
    switch ((*what)->what) {
    case control_request::action::pause:
        return pause(what);
    case control_request::action::resume:
        return resume(what);
    case control_request::action::reset:
        return reset(what);
    case control_request::action::rebuild:
        return rebuild(what);
    case control_request::action::replay:
        return replay(what);
    case control_request::action::give_up:
        return give_up(what);
    }
}

/// Runs `then` in this actor once the record is changed durably, or could not be.
template <class Change>
void projection_actor::change_record(Change&& how, row_changes also,
                                     std::function<void(result<void>)> then) {
    of_->book->change(std::forward<Change>(how), std::move(also),
                      [to = caf::actor_cast<caf::weak_actor_ptr>(this),
                       then = std::move(then)](const result<void>& stored) {
                          if (auto actor = caf::actor_cast<caf::actor>(to))
                              caf::anon_send(actor, stored_message{then, stored});
                      });
}

// --- pausing ---------------------------------------------------------------------------------------

/// After a change that was not stored: what `record` says is fed again.
void projection_actor::resume_with(const projection_record& record) {
    if (kind() != projection_kind::stored_view ||
        projection_book::same_make(projection_book::present_generation(*of_->what.projection),
                                   record.serving)) {
        serving_ = last_lane_ + 1;
        add_lane(record.serving, of_->book->set_aside());
    }
    if (record.building.space != 0)
        begin_building(record.building);
}

/// At once; remembered, so that it is still so after the next opening.
void projection_actor::pause(const duty& what) {
    paused_ = true;
    for (auto& [id, each] : lanes_)
        each->pause(true);
    show_mode();
    change_record([](projection_record& record) { record.paused = true; }, {},
                  [this, what](const result<void>& stored) {
                      if (!stored) {
                          (*what)->complete(stored.error());
                          return;
                      }
                      pausing_.push_back(what);
                      answer_paused();
                  });
}

void projection_actor::answer_paused() {
    for (const auto& [id, each] : lanes_)
        if (!each->at_rest())
            return;
    for (const duty& each : std::exchange(pausing_, {}))
        (*each)->complete(gauge_->position());
}

void projection_actor::resume(const duty& what) {
    change_record([](projection_record& record) { record.paused = false; }, {},
                  [this, what](const result<void>& stored) {
                      if (!stored) {
                          (*what)->complete(stored.error());
                          return;
                      }
                      paused_ = of_->book->record().paused; // asked to pause again meanwhile?
                      if (paused_) {
                          (*what)->complete(gauge_->position());
                          return;
                      }
                      for (const duty& each : std::exchange(pausing_, {}))
                          (*each)->complete(gauge_->position());
                      if (queries_)
                          caf::anon_send(queries_, projection_resumed_message{});
                      for (auto& [id, each] : lanes_)
                          if ((!swapping_ || kind() == projection_kind::view) &&
                              (id == serving_ || id == building_)) {
                              each->pause(false);
                              each->resume();
                          }
                      show_mode();
                      (*what)->complete(gauge_->position());
                  });
}

// --- beginning anew --------------------------------------------------------------------------------

/// In place: what there was is gone, and answers are old for a while. `rebuild` is the way without
/// that. A generation of its own, so that nothing in flight reaches the new one.
void projection_actor::reset(const duty& what) {
    const log_position to = (*what)->position;
    if (to > core_->parts.journal->head()) {
        (*what)->complete(error{errc::invalid_argument,
                                "the log ends at " + std::to_string(core_->parts.journal->head()) +
                                    "; reset to a position that is there",
                                to});
        return;
    }
    const projection_record record = of_->book->record();
    generation_record fresh = projection_book::present_generation(*of_->what.projection);
    fresh.since = to;
    if (kind() != projection_kind::view)
        fresh.space = of_->book->store().new_space();
    if (kind() != projection_kind::reaction || record.serving.space == 0) {
        reset_to(what, fresh, 0);
        return;
    }
    // What a reaction has been given before stays known, so that it is flagged. Stopped first: nothing
    // is begun after the reading.
    for (auto& [id, each] : lanes_)
        each->stop();
    core_->parts.feeds->post([of = of_, fresh, what, space = record.serving.space, this,
                              me = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        auto start = checkpoint_start(*of, space);
        result<void> read = start ? result<void>() : start.error();
        const log_position begun = start ? start->checkpoint.begun : 0;
        if (auto actor = caf::actor_cast<caf::actor>(me))
            caf::anon_send(actor, stored_message{[this, what, fresh, begun](result<void> came) {
                                                     if (came)
                                                         reset_to(what, fresh, begun);
                                                     else
                                                         reset_failed(what, came.error());
                                                 },
                                                 std::move(read)});
    });
}

void projection_actor::reset_failed(const duty& what, const error& why) {
    gauge_->failed_with(why.message);
    if (lane* old = serving())
        old->open(); // it goes on from where it was
    (*what)->complete(why);
}

void projection_actor::reset_to(const duty& what, generation_record fresh, log_position begun) {
    of_->book->begin_era();
    for (auto& [id, each] : lanes_)
        each->stop();
    serving_ = building_ = 0;
    swapping_ = false;
    gauge_->rebuilds(std::nullopt);
    fail_rebuild({errc::aborted, "the projection was reset meanwhile"});
    row_changes changes;
    const projection_record old = of_->book->record();
    for (const auto* each : {&old.serving, &old.building})
        if (each->space != 0)
            catalog::drop(changes, *each);
    if (fresh.space != 0) {
        checkpoint_record begin;
        begin.done = fresh.since;
        begin.begun = std::max(fresh.since, begun);
        catalog::put_checkpoint(changes, fresh.space, begin);
    }
    change_record(
        [fresh](projection_record& record) {
            record.serving = fresh;
            record.building = {};
        },
        std::move(changes),
        [this, what, fresh, old, era = of_->book->era()](const result<void>& stored) {
            if (era != of_->book->era()) { // another reset or rebuild has come
                (*what)->complete(error{errc::aborted, "the projection was reset again meanwhile"});
                return;
            }
            serving_ = 0;
            prune();
            if (!stored) { // it goes on with what it had
                resume_with(old);
                reset_failed(what, stored.error());
                return;
            }
            from_scratch_ = true;
            of_->serving_space.store(fresh.space);
            gauge_->serves_version(fresh.version);
            gauge_->stands_at(fresh.since);
            if (queries_) {
                caf::anon_send(queries_, projection_resumed_message{});
                if (kind() == projection_kind::stored_view)
                    caf::anon_send(queries_, advanced_message{fresh.space, fresh.since});
            }
            serving_ = last_lane_ + 1;
            add_lane(fresh, {}).open();
            show_mode();
            (*what)->complete(fresh.since);
        });
}

void projection_actor::rebuild(const duty& what) {
    if (kind() == projection_kind::reaction) {
        (*what)->complete(
            error{errc::invalid_argument,
                  "\"" + gauge_->name() +
                      "\" is a reaction and has no state to rebuild; reset it, if its "
                      "effects shall happen again"});
        return;
    }
    rebuilding_.push_back(what);
    if (lane* now = building()) { // is being built already
        now->resume();
        return;
    }
    const projection_record record = of_->book->record();
    generation_record next = projection_book::present_generation(*of_->what.projection);
    next.since = record.serving.version == next.version ? record.serving.since : 0;
    if (kind() == projection_kind::view) {
        begin_building(next);
        return;
    }
    next.space = of_->book->store().new_space();
    row_changes changes;
    if (record.building.space != 0)
        catalog::drop(changes, record.building);
    checkpoint_record begin;
    begin.done = next.since;
    catalog::put_checkpoint(changes, next.space, begin);
    change_record([next](projection_record& changed) { changed.building = next; },
                  std::move(changes),
                  [this, next](const result<void>& stored) {
                      if (stored && building_ == 0 && of_->book->record().building == next) {
                          begin_building(next);
                          return;
                      }
                      if (!stored)
                          fail_rebuild(stored.error());
                  });
}

void projection_actor::begin_building(generation_record generation) {
    prune();
    rebuild_status progress;
    progress.version = of_->what.projection->version();
    progress.position = generation.since;
    gauge_->rebuilds(progress);
    building_ = last_lane_ + 1;
    add_lane(std::move(generation), {}).open(); // it tries what is set aside
}

void projection_actor::fail_rebuild(const error& why) {
    for (auto* waiting : {&rebuilding_, &replaying_by_rebuild_})
        for (const duty& each : std::exchange(*waiting, {}))
            (*each)->complete(why);
}

void projection_actor::prune() {
    std::erase_if(lanes_, [this](const auto& each) {
        return each.first != serving_ && each.first != building_;
    });
}

// --- changing places -------------------------------------------------------------------------------

void projection_actor::try_swap() {
    lane* next = building();
    if (next == nullptr || swapping_)
        return;
    if (!next->caught_up() || !next->running()) { // nobody stands still for one that is not there
        for (lane* each : {serving(), next})
            if (each != nullptr && kind() == projection_kind::stored_view)
                each->pause(paused_);
        return;
    }
    if (kind() == projection_kind::view) { // its actor has both states, and sees when they meet
        swapping_ = true;
        caf::anon_send(queries_, swap_message{next->id()});
        return;
    }
    lane* old = serving();
    if (old != nullptr && !old->failed()) {
        old->pause(true); // so that there is a position to meet at
        if (!old->at_rest())
            return;
    }
    if (next->position() < (old != nullptr ? old->position() : frozen_at_))
        return;
    next->pause(true); // so that its checkpoint says where it is
    if (next->at_rest())
        swap_stored(*next);
}

/// One transaction: from it on, also after a crash, the new rows answer.
void projection_actor::swap_stored(lane& next) {
    swapping_ = true;
    row_changes changes;
    const lane* old = serving();
    const generation_record left = old != nullptr ? old->generation() : frozen_;
    if (left.space != 0 && left.space != next.generation().space)
        catalog::drop(changes, left);
    checkpoint_record reached; // also over what follows the last event that it wanted
    reached.done = next.position();
    reached.events = next.events();
    catalog::put_checkpoint(changes, next.generation().space, reached);
    change_record(
        [to = next.generation()](projection_record& record) {
            record.serving = to;
            record.building = {};
        },
        std::move(changes),
        [this, id = next.id()](const result<void>& stored) {
            on_swapped({id, 0, stored});
        });
}

void projection_actor::on_swapped(const swapped_message& m) {
    swapping_ = false;
    lane* next = find(m.lane);
    if (next == nullptr || m.lane != building_)
        return;      // a reset came between
    if (!m.stored) { // it goes on as before and tries again when it has moved
        gauge_->failed_with(m.stored.error().message);
        for (lane* each : {serving(), next})
            if (each != nullptr)
                each->pause(paused_);
        core_->remind(core_->parts.clock->steady() + of_->what.options.on_failure.longest_delay,
                      self(), swap_again_message{});
        return;
    }
    serving_ = std::exchange(building_, 0);
    next->pause(paused_);
    clear_list(*next);
    prune();
    if (kind() == projection_kind::stored_view) {
        of_->serving_space.store(next->generation().space);
        gauge_->serves_version(next->generation().version);
        gauge_->rebuilds(std::nullopt);
        gauge_->reached(next->position(), 0, next->read_at(), core_->parts.clock->steady());
        caf::anon_send(queries_, advanced_message{next->generation().space, next->position()});
    }
    caf::anon_send(queries_, projection_resumed_message{}); // the old one may have failed
    for (const duty& each : std::exchange(rebuilding_, {}))
        (*each)->complete(gauge_->position());
    const auto listed = of_->book->set_aside();
    for (const duty& each : std::exchange(replaying_by_rebuild_, {})) {
        const log_position position = (*each)->position;
        if (std::binary_search(listed.begin(), listed.end(), position))
            (*each)->complete(error{errc::handler_failed,
                                    "event " + std::to_string(position) +
                                        " failed again and stays in the list; look at its error",
                                    position});
        else
            (*each)->complete(position);
    }
    show_mode();
}

// --- events that were set aside --------------------------------------------------------------------

void projection_actor::give_up(const duty& what) {
    const log_position position = (*what)->position;
    const auto known = of_->book->set_aside();
    if (kind() == projection_kind::view) {
        (*what)->complete(error{errc::invalid_argument,
                                "\"" + gauge_->name() +
                                    "\" is folded from the log and would meet the event again; "
                                    "correct its evolve, then replay the event",
                                position});
        return;
    }
    if (!std::binary_search(known.begin(), known.end(), position)) {
        (*what)->complete(not_in_list(gauge_->name(), position));
        return;
    }
    row_changes changes;
    catalog::erase_set_aside(changes, of_->book->name(), position);
    change_record([](projection_record&) {}, std::move(changes),
                  [this, what, position](const result<void>& stored) {
                      if (!stored) {
                          (*what)->complete(stored.error());
                          return;
                      }
                      of_->book->no_longer_set_aside(position);
                      gauge_->set_aside.store(of_->book->set_aside().size());
                      (*what)->complete(position);
                  });
}

void projection_actor::clear_list(const lane& of) {
    row_changes changes;
    for (const log_position each : of_->book->set_aside())
        if (each <= of.position() &&
            !std::binary_search(of.skipped().begin(), of.skipped().end(), each)) {
            catalog::erase_set_aside(changes, of_->book->name(), each);
            of_->book->no_longer_set_aside(each);
        }
    gauge_->set_aside.store(of_->book->set_aside().size());
    if (!changes.empty())
        of_->book->store().apply(std::move(changes), [](const result<void>&) {
            // What could not be erased is found in the list again and tried again.
        });
}

/// A view in memory is built again with the event in its place. Stored rows and reactions take it now,
/// behind what they have taken.
void projection_actor::replay(const duty& what) {
    const log_position position = (*what)->position;
    const auto known = of_->book->set_aside();
    if (!std::binary_search(known.begin(), known.end(), position) ||
        replaying_.contains(position)) {
        (*what)->complete(not_in_list(gauge_->name(), position));
        return;
    }
    if (kind() == projection_kind::view) {
        replaying_by_rebuild_.push_back(what);
        if (building_ == 0)
            begin_building(of_->book->record().serving);
        return;
    }
    replaying_.emplace(position, what);
    core_->parts.feeds->post([of = of_, journal = core_->parts.journal, what, position,
                              to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        auto came = std::make_shared<const result<fed_events>>(read_one(*of, *journal, position));
        if (auto actor = caf::actor_cast<caf::actor>(to))
            caf::anon_send(actor, replay_message{what, std::move(came)});
    });
}

void projection_actor::on_replay(const replay_message& m) {
    const log_position position = (*m.duty)->position;
    const auto refuse = [&](const error& why) {
        replaying_.erase(position);
        (*m.duty)->complete(why);
    };
    lane* to = serving();
    if (!*m.came)
        refuse(m.came->error());
    else if ((*m.came)->bad)
        refuse((*m.came)->bad->why);
    else if (to == nullptr || !to->running())
        refuse({errc::unavailable,
                "\"" + gauge_->name() + "\" does not run; resume it, then replay the event",
                position});
    else
        to->replay((*m.came)->events, position);
}

} // namespace annals
