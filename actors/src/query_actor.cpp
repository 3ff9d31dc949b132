#include "query_actor.hpp"

#include <caf/send.hpp>

namespace annals {

query_actor::query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                         const view_type& type, std::shared_ptr<view_gauge> gauge)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      gauge_(std::move(gauge)),
      view_(type.make()) {
    core_->actor_began();
}

caf::behavior query_actor::make_behavior() {
    return {
        [this](const query_message& m) {
            const no_blocking_scope scope;
            on_query(m.query);
        },
        [this](const slice_message& m) {
            const no_blocking_scope scope;
            on_slice(*m.events);
            if (failure_)
                return; // nothing more is wanted
            if (auto projection = caf::actor_cast<caf::actor>(current_sender()))
                caf::anon_send(projection, folded_message{});
        },
        [this](const projection_failed_message& m) { fail(*m.why); },
    };
}

void query_actor::on_exit() {
    parked_.clear();
    view_.reset();
    if (gauge_->state.load() != view_status::state::failed)
        gauge_->state.store(view_status::state::stopped);
}

bool query_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

void query_actor::on_slice(const decoded_events& events) {
    if (failure_)
        return;
    if (auto folded = view_->fold(events); !folded) {
        fail(folded.error());
        return;
    }
    position_ = events.through;
    gauge_->events.fetch_add(events.count);
    gauge_->position.store(position_);
    gauge_->state.store(events.at_end ? view_status::state::live : view_status::state::catching_up);
    answer_parked();
}

void query_actor::on_query(const query_ref& query) {
    if (failure_)
        refuse(query);
    else if (query->at_least <= position_)
        answer(query);
    else
        park(query);
}

void query_actor::answer(const query_ref& query) {
    gauge_->queries.fetch_add(1, std::memory_order_relaxed);
    query->answer_from(view_->state());
}

void query_actor::park(const query_ref& query) {
    if (parked_.size() >= next_cleaning_)
        drop_expired();
    query->deadline_armed_ = true;
    core_->admission->deadlines.add(query->deadline, query.shared());
    parked_.emplace(query->at_least, query);
}

void query_actor::answer_parked() {
    while (!parked_.empty() && parked_.begin()->first <= position_) {
        const query_ref query = std::move(parked_.begin()->second);
        parked_.erase(parked_.begin());
        answer(query);
    }
}

/// Queries whose deadline has answered them stay parked until here; cleaning at each doubling keeps
/// both their number and the work small.
void query_actor::drop_expired() {
    std::erase_if(parked_, [](const auto& entry) { return entry.second->answered_already(); });
    next_cleaning_ = std::max<std::size_t>(64, parked_.size() * 2);
}

/// The view stays as it is for people to look at its status, but it answers nothing any more: an
/// answer that silently stops changing is worse than none.
void query_actor::fail(const error& why) {
    if (failure_)
        return;
    failure_ = error{errc::unavailable,
                     "view \"" + gauge_->name() + "\" stopped after position " +
                         std::to_string(position_) + ": " + why.message +
                         ". Correct it and open the runtime again",
                     why.actual};
    gauge_->fail(why.message);
    for (auto& [position, query] : std::exchange(parked_, {}))
        refuse(query);
}

void query_actor::refuse(const query_ref& query) {
    count(core_->admission->count.queries_failed);
    query->fail(*failure_);
}

} // namespace annals
