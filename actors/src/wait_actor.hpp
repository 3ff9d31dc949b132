#pragma once

#include "engine_core.hpp"
#include "messages.hpp"
#include "progress_wait.hpp"

#include <caf/event_based_actor.hpp>

#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

namespace annals {

/// Keeps all who wait for projections to reach a position. Whoever moves a projection, stores a command
/// or looks at the clock only sends it a message: adding, answering and expiring are done here, each in
/// O(log n), and no more than `most_at_once` of them before other messages have their turn.
class wait_actor : public caf::event_based_actor {
public:
    static constexpr std::size_t most_at_once = 256;

    wait_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core);

    const char* name() const override { return "annals.wait"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    using number = std::uint64_t;
    struct waiting {
        std::shared_ptr<progress_wait> what;
        std::size_t missing = 0; ///< so many projections are not there yet
    };
    using by_position = std::set<std::pair<log_position, number>>;

    void begin(const std::shared_ptr<progress_wait>& what);
    /// Answers those whom `gauge` has reached, or waits for it.
    void look_at(projection_gauge& gauge);
    void expire_due();
    void await_next_deadline();
    /// Takes it out of everything.
    [[nodiscard]] std::shared_ptr<progress_wait> take(number which);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    number last_ = 0;
    std::unordered_map<number, waiting> waits_;
    std::map<projection_gauge*, by_position> places_;
    std::set<std::pair<steady_time, number>> deadlines_;
    std::shared_ptr<expirable> alarm_; ///< in the deadline queue, at `alarm_at_`
    steady_time alarm_at_ = steady_time::max();
};

} // namespace annals
