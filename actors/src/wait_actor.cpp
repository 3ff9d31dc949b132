#include "wait_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <string>

namespace annals {

namespace {

error too_late(const progress_wait& what) {
    std::string where;
    log_position least = what.position;
    for (const auto& each : what.on) {
        const log_position at = each->position();
        least = std::min(least, at);
        if (at < what.position)
            where += (where.empty() ? "\"" : ", \"") + each->name() + "\" is at position " +
                     std::to_string(at);
    }
    return {errc::version_out_of_reach,
            where + " and did not reach " + std::to_string(what.position) +
                " in time; look at its status",
            least};
}

} // namespace

wait_actor::wait_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core)
    : caf::event_based_actor(cfg),
      core_(std::move(core)) {
    core_->actor_began();
}

caf::behavior wait_actor::make_behavior() {
    return {
        [this](const wait_message& m) { begin(m.what); },
        [this](const reached_message& m) { look_at(*m.gauge); },
        [this](const waits_due_message&) { expire_due(); },
    };
}

void wait_actor::on_exit() {
    if (alarm_)
        core_->admission->deadlines.remove(alarm_.get());
    alarm_.reset();
    for (auto& [which, each] : std::exchange(waits_, {}))
        each.what->answer(closed_error());
    places_.clear();
    deadlines_.clear();
}

bool wait_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

void wait_actor::begin(const std::shared_ptr<progress_wait>& what) {
    const number which = ++last_;
    waiting made{what, 0};
    for (const auto& each : what->on)
        if (each->position() < what->position) {
            places_[each.get()].emplace(what->position, which);
            ++made.missing;
        }
    if (made.missing == 0) {
        what->answer({});
        return;
    }
    waits_.emplace(which, std::move(made));
    deadlines_.emplace(what->deadline, which);
    await_next_deadline();
    for (const auto& each : what->on)
        look_at(*each);
}

void wait_actor::look_at(projection_gauge& gauge) {
    const auto found = places_.find(&gauge);
    if (found == places_.end())
        return;
    by_position& place = found->second;
    for (std::size_t looked_at = 0; !place.empty(); ++looked_at) {
        const auto [position, which] = *place.begin();
        if (gauge.position() < position && !gauge.wake_at(position))
            return; // it says so when it is there
        if (looked_at == most_at_once) {
            caf::anon_send(caf::actor_cast<caf::actor>(this),
                           reached_message{gauge.shared_from_this()});
            return;
        }
        place.erase(place.begin());
        if (--waits_.at(which).missing == 0)
            take(which)->answer({});
    }
    places_.erase(&gauge);
}

void wait_actor::expire_due() {
    alarm_.reset();
    alarm_at_ = steady_time::max();
    const steady_time now = core_->parts.clock->steady();
    for (std::size_t looked_at = 0; !deadlines_.empty() && deadlines_.begin()->first <= now;
         ++looked_at) {
        if (looked_at == most_at_once) {
            caf::anon_send(caf::actor_cast<caf::actor>(this), waits_due_message{});
            return;
        }
        const auto late = take(deadlines_.begin()->second);
        late->answer(too_late(*late));
    }
    await_next_deadline();
}

void wait_actor::await_next_deadline() {
    if (deadlines_.empty() || deadlines_.begin()->first >= alarm_at_)
        return;
    if (alarm_)
        core_->admission->deadlines.remove(alarm_.get());
    alarm_at_ = deadlines_.begin()->first;
    alarm_ = core_->remind(alarm_at_, caf::actor_cast<caf::actor>(this), waits_due_message{});
}

std::shared_ptr<progress_wait> wait_actor::take(number which) {
    const auto found = waits_.find(which);
    auto what = std::move(found->second.what);
    waits_.erase(found);
    deadlines_.erase({what->deadline, which});
    for (const auto& each : what->on)
        if (const auto place = places_.find(each.get()); place != places_.end())
            place->second.erase({what->position, which});
    return what;
}

} // namespace annals
