#pragma once

#include "engine_core.hpp"
#include "messages.hpp"
#include "query_parking.hpp"
#include "view_copies.hpp"
#include "view_publication.hpp"

#include <caf/event_based_actor.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace annals {

/// Owns one view in memory: folds what the projection hands over and answers queries in between, so
/// every answer reflects exactly one position.
///
/// During a rebuild it holds two states, one for each of the projection's lanes: the one that answers,
/// and the one that is being built. They change places at one position.
class query_actor : public caf::event_based_actor {
public:
    query_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                std::shared_ptr<hosted_projection> of);

    const char* name() const override { return "annals.query"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    /// A state from before some events, to go back to.
    struct fallback_copy {
        std::unique_ptr<view_instance> view; ///< null: there is none
        log_position position = 0;           ///< that it reflects
        bool in_front = false;               ///< it was made within the slice that is being folded
        std::size_t first = 0;               ///< and then lacks its events from this index on
        steady_time not_before = steady_time::min(); ///< when the next one may be made
    };
    /// One state, and the slices it is yet to fold.
    struct held_state {
        std::unique_ptr<view_instance> view; ///< null once host code failed in the middle of it
        log_position position = 0;
        std::optional<steady_time> read_at; ///< the log's end was reached by a reading begun then
        std::deque<slice> waiting;
        std::uint64_t unwanted_epoch = 0; ///< slices of it and before are not wanted
        fallback_copy fallback;
        std::shared_ptr<const slice_marks> marks;
    };

    void install(const install_message& m);
    void on_slice(const slice_message& m);
    void drop(std::uint64_t lane);

    /// Folds what waits in `lane`, as far as it may.
    void fold_waiting(std::uint64_t lane);
    /// Folds as much of the front slice as it may. False if nothing more can be done now.
    [[nodiscard]] bool fold_front(std::uint64_t lane, held_state& state);
    /// Before the front slice is folded.
    void keep_fallback(held_state& state);
    void fold_failed(std::uint64_t lane, held_state& state, const folding& came);
    /// False if there is no copy of any use.
    [[nodiscard]] bool fall_back(std::uint64_t lane, held_state& state, const slice& failed,
                                 sink_report& report);
    /// The state of `lane` reflects more, or serves now.
    void moved(std::uint64_t lane, std::uint64_t events);
    void show(const held_state& state, std::uint64_t events);
    void swap_if_due();
    void report(std::uint64_t lane, sink_report what);

    void on_query(const query_ref& query);
    void answer(const query_ref& query);
    void on_live(const std::shared_ptr<live_request>& query);
    void look_at_live();
    static void show_to(live_request& query, const held_state& state);
    void publish_due();
    void on_joint(const joint_message& m);
    void answer_joint();
    static void begin_again(const std::vector<joint_part>& parts);
    void fail(const error& why);

    [[nodiscard]] held_state* serving() noexcept;
    /// The serving state, if it is not behind what was shown before.
    [[nodiscard]] const held_state* showable() noexcept;
    /// Where the serving state, on its way to `target`, is to answer joint queries first.
    [[nodiscard]] std::optional<log_position> next_meeting(const held_state& state,
                                                           log_position target);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<hosted_projection> of_;
    const std::shared_ptr<projection_gauge> gauge_;
    caf::actor projection_; ///< known from the first installation on
    std::map<std::uint64_t, held_state> states_;
    std::uint64_t serving_ = 0;
    std::optional<swap_message> swap_to_;
    /// Answers reflect at least this: where the view was before it had to begin again.
    log_position floor_ = 0;
    std::optional<error> failure_;
    query_parking parked_;
    std::vector<std::shared_ptr<live_request>> live_;
    const std::shared_ptr<joint_seat> seat_;
    view_publication publication_;
    view_copies copies_;
};

} // namespace annals
