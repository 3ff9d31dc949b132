#pragma once

#include "engine_core.hpp"
#include "messages.hpp"

#include <caf/event_based_actor.hpp>

#include <map>
#include <memory>
#include <optional>

namespace annals {

/// Owns one view in memory: folds what the projection hands over and answers queries in between, so
/// every answer reflects exactly one position. A query that asks for a later position is parked here
/// and answered the moment the view reaches it; nobody polls.
class query_actor : public caf::event_based_actor {
public:
    query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core, const view_type& type,
                std::shared_ptr<view_gauge> gauge);

    const char* name() const override { return "annals.query"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    void on_slice(const decoded_events& events);
    void on_query(const query_ref& query);
    void answer(const query_ref& query);
    void refuse(const query_ref& query);
    void park(const query_ref& query);
    void answer_parked();
    void drop_expired();
    void fail(const error& why);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<view_gauge> gauge_;
    std::unique_ptr<view_instance> view_;
    log_position position_ = 0;
    std::optional<error> failure_;
    std::multimap<log_position, query_ref> parked_;
    std::size_t next_cleaning_ = 64;
};

} // namespace annals
