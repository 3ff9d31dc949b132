#include "query_actor.hpp"

#include "view_code_scope.hpp"

#include "annals/hosting.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace annals {

query_actor::query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                         std::shared_ptr<hosted_projection> of)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      of_(std::move(of)),
      gauge_(of_->gauge),
      parked_(core_->admission, gauge_),
      seat_(of_->seat),
      publication_(of_->publisher, core_->parts.clock),
      copies_(*of_, core_->parts.clock) {
    core_->actor_began();
}

caf::behavior query_actor::make_behavior() {
    return {
        [this](const query_message& m) {
            const view_code_scope scope(gauge_->name());
            on_query(m.query);
        },
        [this](const slice_message& m) {
            const view_code_scope scope(gauge_->name());
            on_slice(m);
        },
        [this](const install_message& m) {
            const view_code_scope scope(gauge_->name());
            install(m);
        },
        [this](const swap_message& m) {
            const view_code_scope scope(gauge_->name());
            swap_to_ = m;
            swap_if_due();
        },
        [this](const drop_message& m) { drop(m.lane); },
        [this](const copies_message& m) { copies_.begins_at(0, m.since, m.era); },
        [this](const live_message& m) {
            const view_code_scope scope(gauge_->name());
            on_live(m.query);
        },
        [this](const joint_message& m) { on_joint(m); },
        [this](const go_on_message&) {
            const view_code_scope scope(gauge_->name());
            answer_joint();
        },
        [this](const publish_message&) {
            const view_code_scope scope(gauge_->name());
            publish_due();
        },
        [this](const projection_failed_message& m) { fail(*m.why); },
        [this](const projection_resumed_message&) { failure_.reset(); },
    };
}

void query_actor::on_exit() {
    const view_code_scope scope(gauge_->name());
    if (const held_state* state = serving(); state != nullptr && state->view && !failure_) {
        try {
            copies_.closing(*state->view, state->position, state->marks);
        } catch (...) {
            gauge_->failed_with("saving a copy failed: " + describe_current_exception());
        }
    }
    live_.clear();
    for (const auto& each : seat_->take_all())
        each.of->fail(closed_error());
    parked_.clear();
    states_.clear();
    projection_ = nullptr;
    if (gauge_->now() != projection_status::state::failed)
        gauge_->is(projection_gauge::mode::stopped);
}

bool query_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

// --- folding ---------------------------------------------------------------------------------------

query_actor::held_state* query_actor::serving() noexcept {
    const auto found = states_.find(serving_);
    return found == states_.end() ? nullptr : &found->second;
}

const query_actor::held_state* query_actor::showable() noexcept {
    const held_state* state = serving();
    return state != nullptr && state->view && state->position >= floor_ ? state : nullptr;
}

void query_actor::install(const install_message& m) {
    projection_ = caf::actor_cast<caf::actor>(current_sender());
    if (m.lane == serving_ || m.serves) {
        if (const held_state* before = serving(); before != nullptr)
            floor_ = std::max(floor_, before->position);
        if (m.lane != serving_)
            states_.erase(serving_);
    }
    held_state& state = states_[m.lane];
    state = {};
    state.view = std::move(*m.state);
    state.position = m.position;
    state.unwanted_epoch = m.epoch;
    state.marks = m.marks;
    if (!m.serves)
        return;
    serving_ = m.lane;
    if (m.from_scratch) {
        floor_ = 0;
        parked_.forget_floor(); // asked in the moment of the reset
        for (const auto& each : seat_->begins_again(state.position))
            each.of->fail({errc::aborted, "a view was reset meanwhile; ask again"});
    } else {
        begin_again(seat_->leaps_to(state.position));
    }
    gauge_->stands_at(state.position);
    copies_.begins_at(m.saved, m.since, m.era);
    show(state, 0);
}

void query_actor::drop(std::uint64_t lane) {
    if (const held_state* state = serving(); state != nullptr && lane == serving_)
        floor_ = std::max(floor_, state->position);
    states_.erase(lane);
    if (swap_to_ && swap_to_->lane == lane)
        swap_to_.reset();
}

void query_actor::on_slice(const slice_message& m) {
    const auto found = states_.find(m.lane);
    if (found == states_.end() || m.what.epoch <= found->second.unwanted_epoch)
        return;
    found->second.waiting.push_back(m.what);
    fold_waiting(m.lane);
    swap_if_due();
}

void query_actor::fold_waiting(std::uint64_t lane) {
    const auto found = states_.find(lane);
    if (found == states_.end())
        return;
    while (fold_front(lane, found->second)) {
    }
}

std::optional<log_position> query_actor::next_meeting(const held_state& state,
                                                      log_position target) {
    if (!seat_->taken())
        return std::nullopt;
    for (;;) {
        const auto first = seat_->moving(target);
        if (!first || *first > state.position)
            return first;
        answer_joint(); // here; and then on
    }
}

bool query_actor::fold_front(std::uint64_t lane, held_state& state) {
    if (state.waiting.empty() || !state.view)
        return false;
    slice& front = state.waiting.front();
    const decoded_events& events = *front.events;
    const auto meeting = lane == serving_ ? next_meeting(state, events.through) : std::nullopt;
    const log_position stop = meeting.value_or(events.through);
    std::size_t end = events.count;
    if (events.through > stop)
        for (end = front.first; end != events.count && events.label(end).position <= stop;)
            ++end;
    const bool finished = events.through <= stop;

    if (end != front.first)
        keep_fallback(state);
    const folding came = state.view->fold(events, front.first, end);
    if (!came.status) {
        fold_failed(lane, state, came);
        return false;
    }
    const std::uint64_t folded = end - std::exchange(front.first, end);
    sink_report made{front.epoch, 0, folded, finished, 0, {}, false, false};
    state.position = finished ? std::max(state.position, events.through) : stop;
    state.read_at.reset();
    if (finished) {
        if (events.at_end)
            state.read_at = events.read_at;
        state.waiting.pop_front();
        state.fallback.in_front = false;
    }
    made.done = state.position;
    moved(lane, folded);
    report(lane, std::move(made));
    return true;
}

void query_actor::keep_fallback(held_state& state) {
    const slice& front = state.waiting.front();
    fallback_copy& kept = state.fallback;
    const steady_time begin = core_->parts.clock->steady();
    if (front.care == caution::none ||
        (front.care == caution::now_and_then && begin < kept.not_before))
        return;
    constexpr int share_of_time = 10;
    try {
        if (auto copy = state.view->clone()) {
            kept.view = std::move(copy);
            kept.position = state.position;
            kept.in_front = true;
            kept.first = front.first;
        }
    } catch (...) { // without a copy a failure costs a new beginning
    }
    const steady_time end = core_->parts.clock->steady();
    kept.not_before = end + (share_of_time - 1) * (end - begin);
}

/// The state may be changed in part. With a copy it goes back, at best to just before the event;
/// without one it is lost.
void query_actor::fold_failed(std::uint64_t lane, held_state& state, const folding& came) {
    const slice failed = std::move(state.waiting.front());
    state.waiting.clear();
    state.unwanted_epoch = failed.epoch;
    state.view.reset();
    if (lane == serving_)
        floor_ = std::max(floor_, state.position);
    sink_report made{failed.epoch, state.position,      0,     false,
                     came.next,    came.status.error(), false, false};
    if (!fall_back(lane, state, failed, made)) {
        state.view.reset();
        state.fallback = {};
        made.lost = true;
    }
    report(lane, std::move(made));
}

bool query_actor::fall_back(std::uint64_t lane, held_state& state, const slice& failed,
                            sink_report& made) {
    fallback_copy& kept = state.fallback;
    if (!kept.view)
        return false;
    if (std::exchange(kept.in_front, false)) {
        state.view = std::move(kept.view);
        if (!state.view->fold(*failed.events, kept.first, made.next).status)
            return false;
        made.events = made.next - failed.first;
        state.position = std::max(state.position, failed.events->label(made.next).position - 1);
        state.read_at.reset();
        moved(lane, made.events);
    } else {
        try {
            state.view = kept.view->clone();
        } catch (...) {
            return false;
        }
        state.position = kept.position;
        state.read_at.reset();
        if (lane == serving_)
            gauge_->stands_at(state.position);
        made.rewound = true;
    }
    made.done = state.position;
    return true;
}

void query_actor::report(std::uint64_t lane, sink_report what) {
    if (projection_)
        caf::anon_send(projection_, report_message{lane, std::move(what)});
}

void query_actor::moved(std::uint64_t lane, std::uint64_t events) {
    const held_state& state = states_.at(lane);
    if (lane == serving_)
        show(state, events);
    else
        gauge_->rebuilt_up_to(state.position, core_->parts.clock->steady());
}

/// To everybody who waits for the serving state.
void query_actor::show(const held_state& state, std::uint64_t events) {
    gauge_->reached(state.position, events, state.read_at, core_->parts.clock->steady());
    if (state.position < floor_)
        return;
    answer_joint();
    parked_.answer_up_to(state.position, [this](const query_ref& query) { answer(query); });
    look_at_live();
    try {
        if (const auto due = publication_.changed(*state.view, state.position))
            core_->remind(*due, caf::actor_cast<caf::actor>(this), publish_message{});
        copies_.folded(*state.view, state.position, events, state.marks);
    } catch (...) {
        gauge_->failed_with("copying the view failed: " + describe_current_exception());
    }
}

void query_actor::swap_if_due() {
    if (!swap_to_)
        return;
    const auto next = states_.find(swap_to_->lane);
    if (next == states_.end() || !next->second.view)
        return;
    const held_state* now = serving();
    const log_position reached = std::max(floor_, now != nullptr ? now->position : 0);
    if (next->second.position < reached)
        return;
    begin_again(seat_->leaps_to(next->second.position));
    const swap_message to = *std::exchange(swap_to_, std::nullopt);
    states_.erase(std::exchange(serving_, to.lane));
    floor_ = 0;
    gauge_->serves_version(of_->what.projection->version());
    copies_.begins_at(0, to.since, to.era);
    show(next->second, 0);
    if (projection_)
        caf::anon_send(projection_, swapped_message{serving_});
}

// --- queries ---------------------------------------------------------------------------------------

void query_actor::on_query(const query_ref& query) {
    if (failure_) {
        query->fail(*failure_);
        return;
    }
    const held_state* state = serving();
    const log_position wanted = std::max(query->at_least, floor_);
    if (state != nullptr && state->view && wanted <= state->position)
        answer(query);
    else
        parked_.park(query, wanted);
}

void query_actor::answer(const query_ref& query) {
    const held_state& state = *serving();
    query->answer_from(state.view->state(), state.position);
}

void query_actor::on_live(const std::shared_ptr<live_request>& query) {
    if (failure_) {
        query->fail(*failure_);
        return;
    }
    std::erase_if(live_, [](const auto& each) { return each->over(); });
    live_.push_back(query);
    gauge_->is_watched_by(query);
    if (const held_state* state = showable())
        show_to(*query, *state);
}

void query_actor::look_at_live() {
    std::erase_if(live_, [](const auto& each) { return each->over(); });
    if (const held_state* state = showable())
        for (const auto& each : live_)
            show_to(*each, *state);
}

void query_actor::show_to(live_request& query, const held_state& state) {
    if (state.position >= query.options.at_least)
        query.look(state.view->state(), state.position, 0);
}

void query_actor::publish_due() {
    const held_state* state = showable();
    try {
        publication_.due(state != nullptr ? state->view.get() : nullptr,
                         state != nullptr ? state->position : 0);
    } catch (...) {
        gauge_->failed_with("copying the view failed: " + describe_current_exception());
    }
}

/// It says where it is, and goes on: where all meet is never where it has passed.
void query_actor::on_joint(const joint_message& m) {
    const joint_part part = m.call->take();
    if (failure_) {
        part.of->fail(*failure_);
        return;
    }
    const held_state* state = serving();
    part.of->arrived(part, std::max(floor_, state != nullptr ? state->position : 0));
}

void query_actor::answer_joint() {
    const held_state* state = serving();
    if (!seat_->taken() || state == nullptr || !state->view || failure_)
        return;
    std::vector<joint_part> passed;
    for (auto& each : seat_->take_due(state->position)) {
        if (each.at == state->position)
            each.part.of->answer(each.part, state->view->state(), state->position);
        else
            passed.push_back(std::move(each.part));
    }
    begin_again(passed);
}

void query_actor::begin_again(const std::vector<joint_part>& parts) {
    for (const auto& each : parts)
        each.of->begin_again(each);
}

/// The view stays as it is for people to look at its status, but it answers nothing any more: an
/// answer that silently stops changing is worse than none.
void query_actor::fail(const error& why) {
    failure_ = why;
    parked_.refuse_all([&](const query_ref& query) { query->fail(why); });
    for (const auto& each : std::exchange(live_, {}))
        each->fail(why);
    for (const auto& each : seat_->take_all())
        each.of->fail(why);
}

} // namespace annals
