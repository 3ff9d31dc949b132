#pragma once

#include "annals/stored_event.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace annals {

class joint_meeting;

/// Guards the seats and the joint queries of one engine: a position is agreed on while no view moves
/// past it.
struct joint_board {
    std::mutex mutex;
    std::uint64_t meetings = 0; ///< so many there have been
};

/// One query of a joint query, at its view.
struct joint_part {
    std::shared_ptr<joint_meeting> of;
    std::size_t index = 0;   ///< among the queries that are asked together
    std::uint64_t round = 0; ///< see joint_meeting
};

/// Where one view and the joint queries that concern it meet. The view says how far it is about to go
/// before it goes there, so no position is agreed on that it has passed; and it is told which agreed
/// positions lie on its way. It never waits. Thread-safe; a call costs O(log n) of the parts waiting.
class joint_seat {
public:
    explicit joint_seat(std::shared_ptr<joint_board> board) : board_(std::move(board)) {}

    /// There are parts. Without them the view need not say where it goes.
    [[nodiscard]] bool taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

    /// The view is about to reflect `target`, or the first agreed position before that, which is
    /// returned.
    [[nodiscard]] std::optional<log_position> moving(log_position target);
    /// The view goes to `target` at one stroke: the parts whose position it leaps over.
    [[nodiscard]] std::vector<joint_part> leaps_to(log_position target);
    /// The view is reset to `position`, which may be earlier: the parts whose position was agreed on.
    [[nodiscard]] std::vector<joint_part> begins_again(log_position position);

    struct due_part {
        joint_part part;
        log_position at;
    };
    /// Takes the parts whose position is `position` or before it.
    [[nodiscard]] std::vector<due_part> take_due(log_position position);
    /// Takes all.
    [[nodiscard]] std::vector<joint_part> take_all();

private:
    friend class joint_meeting;                           // with the board's lock
    using number = std::pair<std::uint64_t, std::size_t>; ///< of the meeting, and of the part

    void reaches(log_position target) noexcept;
    void arrive(const number& who, joint_part part, log_position here);
    void agree(const number& who, log_position on);
    void leave(const number& who, std::optional<log_position> agreed);
    void look() noexcept { taken_.store(!arrived_.empty() || !agreed_.empty()); }

    const std::shared_ptr<joint_board> board_;
    std::atomic<bool> taken_{false};
    log_position reaches_ = 0; ///< the view is there, or about to be; kept up while there are parts
    std::map<number, joint_part> arrived_; ///< where they meet is not known yet
    std::map<std::pair<log_position, number>, joint_part> agreed_;
};

} // namespace annals
