#pragma once

#include "admission.hpp"
#include "joint_seat.hpp"
#include "projection_gauge.hpp"

#include "annals/joint.hpp"

#include <caf/actor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace annals {

/// A joint query on its way: who takes part, and at which position of the log all of them answer.
///
/// Each view says where it is when the question comes to it, and goes on. When all have said so, the
/// position is the foremost that any of them has reached by then, or is about to; each answers the
/// moment it is there, inside a slice if need be. So no view waits for another: only the joint query
/// waits. A view that leaps over the position, because what was rebuilt takes its place, begins the
/// next round, with another position. Thread-safe.
class joint_meeting : public expirable, public std::enable_shared_from_this<joint_meeting> {
public:
    struct participant {
        caf::actor view;
        std::shared_ptr<joint_seat> seat;
        std::shared_ptr<projection_gauge> gauge;
    };
    joint_meeting(std::shared_ptr<joint_request> request, std::vector<participant> who,
                  std::shared_ptr<joint_board> board, std::shared_ptr<annals::admission> admission);

    /// Asks all.
    void begin();

    // --- by the views' actors --------------------------------------------------------------------------
    /// The view of `part` is at `here` and goes on. The last one settles the position, and all are told.
    void arrived(const joint_part& part, log_position here);
    void answer(const joint_part& part, const void* state, log_position position);
    /// The view of `part` will not be where all meet.
    void begin_again(const joint_part& part);

    /// Nothing, once it is over.
    void fail(error why);
    void expire() noexcept override;

private:
    struct place {
        participant who;
        bool here = false; ///< in this round
    };

    void ask_all(const std::vector<caf::actor>& views, std::uint64_t round);
    [[nodiscard]] bool counts(const joint_part& part) const {
        return !over_ && part.round == round_;
    }
    /// With the board's lock: the next round, or none.
    void leave_seats();
    [[nodiscard]] std::vector<caf::actor> views() const;
    /// Gives back what it held.
    void release() noexcept;
    [[nodiscard]] std::string who_is_missing() const;

    const std::shared_ptr<joint_request> request_;
    const std::shared_ptr<joint_board> board_;
    const std::shared_ptr<annals::admission> admission_;
    std::uint64_t number_ = 0;

    // Guarded by the board's mutex.
    std::vector<place> places_; ///< given up when all is over, because actors hold this
    std::uint64_t round_ = 0;
    std::size_t missing_;
    std::size_t unanswered_;
    std::optional<log_position> meeting_;
    bool over_ = false;
};

/// Asks one view. Dropped before the view took it, the joint query fails with `closed`.
class joint_call {
public:
    explicit joint_call(joint_part part) : part_(std::move(part)) {}
    ~joint_call();
    joint_call(const joint_call&) = delete;
    joint_call& operator=(const joint_call&) = delete;

    [[nodiscard]] joint_part take() { return std::move(part_); }

private:
    joint_part part_;
};

} // namespace annals
