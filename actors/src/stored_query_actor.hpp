#pragma once

#include "engine_core.hpp"
#include "messages.hpp"
#include "query_parking.hpp"
#include "stored_queries.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace annals {

/// Answers queries to one stored view. It knows how far the rows are and parks queries that want more;
/// the answering itself reads the disk and so runs on threads for that, each query from a snapshot of
/// its own, several at a time and beside the folding.
class stored_query_actor : public caf::event_based_actor {
public:
    stored_query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                       std::shared_ptr<hosted_projection> of);

    const char* name() const override { return "annals.stored_query"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    /// What answering tasks share with the actor, and keep alive.
    struct answering {
        std::shared_ptr<hosted_projection> of;
        stored_answers rows;
    };

    /// A live query, and which rows it was shown last: of the one look that is under way.
    struct watching {
        std::shared_ptr<live_request> query;
        std::shared_ptr<stored_answers::place> seen = std::make_shared<stored_answers::place>();

        void look(const void* state, const stored_answers::place& at) const;
    };

    void on_advanced(const advanced_message& m);
    void on_query(const query_ref& query);
    void answer(const query_ref& query);
    /// One look at all live queries at a time, so that each sees positions in order.
    void look_at_live();
    void fail(const error& why);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<hosted_projection> of_;
    const std::shared_ptr<projection_gauge> gauge_;
    const std::shared_ptr<const answering> answering_;
    log_position reached_ = 0; ///< by the rows that serve
    std::optional<error> failure_;
    query_parking parked_;
    std::vector<watching> live_;
    bool looking_ = false;
    bool look_again_ = false;
};

} // namespace annals
