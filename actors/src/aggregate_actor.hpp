#pragma once

#include "decision_line.hpp"
#include "engine_core.hpp"
#include "messages.hpp"
#include "remembered_commands.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>
#include <vector>

namespace annals {

/// One aggregate in memory. It decides commands one after the other on a tentative state - the
/// stored events and those on their way into the journal - and never waits for the disk.
///
///     empty --command--> loading --pages--> ready --commit failed, or the host's evolve threw-->
///     recovering --everything appended is complete--> loading
///
///     ready --named command, but the ids that annals gave are not known--> recalling --> ready
///
/// While it is not ready, commands wait in `stash_`. When a commit is not stored, the journal stores
/// nothing of the same line after it, so the tentative state is dropped as a whole, and what was
/// decided on top of that commit is decided again (after a conflict) or answered as failed. What was
/// decided before it is not harmed.
class aggregate_actor : public caf::event_based_actor {
public:
    aggregate_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                    std::shared_ptr<resident> self);
    ~aggregate_actor() override;

    const char* name() const override { return "annals.aggregate"; }
    caf::behavior make_behavior() override;
    void on_exit() override;
    bool cleanup(caf::error&& why, caf::execution_unit* host) override;

private:
    enum class phase : std::uint8_t { empty, loading, ready, recovering, recalling };

    // --- messages --------------------------------------------------------------------------------
    void on_command(command_ref command);
    void on_stretch(const stretch_message& stretch);
    void on_returned(command_ref command);
    void on_settled(std::uint64_t barrier);
    void on_recalled(const recalled_message& recalled);
    void on_passivate();
    void on_repeated(const command_ref& command);

    // --- deciding --------------------------------------------------------------------------------
    [[nodiscard]] bool can_decide(const command_request& next);
    void decide(command_ref command);
    void stop_waiting(command_request& command) noexcept;
    void wait_again(command_request& command) noexcept;
    [[nodiscard]] const remembered_commands::entry* repeated(const command_request& command) const;
    void answer_repeated(command_ref command, const remembered_commands::entry& first);
    void answer_from_journal(command_ref command);
    void conclude(command_ref command, const verdict& made);
    void append_events(command_ref command);
    void append_barrier(command_ref command, pipeline::place rests_on);
    void append(command_ref command);
    [[nodiscard]] bool all_settled() const noexcept;

    // --- knowing commands again ------------------------------------------------------------------
    [[nodiscard]] bool must_recall(const command_request& command) const;
    void start_recalling();
    void remember(const uuid& id, const remembered_commands::entry& stored, bool named);

    // --- loading and recovering ------------------------------------------------------------------
    void start_loading();
    void read_on();
    [[nodiscard]] result<void> apply(const event_page& page);
    void become_ready();
    void decide_waiting();
    void append_settling_barrier();
    void fail_waiting(const error& why);
    void start_recovery();
    void sort_out_returned();
    [[nodiscard]] bool may_be_decided_again(const command_request& command, bool conflict) const;

    // --- failing ---------------------------------------------------------------------------------
    void give_up(const command_ref& command, error why);
    void fail_what_rested_on(const command_request& lost);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<resident> self_;
    phase phase_ = phase::empty;
    std::unique_ptr<aggregate_instance> state_;
    stream_version version_ = 0; ///< of the tentative state
    std::shared_ptr<decision_line> line_;
    pipeline::place last_place_ = 0; ///< in the line, of the last commit appended; 0: there is none
    const encoded_events::limits event_limits_;
    remembered_commands remembered_; ///< those with an id of the caller's
    /// Those with an id that annals gave them, if `knows_given_`: from the first named command on, which
    /// may be one of them, sent again.
    remembered_commands given_;
    bool knows_given_ = false;
    std::uint64_t sequence_ = 0;
    std::uint64_t appended_ = 0; ///< operations given to the journal
    std::uint64_t returned_count_ = 0;
    std::uint64_t barrier_ = 0; ///< the last that was appended; earlier ones are ignored
    std::uint64_t reading_ = 0; ///< the current one; what belongs to an earlier one is ignored
    stretch_message early_;     ///< came before the stretch in front of it
    std::vector<command_ref> stash_;
    std::vector<command_ref> returned_;
};

} // namespace annals
