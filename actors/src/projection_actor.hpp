#pragma once

#include "engine_core.hpp"
#include "hosted_projection.hpp"
#include "lane.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace annals {

/// Receives the events of one projection and sees to it that they take effect: in a view's query
/// actor, in stored rows, or in a reaction's handlers.
///
/// It runs one lane, and a second one during a rebuild: the serving lane goes on as before, the building
/// one goes through the log beside it, with a list of its own of what it sets aside. When that one has
/// caught up, they change places at one position, in one transaction of the store.
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
    void stand_still(bool on);
    void answer_paused();
    void run_again(const duty& what);
    void reset(const duty& what);
    void reset_to(const duty& what, generation_record generation, checkpoint_record begin);
    void has_reset(const generation_record& fresh, const duty& what);
    void reset_refused(const duty& what, const error& why);
    void rebuild(const duty& what);
    void start_rebuild();
    void begin_building(generation_record generation, std::vector<log_position> skip);
    void fail_rebuild(const error& why);
    void replay(const duty& what);
    void on_replay(const replay_message& m);
    void give_up(const duty& what);
    /// Now, or once the change of the catalog that is on its way is done: one at a time.
    void in_turn(std::function<void()> what);
    void turn_is_over();
    /// Runs `then` in this actor once the record is changed durably, or could not be.
    void change_record(projection_book::changing how, row_changes also,
                       std::function<void(result<void>)> then) {
        of_->book->change(std::move(how), std::move(also),
                          [to = caf::actor_cast<caf::weak_actor_ptr>(this),
                           then = std::move(then)](const result<void>& stored) {
                              if (auto actor = caf::actor_cast<caf::actor>(to))
                                  caf::anon_send(actor, stored_message{then, stored});
                          });
    }
    void on_damaged(const damaged_message& m);
    void show_mode();
    void show_set_aside();
    /// Lanes that neither serve nor are built, nor answer until another does, go.
    void prune();
    /// Rows: what lanes other than `but` are about to put into the list of what serves.
    void erase_being_set_aside(row_changes& into, const lane* but = nullptr) const;

    // --- changing places, in projection_swap.cpp ---
    void try_swap();
    void store_swap(lane& next);
    void swap_stored(lane& next);
    void swap_refused(const error& why);
    void try_again_later(const error& why);
    void on_swapped(const swapped_message& m);
    void end_swap(const result<void>& how);
    /// The list holds what `of` has set aside and nothing else.
    void correct_list(const lane& of);
    /// What an earlier version had set aside was tried again: the rest of it leaves the list.
    void settle_old_list();
    void save_copies();

    /// Where `of` is, as it may be told: rows may be known to be further than a lane that begins again.
    [[nodiscard]] log_position position_of(const lane& of) {
        return kind() == projection_kind::stored_view
                   ? of_->rows->reached(of.generation().space, of.position())
                   : of.position();
    }
    [[nodiscard]] projection_kind kind() const noexcept { return of_->what.projection->kind(); }

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<hosted_projection> of_;
    const std::shared_ptr<projection_gauge> gauge_;
    caf::actor queries_;
    std::vector<std::shared_ptr<reaction_type::handler>> handlers_;

    std::map<std::uint64_t, std::unique_ptr<lane>> lanes_;
    std::uint64_t last_lane_ = 0;
    /// 0: none yet, or what serves is of an earlier version and stands still.
    std::uint64_t serving_ = 0;
    std::uint64_t building_ = 0;
    generation_record frozen_;   ///< what serves, if no lane of ours feeds it
    log_position frozen_at_ = 0; ///< where that stands
    bool paused_ = false;
    bool stopping_ = false;
    bool list_is_old_ = false;  ///< the serving lane tries what an earlier version had set aside
    bool from_scratch_ = false; ///< what is installed next begins anew, after a reset

    /// Changing places: the catalog is told first. A view in memory goes on for a moment in its actor
    /// with what served before, until the positions meet.
    enum class swap_step : std::uint8_t { none, storing, meeting };
    swap_step swap_ = swap_step::none;
    std::uint64_t leaving_ = 0; ///< while `meeting`: answers until then
    error swap_failure_;        ///< of the lane that was to take the place, while `storing`
    std::vector<duty> swap_rebuilding_;
    std::vector<duty> swap_replaying_;

    bool busy_ = false; ///< a change of the catalog is on its way, or the start is being read
    bool catalog_waits_ = false; ///< it has refused a change of places, which is tried again later
    std::deque<std::function<void()>> later_;
    std::vector<duty> pausing_;
    std::vector<duty> rebuilding_;
    std::vector<duty> replaying_by_rebuild_;
    std::map<log_position, duty> replaying_;
};

} // namespace annals
