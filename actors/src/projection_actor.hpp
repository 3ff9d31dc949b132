#pragma once

#include "engine_core.hpp"
#include "hosted_projection.hpp"
#include "lane.hpp"

#include <caf/event_based_actor.hpp>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace annals {

/// Receives the events of one projection and sees to it that they take effect: in a view's query
/// actor, in stored rows, or in a reaction's handlers.
///
/// It runs one lane, and a second one during a rebuild: the serving lane goes on as before, the building
/// one goes through the log beside it. When that one has caught up, they change places at one position:
/// views in memory inside the query actor, stored views in one transaction of the store.
class projection_actor : public caf::event_based_actor, private lane_owner {
public:
    projection_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                     std::shared_ptr<hosted_projection> of, caf::actor queries,
                     std::vector<std::shared_ptr<reaction_type::handler>> handlers);

    const char* name() const override { return "annals.projection"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    using duty = std::shared_ptr<control_duty>;

    void start();
    void start_view(result<lane_start>& start);
    lane& add_lane(generation_record generation, std::vector<log_position> skip);
    [[nodiscard]] lane* find(std::uint64_t id);
    [[nodiscard]] lane* serving() { return find(serving_); }
    [[nodiscard]] lane* building() { return find(building_); }

    // --- lane_owner ---
    caf::actor self() override;
    void read_start(lane& of, std::uint64_t opening) override;
    std::unique_ptr<sink> make_sink(lane& of, lane_start start, std::uint64_t epoch) override;
    void lane_reported(lane& of, const sink_report& came,
                       std::optional<steady_time> read_at) override;
    void lane_moved(lane& of) override;
    projection_book::list list_of(const lane& of) const override;
    void lane_set_aside(lane& of, projection_book::list in, const set_aside_event& what) override;
    void lane_replayed(log_position position, result<void> how) override;
    void lane_failed(lane& of, const error& why) override;

    // --- control ---
    void on_control(const duty& what);
    void pause(const duty& what);
    void resume(const duty& what);
    void reset(const duty& what);
    void reset_to(const duty& what, generation_record generation, log_position begun,
                  std::uint64_t number);
    void resume_with(const projection_record& record);
    void reset_failed(const duty& what, const error& why);
    void rebuild(const duty& what);
    void begin_building(generation_record generation);
    void replay(const duty& what);
    void on_replay(const replay_message& m);
    void give_up(const duty& what);
    void rebuild_stored(generation_record next);
    /// What an earlier version had set aside and `of` has taken leaves the list.
    void settle_old_list(const lane& of);
    void show_set_aside();
    /// Rows: what lanes are about to put into the lists of generations that go.
    void erase_being_set_aside(row_changes& into) const;
    void answer_paused();
    void show_mode();
    /// Lanes that neither serve nor are built go.
    void prune();
    void fail_rebuild(const error& why);

    // --- swapping ---
    void try_swap();
    void swap_stored(lane& next);
    void on_swapped(const swapped_message& m);
    void swap_failed(lane& next, const error& why);
    void stored_view_swapped(const lane& next);
    void view_swapped(const lane& next);
    /// Answers those who asked for the rebuild that is over, or for an event to be replayed by it.
    void answer_rebuilt(std::vector<duty> rebuilt, std::vector<duty> replayed,
                        const result<void>& how);
    /// Runs `then` in this actor once the record is changed.
    template <class Change>
    void change_record(Change&& how, row_changes also, std::function<void(result<void>)> then);

    [[nodiscard]] projection_kind kind() const noexcept { return of_->what.projection->kind(); }

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<hosted_projection> of_;
    const std::shared_ptr<projection_gauge> gauge_;
    caf::actor queries_;
    std::vector<std::shared_ptr<reaction_type::handler>> handlers_;

    std::map<std::uint64_t, std::unique_ptr<lane>> lanes_;
    std::uint64_t last_lane_ = 0;
    std::uint64_t serving_ =
        0; ///< 0: none yet, or what serves is of an earlier version and stands still
    std::uint64_t building_ = 0;
    generation_record frozen_;   ///< what serves, if no lane of ours feeds it
    log_position frozen_at_ = 0; ///< where what serves stands, if no lane of ours feeds it
    bool paused_ = false;
    bool swapping_ = false;     ///< a change of places is on its way
    bool list_is_old_ = false;  ///< the serving lane tries what an earlier version had set aside
    bool from_scratch_ = false; ///< what is installed next begins anew, after a reset
    bool stopping_ = false;
    bool starting_ = false;       ///< where it begins is being read
    bool rebuild_begins_ = false; ///< the catalog is about to have what is built
    error rebuild_failure_;       ///< of a lane that failed while it may have changed places
    std::uint64_t resets_ = 0;

    std::vector<duty> early_; ///< until it has started
    std::vector<duty> pausing_;
    std::vector<duty> rebuilding_;
    std::vector<duty> replaying_by_rebuild_;
    std::map<log_position, duty> replaying_;
    std::vector<replay_message> replays_after_swap_;
};

} // namespace annals
