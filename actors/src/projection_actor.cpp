#include "projection_actor.hpp"

#include "annals/host.hpp"

#include <caf/send.hpp>

namespace annals {

projection_actor::projection_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                                   const view_type& type, std::shared_ptr<view_gauge> gauge,
                                   caf::actor queries)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      type_(type),
      gauge_(std::move(gauge)),
      queries_(std::move(queries)) {
    core_->actor_began();
}

caf::behavior projection_actor::make_behavior() {
    if (auto subscribed = subscribe(); !subscribed)
        fail(subscribed.error());
    else
        pull();
    return {
        [this](const wake_message&) {
            more_ = true;
            pull();
        },
        [this](const page_message& m) {
            const no_blocking_scope scope;
            on_page(*m.page);
        },
        [this](const folded_message&) {
            --unfolded_;
            pull();
        },
    };
}

void projection_actor::on_exit() {
    log_.reset();
    queries_ = nullptr;
}

bool projection_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

result<void> projection_actor::subscribe() {
    auto wake = [me = caf::actor_cast<caf::weak_actor_ptr>(this)] {
        if (auto actor = caf::actor_cast<caf::actor>(me))
            caf::anon_send(actor, wake_message{});
    };
    auto made = core_->parts.journal->subscribe(0, type_.filter(), std::move(wake));
    if (!made)
        return made.error();
    log_ = *std::move(made);
    return {};
}

decoding projection_actor::decode(const event_page& page) const {
    try {
        return type_.decode(page);
    } catch (...) {
        return {nullptr, error{errc::handler_failed,
                               "decoding an event threw: " + describe_current_exception()}};
    }
}

void projection_actor::pull() {
    if (!log_ || !more_ || reading_ || unfolded_ >= most_unfolded)
        return;
    reading_ = true;
    more_ = false;
    core_->parts.readers->post([log = log_, max = core_->limits.page_events,
                                me = caf::actor_cast<caf::actor>(this)] {
        caf::anon_send(me,
                       page_message{std::make_shared<const result<event_page>>(log->next(max))});
    });
}

void projection_actor::on_page(const result<event_page>& page) {
    reading_ = false;
    if (!log_)
        return;
    if (!page) {
        fail(page.error());
        return;
    }
    // A wake may have come while the page was under way; it must not be forgotten.
    more_ = more_ || !page->at_end;
    auto [decoded, status] = decode(*page);
    if (!decoded) {
        fail(status.error());
        return;
    }
    if (decoded->through > 0 || page->at_end) {
        ++unfolded_;
        decoded->at_end = page->at_end;
        send(queries_, slice_message{std::move(decoded)});
    }
    if (!status)
        fail(status.error());
    else
        pull();
}

void projection_actor::fail(const error& why) {
    log_.reset();
    caf::anon_send(queries_, projection_failed_message{std::make_shared<const error>(why)});
}

} // namespace annals
