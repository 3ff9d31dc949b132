#pragma once

#include "engine_core.hpp"
#include "messages.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>

namespace annals {

/// Receives the events one view wants, in log order, decodes them and hands them to the view's query
/// actor. It pulls: at most one page is being read and at most two slices wait to be folded, so
/// memory stays bounded however far behind the view is. From the beginning of the log to the latest
/// event it is one subscription, so there is no hand-over between old and new events.
class projection_actor : public caf::event_based_actor {
public:
    projection_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                     const view_type& type, std::shared_ptr<view_gauge> gauge, caf::actor queries);

    const char* name() const override { return "annals.projection"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    static constexpr int most_unfolded = 2;

    [[nodiscard]] result<void> subscribe();
    void on_page(const result<event_page>& page);
    [[nodiscard]] decoding decode(const event_page& page) const;
    /// Reads on, if there is more and there is room.
    void pull();
    void fail(const error& why);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const view_type& type_;
    const std::shared_ptr<view_gauge> gauge_;
    caf::actor queries_;
    std::shared_ptr<subscription> log_;
    bool more_ = true; ///< the log may hold more than was read
    bool reading_ = false;
    int unfolded_ = 0;
};

} // namespace annals
