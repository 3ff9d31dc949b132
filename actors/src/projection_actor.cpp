#include "projection_actor.hpp"

#include "projection_sinks.hpp"
#include "view_copies.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace annals {

projection_actor::projection_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                                   std::shared_ptr<hosted_projection> of, caf::actor queries,
                                   std::vector<std::shared_ptr<reaction_type::handler>> handlers)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      of_(std::move(of)),
      gauge_(of_->gauge),
      queries_(std::move(queries)),
      handlers_(std::move(handlers)) {
    core_->actor_began();
}

caf::behavior projection_actor::make_behavior() {
    paused_ = of_->book->record().paused;
    start();
    show_mode();
    return {
        [this](const fed_message& m) {
            if (lane* to = find(m.lane))
                to->fed(m);
        },
        [this](const report_message& m) {
            if (lane* to = find(m.lane))
                to->reported(m.report);
        },
        [this](const opened_message& m) {
            if (m.lane == 0)
                start_view(*m.start);
            else if (lane* to = find(m.lane))
                to->opened(m.opening, *m.start);
        },
        [this](const retry_message& m) {
            if (lane* to = find(m.lane))
                to->retry(m.timer);
        },
        [this](const set_aside_message& m) {
            if (lane* to = find(m.lane))
                to->set_aside_stored(m);
        },
        [this](const control_message& m) { on_control(m.duty); },
        [](const stored_message& m) { m.then(m.stored); },
        [this](const swapped_message& m) { on_swapped(m); },
        [this](const replay_message& m) { in_turn([this, m] { on_replay(m); }); },
        [this](const damaged_message& m) { on_damaged(m); },
        [this](const swap_again_message&) {
            catalog_waits_ = false;
            settle_old_list();
            try_swap();
        },
    };
}

void projection_actor::on_exit() {
    stopping_ = true;
    lanes_.clear();
    queries_ = nullptr;
    later_.clear();
    for (auto* each :
         {&pausing_, &rebuilding_, &replaying_by_rebuild_, &swap_rebuilding_, &swap_replaying_})
        each->clear();
    replaying_.clear();
    if (kind() == projection_kind::reaction && gauge_->now() != projection_status::state::failed)
        gauge_->is(projection_gauge::mode::stopped);
}

bool projection_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

caf::actor projection_actor::self() {
    return caf::actor_cast<caf::actor>(this);
}

lane* projection_actor::find(std::uint64_t id) {
    const auto found = lanes_.find(id);
    return found == lanes_.end() ? nullptr : found->second.get();
}

lane& projection_actor::add_lane(generation_record generation, std::vector<log_position> skip) {
    const std::uint64_t id = ++last_lane_;
    lane_owner& owner = *this;
    auto& made = lanes_[id];
    made = std::make_unique<lane>(owner, *core_, *of_, id, std::move(generation), std::move(skip));
    made->pause(paused_);
    return *made;
}

// --- starting --------------------------------------------------------------------------------------

void projection_actor::start() {
    const projection_record record = of_->book->record();
    if (kind() == projection_kind::view) {
        if (record.serving.space == 0) {
            auto fresh = restored_start(*of_);
            start_view(fresh);
        } else { // a saved copy is read elsewhere
            busy_ = true;
            core_->parts.feeds->post([of = of_, to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
                auto start = std::make_shared<result<lane_start>>(restored_start(*of));
                if (auto actor = caf::actor_cast<caf::actor>(to))
                    caf::anon_send(actor, opened_message{0, 0, std::move(start)});
            });
        }
        return;
    }
    gauge_->serves_version(record.serving.version);
    const bool up_to_date = kind() == projection_kind::reaction ||
                            projection_book::same_make(of_->book->present(), record.serving);
    if (up_to_date) {
        serving_ = last_lane_ + 1;
        add_lane(record.serving, of_->book->set_aside()).open();
    } else {
        frozen_ = record.serving;
        busy_ = true;
        core_->parts.feeds->post([of = of_, space = record.serving.space,
                                  to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
            auto start = std::make_shared<result<lane_start>>(checkpoint_start(*of, space));
            if (auto actor = caf::actor_cast<caf::actor>(to))
                caf::anon_send(actor, opened_message{0, 0, std::move(start)});
        });
    }
    if (record.building.space != 0)
        begin_building(record.building, of_->book->set_aside_by_building());
}

/// For a view in memory: where it begins. For a stored view of an earlier version: where that stands.
void projection_actor::start_view(result<lane_start>& start) {
    if (kind() == projection_kind::view && (!start || start->of_this_version)) { // no older copy
        gauge_->serves_version(of_->what.projection->version());
        gauge_->rebuilds(std::nullopt);
    }
    if (!start) {
        if (kind() == projection_kind::view) { // `resume` tries again
            serving_ = last_lane_ + 1;
            add_lane(of_->book->record().serving, of_->book->set_aside()).opened(0, start);
        } else { // where the rows of the earlier version stand; those of this one are built beside
            gauge_->failed_with(start.error().message);
            caf::anon_send(queries_,
                           projection_failed_message{std::make_shared<const error>(start.error())});
        }
        turn_is_over();
        return;
    }
    if (kind() == projection_kind::stored_view) {
        frozen_at_ = of_->rows->reached(frozen_.space, start->checkpoint.done);
        gauge_->stands_at(frozen_at_);
        caf::anon_send(queries_, advanced_message{frozen_at_});
    } else if (start->of_this_version) {
        serving_ = last_lane_ + 1;
        list_is_old_ =
            !projection_book::same_make(of_->book->record().serving, of_->book->present()) &&
            of_->book->set_aside_count(projection_book::list::serving) != 0;
        add_lane(of_->book->record().serving,
                 list_is_old_ ? std::vector<log_position>() : of_->book->set_aside())
            .begin(*std::move(start));
    } else { // what an earlier version saved answers, where it stands, until the new one is there
        frozen_ = of_->book->record().serving;
        frozen_at_ = start->checkpoint.done;
        gauge_->serves_version(start->version);
        install_message old;
        old.lane = ++last_lane_;
        old.state = std::make_shared<std::unique_ptr<view_instance>>(std::move(start->view));
        old.position = frozen_at_;
        old.saved = frozen_at_;
        old.serves = true;
        send(queries_, std::move(old));
        begin_building(of_->book->present(), {});
    }
    turn_is_over();
}

void projection_actor::read_start(lane& of, std::uint64_t opening) {
    core_->parts.feeds->post([projection = of_, from = of.generation(), id = of.id(), opening,
                              rebuilds = of.id() == building_,
                              to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        const bool in_memory = projection->what.projection->kind() == projection_kind::view;
        auto start = std::make_shared<result<lane_start>>(
            projection->book->record().put_back ? put_back(*projection)
            : !in_memory                        ? checkpoint_start(*projection, from.space)
            : rebuilds                          ? fresh_start(*projection, from.since)
                                                : restored_start(*projection));
        if (in_memory && *start && !(*start)->of_this_version)
            *start = fresh_start(*projection, 0);
        if (auto actor = caf::actor_cast<caf::actor>(to))
            caf::anon_send(actor, opened_message{id, opening, std::move(start)});
    });
}

std::unique_ptr<sink> projection_actor::make_sink(lane& of, lane_start start, std::uint64_t epoch) {
    const bool serves = of.id() == serving_ && swap_ != swap_step::meeting;
    if (serves && kind() != projection_kind::view)
        gauge_->stands_at(position_of(of));
    if (kind() == projection_kind::view) {
        install_message fresh;
        fresh.lane = of.id();
        fresh.state = std::make_shared<std::unique_ptr<view_instance>>(std::move(start.view));
        fresh.position = start.checkpoint.done;
        fresh.epoch = epoch;
        fresh.serves = serves;
        fresh.from_scratch = serves && std::exchange(from_scratch_, false);
        fresh.saved = fresh.position;
        fresh.since = start.since;
        fresh.marks = of.marks();
        fresh.era = list_is_old_ || swap_ == swap_step::storing ? projection_book::no_era
                                                                : of_->book->era();
        send(queries_, std::move(fresh));
        return std::make_unique<memory_sink>(queries_, of.id());
    }
    sink_parts parts;
    parts.marks = of.marks();
    parts.store = of_->book->shared_store();
    parts.threads = of_->threads;
    parts.rows = of_->rows;
    parts.report = [to = caf::actor_cast<caf::weak_actor_ptr>(this),
                    id = of.id()](sink_report came) {
        if (auto actor = caf::actor_cast<caf::actor>(to))
            caf::anon_send(actor, report_message{id, std::move(came)});
    };
    if (kind() == projection_kind::stored_view)
        return make_stored_sink(std::move(parts), *of_, of.generation().space, start.checkpoint);
    return make_reaction_sink(std::move(parts), core_, handlers_, *of_, of.generation().space,
                              start.checkpoint);
}

// --- what lanes say --------------------------------------------------------------------------------

void projection_actor::lane_reported(lane& of, const sink_report& came,
                                     std::optional<steady_time> read_at) {
    if (kind() == projection_kind::view)
        return; // its query actor has said so already
    const steady_time now = core_->parts.clock->steady();
    const log_position position = position_of(of);
    if (of.id() == building_) {
        gauge_->rebuilt_up_to(of.position(), now);
        return;
    }
    gauge_->reached(position, came.events, read_at, now);
    if (queries_)
        caf::anon_send(queries_, advanced_message{position});
}

void projection_actor::lane_moved(lane&) {
    if (stopping_)
        return;
    show_mode();
    answer_paused();
    settle_old_list();
    try_swap();
}

void projection_actor::lane_failed(lane& of, const error& why) {
    if (stopping_)
        return;
    if (of.id() == building_) {
        if (swap_ == swap_step::storing) {
            swap_failure_ = why; // when the catalog has answered it is clear what it was
        } else {
            if (lane* now = serving()) { // goes on; without one, `resume` tries the new one again
                building_ = 0;
                gauge_->rebuilds(std::nullopt);
                now->pause(paused_); // it may have stood still to change places
            }
            fail_rebuild(why);
        }
    } else if (of.id() == serving_) {
        if (swap_ == swap_step::meeting)
            end_swap(why);
        if (queries_) {
            const error telling{errc::unavailable,
                                "view \"" + gauge_->name() + "\" stopped after position " +
                                    std::to_string(of.position()) + ": " + why.message +
                                    ". Correct it and open the runtime again, or resume it",
                                why.actual};
            caf::anon_send(queries_,
                           projection_failed_message{std::make_shared<const error>(telling)});
        }
    }
    show_mode();
    answer_paused();
    try_swap(); // what is built beside it may be ready
}

/// Found by the check of the store. A lane over these rows stops as if it had met the damage itself.
void projection_actor::on_damaged(const damaged_message& m) {
    if (stopping_ || kind() == projection_kind::view)
        return; // a saved copy that is damaged is found out when it is read
    for (auto& [id, each] : lanes_)
        if (each->generation().space == m.space || m.space == catalog_space) {
            each->damaged(m.why);
            return;
        }
    if (frozen_.space == m.space && queries_)
        caf::anon_send(queries_, projection_failed_message{std::make_shared<const error>(m.why)});
}

projection_book::list projection_actor::list_of(const lane& of) const {
    return of.id() == building_ ? projection_book::list::building : projection_book::list::serving;
}

void projection_actor::lane_set_aside(lane&, projection_book::list in,
                                      const set_aside_event& what) {
    of_->book->now_set_aside(in, what);
    show_set_aside();
}

void projection_actor::lane_replayed(log_position position, result<void> how) {
    if (how) {
        of_->book->no_longer_set_aside(position);
        show_set_aside();
        // Its rows have changed where it stands: live queries are to look.
        if (const lane* now = serving(); now != nullptr && kind() == projection_kind::stored_view)
            caf::anon_send(queries_, advanced_message{position_of(*now)});
    }
    const auto found = replaying_.find(position);
    if (found == replaying_.end())
        return;
    const duty answered = std::move(found->second);
    replaying_.erase(found);
    if (how)
        (*answered)->complete(position);
    else
        (*answered)->complete(how.error());
}

void projection_actor::show_set_aside() {
    gauge_->set_aside.store(of_->book->set_aside_count(projection_book::list::serving));
}

void projection_actor::prune() {
    std::erase_if(lanes_, [this](const auto& each) {
        if (each.first == serving_ || each.first == building_ || each.first == leaving_)
            return false;
        each.second->stop();
        return each.second->being_set_aside() == 0; // the list is to have what it holds
    });
}

void projection_actor::show_mode() {
    using mode = projection_gauge::mode;
    const lane* shown = serving() != nullptr ? serving() : building();
    if (shown != nullptr && shown->failed())
        gauge_->is(mode::failed);
    else if (paused_)
        gauge_->is(mode::paused);
    else if (shown != nullptr && shown->retrying())
        gauge_->is(mode::retrying);
    else
        gauge_->is(mode::running);
}

} // namespace annals
