#include "stored_query_actor.hpp"

#include "answering_scope.hpp"
#include "view_code_scope.hpp"

#include <caf/send.hpp>

#include <utility>

namespace annals {

stored_query_actor::stored_query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                                       std::shared_ptr<hosted_projection> of)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      of_(std::move(of)),
      gauge_(of_->gauge),
      answering_(std::make_shared<const answering>(
          answering{of_, stored_answers(core_->parts.projections,
                                        static_cast<const stored_view_type&>(*of_->what.projection),
                                        of_->serving_space, *of_->rows)})),
      parked_(core_->admission, gauge_) {
    core_->actor_began();
}

caf::behavior stored_query_actor::make_behavior() {
    return {
        [this](const query_message& m) { on_query(m.query); },
        [this](const advanced_message& m) { on_advanced(m); },
        [this](const live_message& m) {
            if (failure_) {
                m.query->fail(*failure_);
                return;
            }
            live_.push_back({m.query});
            gauge_->is_watched_by(m.query);
            look_at_live();
        },
        [this](const looked_message& m) {
            looking_ = false;
            if (!m.how)
                for (const auto& each : std::exchange(live_, {}))
                    each.query->fail(m.how.error());
            if (std::exchange(look_again_, false))
                look_at_live();
        },
        [this](const projection_failed_message& m) { fail(*m.why); },
        [this](const projection_resumed_message&) { failure_.reset(); },
    };
}

void stored_query_actor::on_exit() {
    live_.clear();
    parked_.clear();
    if (gauge_->now() != projection_status::state::failed)
        gauge_->is(projection_gauge::mode::stopped);
}

bool stored_query_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

/// Positions fall only after a reset.
void stored_query_actor::on_advanced(const advanced_message& m) {
    reached_ = m.position;
    parked_.answer_up_to(reached_, [this](const query_ref& query) { answer(query); });
    look_at_live();
}

void stored_query_actor::on_query(const query_ref& query) {
    if (failure_)
        query->fail(*failure_);
    else if (query->at_least <= reached_)
        answer(query);
    else
        parked_.park(query, query->at_least);
}

void stored_query_actor::answer(const query_ref& query) {
    core_->parts.answers->post([with = answering_, query,
                                to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        const view_code_scope scope(with->of->gauge->name());
        const answering_scope told(*with->of->gauge);
        const auto came = with->rows.answer([&](const void* state, const auto& at) {
            if (at.position >= query->at_least)
                query->answer_from(state, at.position);
            else if (auto actor = caf::actor_cast<caf::actor>(to)) // the view was reset meanwhile
                caf::anon_send(actor, query_message{query});
        });
        if (!came) {
            with->of->gauge->failed_with(came.error().message);
            query->fail(came.error());
        }
    });
}

void stored_query_actor::look_at_live() {
    std::erase_if(live_, [](const auto& each) { return each.query->over(); });
    if (looking_) {
        look_again_ = true;
        return;
    }
    std::vector<watching> ready;
    for (const auto& each : live_)
        if (reached_ >= each.query->options.at_least)
            ready.push_back(each);
    if (ready.empty())
        return;
    looking_ = true;
    core_->parts.answers->post([with = answering_, ready = std::move(ready),
                                to = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        const view_code_scope scope(with->of->gauge->name());
        const answering_scope told(*with->of->gauge);
        auto how = with->rows.answer([&](const void* state, const auto& at) {
            for (const auto& each : ready)
                each.look(state, at);
        });
        if (auto actor = caf::actor_cast<caf::actor>(to))
            caf::anon_send(actor, looked_message{std::move(how)});
    });
}

/// The rows may have changed several times since the last look; what they were in between is gone.
void stored_query_actor::watching::look(const void* state, const stored_answers::place& at) const {
    if (at.position < query->options.at_least)
        return;
    const bool counts = seen->space == at.space && at.changes > seen->changes;
    query->look(state, at.position, counts ? at.changes - seen->changes - 1 : 0);
    *seen = at;
}

void stored_query_actor::fail(const error& why) {
    failure_ = why;
    parked_.refuse_all([&](const query_ref& query) { query->fail(why); });
    for (const auto& each : std::exchange(live_, {}))
        each.query->fail(why);
}

} // namespace annals
