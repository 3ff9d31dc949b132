#pragma once

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
///     empty --command--> loading --pages--> ready --commit failed, or the host's code threw-->
///     recovering --everything appended is complete--> loading
///
/// While it is not ready, commands wait in `stash_`. When a commit is not stored, the journal stores
/// nothing of the same pipeline after it, so the tentative state is dropped as a whole, and what
/// was decided on it is decided again (after a conflict) or answered as failed.
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
    enum class phase : std::uint8_t { empty, loading, ready, recovering };

    // --- messages --------------------------------------------------------------------------------
    void on_command(command_ref command);
    void on_stretch(const stretch_message& stretch);
    void on_returned(command_ref command);
    void on_settled();
    void on_passivate();
    void on_repeated(const command_ref& command);

    // --- deciding --------------------------------------------------------------------------------
    void decide(command_ref command);
    bool answer_repeated(const command_ref& command);
    void answer_from_journal(const command_ref& command);
    void conclude(const command_ref& command, const verdict& made);
    void append_events(const command_ref& command);
    void append_barrier(const command_ref& command);
    void append(const command_ref& command);
    [[nodiscard]] bool all_settled() const noexcept;

    // --- loading and recovering ------------------------------------------------------------------
    void start_loading();
    void read_on();
    [[nodiscard]] result<void> apply(const event_page& page);
    void become_ready();
    void fail_waiting(const error& why);
    void start_recovery();
    void sort_out_returned();
    void fail(const command_ref& command, error why);

    std::shared_ptr<engine_core> core_; ///< given up at the end, because the core holds actors
    const std::shared_ptr<resident> self_;
    phase phase_ = phase::empty;
    std::unique_ptr<aggregate_instance> state_;
    stream_version version_ = 0; ///< of the tentative state
    std::shared_ptr<pipeline> pipeline_;
    remembered_commands remembered_;
    std::uint64_t sequence_ = 0;
    std::uint64_t appended_ = 0; ///< operations given to the journal
    std::uint64_t returned_count_ = 0;
    std::uint64_t reading_ = 0; ///< the current one; what belongs to an earlier one is ignored
    stretch_message early_;     ///< came before the stretch in front of it
    std::vector<command_ref> stash_;
    std::vector<command_ref> returned_;
};

} // namespace annals
