#include "joint_seat.hpp"

#include <algorithm>

namespace annals {

std::optional<log_position> joint_seat::moving(log_position target) {
    const std::lock_guard lock(board_->mutex);
    const auto first = agreed_.begin();
    const bool stops = first != agreed_.end() && first->first.first < target;
    reaches(stops ? first->first.first : target);
    return stops ? std::optional(first->first.first) : std::nullopt;
}

std::vector<joint_part> joint_seat::leaps_to(log_position target) {
    std::vector<joint_part> passed;
    const std::lock_guard lock(board_->mutex);
    reaches(target);
    while (!agreed_.empty() && agreed_.begin()->first.first < target)
        passed.push_back(std::move(agreed_.extract(agreed_.begin()).mapped()));
    look();
    return passed;
}

std::vector<joint_part> joint_seat::begins_again(log_position position) {
    std::vector<joint_part> all;
    const std::lock_guard lock(board_->mutex);
    reaches_ = position;
    for (auto& [where, part] : std::exchange(agreed_, {}))
        all.push_back(std::move(part));
    look();
    return all;
}

std::vector<joint_seat::due_part> joint_seat::take_due(log_position position) {
    std::vector<due_part> due;
    const std::lock_guard lock(board_->mutex);
    while (!agreed_.empty() && agreed_.begin()->first.first <= position) {
        auto first = agreed_.extract(agreed_.begin());
        due.push_back({std::move(first.mapped()), first.key().first});
    }
    look();
    return due;
}

std::vector<joint_part> joint_seat::take_all() {
    std::vector<joint_part> all;
    const std::lock_guard lock(board_->mutex);
    for (auto& [who, part] : std::exchange(arrived_, {}))
        all.push_back(std::move(part));
    for (auto& [where, part] : std::exchange(agreed_, {}))
        all.push_back(std::move(part));
    look();
    return all;
}

void joint_seat::reaches(log_position target) noexcept {
    reaches_ = std::max(reaches_, target);
}

void joint_seat::arrive(const number& who, joint_part part, log_position here) {
    reaches(here);
    arrived_.insert_or_assign(who, std::move(part));
    look();
}

void joint_seat::agree(const number& who, log_position on) {
    auto part = arrived_.extract(who);
    if (!part.empty())
        agreed_.insert_or_assign({on, who}, std::move(part.mapped()));
}

void joint_seat::leave(const number& who, std::optional<log_position> agreed) {
    arrived_.erase(who);
    if (agreed)
        agreed_.erase({*agreed, who});
    look();
}

} // namespace annals
