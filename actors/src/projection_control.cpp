#include "projection_actor.hpp"

#include "log_check.hpp"
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
    if ((*what)->what == control_request::action::pause)
        stand_still(true); // at once
    in_turn([this, what] {
        switch ((*what)->what) {
        case control_request::action::pause:
            return pause(what);
        case control_request::action::resume:
            return run_again(what);
        case control_request::action::reset:
            return reset(what);
        case control_request::action::rebuild:
            return rebuild(what);
        case control_request::action::replay:
            return replay(what);
        case control_request::action::give_up:
            return give_up(what);
        }
    });
}

void projection_actor::in_turn(std::function<void()> what) {
    later_.push_back(std::move(what));
    if (!busy_)
        turn_is_over();
}

void projection_actor::turn_is_over() {
    busy_ = false;
    while (!busy_ && !later_.empty()) {
        const auto next = std::move(later_.front());
        later_.pop_front();
        next();
    }
    settle_old_list();
    try_swap();
}

// --- pausing ---------------------------------------------------------------------------------------

void projection_actor::stand_still(bool on) {
    paused_ = on;
    for (auto& [id, each] : lanes_)
        each->pause(on);
    show_mode();
}

/// Remembered, so that it is still so after the next opening.
void projection_actor::pause(const duty& what) {
    busy_ = true;
    stand_still(true); // what was asked before may have let it go on
    change_record([](projection_record& record, row_changes&) { record.paused = true; }, {},
                  [this, what](const result<void>& stored) {
                      if (stored) {
                          pausing_.push_back(what);
                          answer_paused();
                      } else {
                          stand_still(of_->book->record().paused);
                          (*what)->complete(stored.error());
                      }
                      turn_is_over();
                  });
}

void projection_actor::answer_paused() {
    for (const auto& [id, each] : lanes_)
        if (!each->at_rest())
            return;
    for (const duty& each : std::exchange(pausing_, {}))
        (*each)->complete(gauge_->position());
}

void projection_actor::run_again(const duty& what) {
    busy_ = true;
    change_record([](projection_record& record, row_changes&) { record.paused = false; }, {},
                  [this, what](const result<void>& stored) {
                      if (!stored) {
                          (*what)->complete(stored.error());
                          turn_is_over();
                          return;
                      }
                      for (const duty& each : std::exchange(pausing_, {}))
                          (*each)->complete(gauge_->position());
                      if (queries_)
                          caf::anon_send(queries_, projection_resumed_message{});
                      paused_ = false;
                      for (const auto id : {leaving_, serving_, building_})
                          if (lane* each = find(id)) {
                              each->pause(false);
                              each->resume();
                          }
                      show_mode();
                      (*what)->complete(gauge_->position());
                      turn_is_over();
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
    generation_record fresh = of_->book->present();
    fresh.since = to;
    if (kind() != projection_kind::view)
        fresh.space = of_->book->store().new_space();
    busy_ = true;
    if (kind() != projection_kind::reaction || record.serving.space == 0) {
        reset_to(what, fresh, {});
        return;
    }
    // What a reaction has been given before stays known, so that it is flagged. Stopped first: nothing
    // is begun after the reading.
    for (auto& [id, each] : lanes_)
        each->stop();
    core_->parts.feeds->post([of = of_, fresh, what, space = record.serving.space, this,
                              log = core_->parts.journal,
                              me = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        auto start = checkpoint_start(*of, space);
        const auto mark = read_mark(*log, fresh.since);
        result<void> read = !start ? start.error() : !mark ? mark.error() : result<void>();
        checkpoint_record begin;
        begin.begun = start ? start->checkpoint.begun : 0;
        begin.mark = mark ? mark->id : 0;
        if (auto actor = caf::actor_cast<caf::actor>(me))
            caf::anon_send(actor,
                           stored_message{[this, what, fresh, begin](const result<void>& came) {
                                              if (came)
                                                  reset_to(what, fresh, begin);
                                              else
                                                  reset_refused(what, came.error());
                                          },
                                          std::move(read)});
    });
}

void projection_actor::reset_to(const duty& what, generation_record fresh,
                                checkpoint_record begin) {
    of_->book->begin_era();
    for (auto& [id, each] : lanes_)
        each->stop();
    row_changes changes;
    erase_being_set_aside(changes);
    const error aborted{errc::aborted, "the projection was reset meanwhile"};
    if (swap_ == swap_step::meeting)
        end_swap(aborted);
    fail_rebuild(aborted);
    serving_ = building_ = 0;
    using list = projection_book::list;
    for (const list each : {list::serving, list::building})
        of_->book->clear_set_aside(changes, each);
    if (fresh.space != 0) {
        begin.done = fresh.since;
        begin.begun = std::max(fresh.since, std::min(begin.begun, core_->parts.journal->head()));
        catalog::put_checkpoint(changes, fresh.space, begin);
    }
    change_record(
        [fresh](projection_record& record, row_changes& also) {
            for (const auto* each : {&record.serving, &record.building})
                if (each->space != 0)
                    catalog::drop(also, *each);
            record.serving = fresh;
            record.building = {};
            record.put_back = false;
        },
        std::move(changes),
        [this, what, fresh](const result<void>& stored) {
            if (stored)
                has_reset(fresh, what);
            else
                reset_refused(what, stored.error());
        });
}

void projection_actor::has_reset(const generation_record& fresh, const duty& what) {
    prune();
    of_->book->set_aside_cleared(projection_book::list::serving);
    of_->book->set_aside_cleared(projection_book::list::building);
    list_is_old_ = false;
    frozen_ = {};
    show_set_aside();
    from_scratch_ = true;
    of_->serving_space.store(fresh.space);
    of_->rows->keep_only({fresh.space});
    gauge_->serves_version(fresh.version);
    gauge_->rebuilds(std::nullopt);
    gauge_->stands_at(fresh.since);
    if (queries_) {
        caf::anon_send(queries_, projection_resumed_message{});
        if (kind() == projection_kind::stored_view)
            caf::anon_send(queries_, advanced_message{fresh.since});
    }
    serving_ = last_lane_ + 1;
    add_lane(fresh, {}).open();
    show_mode();
    (*what)->complete(fresh.since);
    turn_is_over();
}

/// It goes on with what it had.
void projection_actor::reset_refused(const duty& what, const error& why) {
    gauge_->failed_with(why.message);
    serving_ = building_ = 0;
    prune();
    const projection_record before = of_->book->record();
    if (queries_)
        caf::anon_send(queries_,
                       projection_resumed_message{}); // if it fails again, it says so again
    if (frozen_.space == 0) {
        serving_ = last_lane_ + 1;
        add_lane(before.serving,
                 list_is_old_ ? std::vector<log_position>() : of_->book->set_aside())
            .open();
    }
    if (before.building.space != 0)
        begin_building(before.building, of_->book->set_aside_by_building());
    else if (kind() == projection_kind::view && frozen_.space != 0)
        begin_building(of_->book->present(), {});
    else
        gauge_->rebuilds(std::nullopt);
    show_mode();
    (*what)->complete(why);
    turn_is_over();
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
    if (lane* now = building()) // is being built already
        now->resume();
    else
        start_rebuild();
}

void projection_actor::start_rebuild() {
    const projection_record record = of_->book->record();
    generation_record next = of_->book->present();
    next.since = projection_book::same_make(record.serving, next) ? record.serving.since : 0;
    row_changes changes;
    of_->book->clear_set_aside(changes, projection_book::list::building);
    for (const auto& [id, each] : lanes_)
        if (each->being_set_aside() != 0)
            of_->book->erase_set_aside(changes, projection_book::list::building,
                                       each->being_set_aside());
    if (kind() == projection_kind::stored_view) {
        next.space = of_->book->store().new_space();
        checkpoint_record begin;
        begin.done = next.since;
        catalog::put_checkpoint(changes, next.space, begin);
    } else if (changes.empty()) {
        begin_building(next, {});
        return;
    }
    busy_ = true;
    change_record(
        [next](projection_record& changed, row_changes& also) {
            if (next.space == 0)
                return;
            if (changed.building.space != 0)
                catalog::drop(also, changed.building);
            changed.building = next;
        },
        std::move(changes),
        [this, next](const result<void>& stored) {
            if (stored) {
                of_->book->set_aside_cleared(projection_book::list::building);
                begin_building(next, {}); // it tries what is set aside
            } else {
                fail_rebuild(stored.error());
            }
            turn_is_over();
        });
}

void projection_actor::begin_building(generation_record generation,
                                      std::vector<log_position> skip) {
    prune();
    catalog_waits_ = false;
    rebuild_status progress;
    progress.version = of_->what.projection->version();
    progress.position = generation.since;
    gauge_->rebuilds(progress);
    if (kind() == projection_kind::stored_view) // what was being built before is gone
        of_->rows->keep_only({of_->book->record().serving.space, generation.space});
    building_ = last_lane_ + 1;
    add_lane(std::move(generation), std::move(skip)).open();
}

void projection_actor::fail_rebuild(const error& why) {
    for (auto* waiting : {&rebuilding_, &replaying_by_rebuild_})
        for (const duty& each : std::exchange(*waiting, {}))
            (*each)->complete(why);
}

// --- events that were set aside --------------------------------------------------------------------

void projection_actor::erase_being_set_aside(row_changes& into, const lane* but) const {
    for (const auto& [id, each] : lanes_)
        if (each.get() != but && each->being_set_aside() != 0)
            for (const auto list :
                 {projection_book::list::serving, projection_book::list::building})
                of_->book->erase_set_aside(into, list, each->being_set_aside());
}

void projection_actor::give_up(const duty& what) {
    const log_position position = (*what)->position;
    if (kind() == projection_kind::view) {
        (*what)->complete(error{errc::invalid_argument,
                                "\"" + gauge_->name() +
                                    "\" is folded from the log and would meet the event again; "
                                    "correct its evolve, then replay the event",
                                position});
        return;
    }
    if (!of_->book->has_set_aside(position) || replaying_.contains(position)) {
        (*what)->complete(not_in_list(gauge_->name(), position));
        return;
    }
    row_changes changes;
    of_->book->erase_set_aside(changes, projection_book::list::serving, position);
    busy_ = true;
    change_record([](projection_record&, row_changes&) {}, std::move(changes),
                  [this, what, position](const result<void>& stored) {
                      if (stored) {
                          of_->book->no_longer_set_aside(position);
                          show_set_aside();
                          (*what)->complete(position);
                      } else {
                          (*what)->complete(stored.error());
                      }
                      turn_is_over();
                  });
}

/// A view in memory is built again with the event in its place. Stored rows and reactions take it now,
/// behind what they have taken.
void projection_actor::replay(const duty& what) {
    const log_position position = (*what)->position;
    if (!of_->book->has_set_aside(position) || replaying_.contains(position)) {
        (*what)->complete(not_in_list(gauge_->name(), position));
        return;
    }
    if (kind() == projection_kind::view) {
        replaying_by_rebuild_.push_back(what);
        if (lane* now = building())
            now->resume();
        else
            start_rebuild();
        return;
    }
    replaying_.emplace(position, what);
    // First what is on its way to the store: an earlier try that was broken off may be in it.
    of_->book->store().apply({}, [of = of_, journal = core_->parts.journal,
                                  feeds = core_->parts.feeds, what, position,
                                  to = caf::actor_cast<caf::weak_actor_ptr>(this)](
                                     const result<void>&) {
        feeds->post([of, journal, what, position, to] {
            const auto listed = is_set_aside(*of, position);
            auto came = std::make_shared<const result<fed_events>>(
                listed ? read_one(*of, *journal, position) : listed.error());
            if (auto actor = caf::actor_cast<caf::actor>(to))
                caf::anon_send(actor, replay_message{what, !listed || *listed, std::move(came)});
        });
    });
}

void projection_actor::on_replay(const replay_message& m) {
    const log_position position = (*m.duty)->position;
    const auto refuse = [&](const error& why) {
        replaying_.erase(position);
        (*m.duty)->complete(why);
    };
    if (!m.listed) {
        of_->book->no_longer_set_aside(position);
        show_set_aside();
    }
    lane* to = serving();
    if (!of_->book->has_set_aside(position))
        refuse(not_in_list(gauge_->name(), position)); // rebuilt or reset meanwhile
    else if (!*m.came)
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
