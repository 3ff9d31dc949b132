#pragma once

#include "annals/hosted.hpp"

#include <cassert>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace annals {

/// Some events of one slice on their way through a reaction's handlers, split by stream.
struct reaction_part {
    struct step {
        enum class state : std::uint8_t { waiting, running, succeeded, failed };

        std::size_t index; ///< in `events`
        log_position position;
        bool redelivered;
        unsigned attempt;
        /// The steps of the same stream before and after it in this share.
        std::optional<std::size_t> before = {}, next = {};
        state now = state::waiting;
        std::optional<error> failure = {};
    };
    /// What one partition's handler is to do, and how far it came. Steps begin in order; one that ends
    /// later holds up those of its own stream. After a failure no other begins.
    struct share {
        std::vector<step> steps;
        bool failed = false;
        /// Ends with the last of these: whoever begins steps, and each step that runs.
        std::size_t open = 1;

        [[nodiscard]] bool may_begin(std::size_t which) const {
            const step& one = steps[which];
            return !failed && one.now == step::state::waiting &&
                   (!one.before || steps[*one.before].now == step::state::succeeded);
        }
        void begin(std::size_t which) {
            steps[which].now = step::state::running;
            ++open;
        }
        /// True if that was the last one.
        [[nodiscard]] bool leave() {
            assert(open > 0);
            return --open == 0;
        }
        void end(std::size_t which, const result<void>& how);
    };

    std::uint64_t epoch = 0;
    std::shared_ptr<const decoded_events> events;
    std::size_t first = 0;     ///< index of its first event
    std::size_t end = 0;       ///< index behind its last event
    log_position last = 0;     ///< of the last event that is to be delivered; 0 if there is none
    log_position replayed = 0; ///< see `slice::replayed`
    std::vector<share> shares;
    std::size_t running = 0;        ///< shares with steps that have not ended
    std::shared_ptr<void> activity; ///< while it is with the handlers
};

/// The one event `index`, delivered again because someone asked for it.
[[nodiscard]] reaction_part replay_part(std::shared_ptr<const decoded_events> events,
                                        std::size_t index, unsigned attempt,
                                        std::size_t partitions);

/// What a reaction knows about deliveries: which events have taken effect, which failed, which may
/// have been delivered before, and what its checkpoint may say. Not thread-safe.
///
/// Partitions run ahead of each other and one may fail, so beyond `done` single events can have
/// taken effect, or failed. They are remembered here, a part or two of them, so that in this
/// process's life none takes effect twice, and each failure is told once.
class reaction_progress {
public:
    /// Positions without an event for this reaction cost a transaction only every so many: after a
    /// crash they are looked at again, and nothing is delivered again.
    static constexpr log_position lazy_positions = 65'536;

    /// `start` is stored. Events up to `start.begun` may have been delivered before.
    explicit reaction_progress(checkpoint_record start);

    /// Everything up to here has taken effect, or was given up.
    [[nodiscard]] log_position done() const noexcept { return done_; }
    /// How many events took effect since the last call.
    [[nodiscard]] std::uint64_t take_count() noexcept { return std::exchange(untold_, 0); }

    // --- giving an event up ------------------------------------------------------------------------

    /// The checkpoint behind an event that is given up. Whether it was stored shows in where the next
    /// slice begins.
    [[nodiscard]] checkpoint_record pass_over(log_position done);
    /// A slice begins: nothing between the last one and `from` is to be delivered.
    void arrive(log_position from);

    // --- delivering --------------------------------------------------------------------------------

    /// Which of the events `first` to before `end` are still to be delivered, and how. `attempt` is
    /// that of the event `first`, unless more are known of. Behind an event whose failure was not told,
    /// a partition waits.
    [[nodiscard]] reaction_part plan(std::shared_ptr<const decoded_events> events,
                                     std::size_t first, std::size_t end, unsigned attempt,
                                     std::size_t partitions) const;
    /// An event that had been set aside took effect.
    void count_replayed() noexcept { ++untold_; }
    /// A share came to its end.
    void record(const reaction_part::share& of);

    /// How far a part came: `next` is the index of the first event that did not take effect, and
    /// `failure`, if that event failed, is its error. It is valid until the next change.
    struct standing {
        std::size_t next;
        const error* failure;
    };
    [[nodiscard]] standing advance(const reaction_part& over);
    /// There was nothing more for this reaction up to `through`.
    void look_past(log_position through);
    /// The failure behind `done` was told. The event is tried when it is asked for again.
    void told_failure();

    // --- the checkpoint ----------------------------------------------------------------------------

    /// What is so, when the events up to `begin` are about to be delivered.
    [[nodiscard]] checkpoint_record checkpoint(log_position begin = 0) const;
    /// `checkpoint` is on its way to the store, then stored, or it could not be.
    void storing(const checkpoint_record& checkpoint) { on_its_way_ = checkpoint; }
    void stored(const checkpoint_record& checkpoint);
    void not_stored() { on_its_way_.reset(); }
    [[nodiscard]] log_position stored_done() const noexcept { return stored_.done; }
    /// Events took effect, or many positions were looked at, since a checkpoint was stored.
    [[nodiscard]] bool is_due() const noexcept;
    /// A stored checkpoint says that events up to here may have been delivered.
    [[nodiscard]] bool is_begun(log_position position) const noexcept {
        return position <= stored_.begun;
    }
    /// What is stored, or will be, is not what `checkpoint()` says; and it is known what that is.
    [[nodiscard]] bool should_store_at_end() const noexcept;

private:
    /// Of an event behind `done`.
    struct outcome {
        bool succeeded = false;
        std::optional<error> failure; ///< that was not told yet
        unsigned failures = 0;
    };

    void move_to(log_position done);

    checkpoint_record stored_;
    std::optional<checkpoint_record> on_its_way_;
    log_position begun_before_; ///< events up to here may have been delivered by another process
    log_position done_;
    log_position last_effect_; ///< position of the last event that took effect up to `done_`
    std::uint64_t events_;     ///< as in the checkpoint
    std::uint64_t untold_ = 0;
    std::map<log_position, outcome> outcomes_; ///< behind done_
    std::optional<checkpoint_record> passed_;  ///< handed out by pass_over, perhaps stored
};

} // namespace annals
