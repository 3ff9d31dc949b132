#pragma once

// Part of annals/live.hpp.
#include "annals/live.hpp"

namespace annals {

template <class T>
void live_buffer<T>::offer(outcome<T> answer, std::shared_ptr<void> keep_alive,
                           std::uint64_t skipped) {
    bool wanted = false;
    {
        const std::lock_guard lock(mutex_);
        if (over_.load())
            return;
        live_update<T> next{std::move(answer), skipped, false};
        if (waiting_.size() >= options_.buffer) {
            if (options_.then == live_options::when_full::error) {
                over_.store(true);
                next = {error{errc::overloaded,
                              "the receiver of a live query is slower than the view: " +
                                  std::to_string(options_.buffer) +
                                  " updates wait. Take them faster, or let the latest one win"},
                        0, true};
            } else {
                next.skipped += waiting_.back().skipped + 1;
                waiting_.pop_back();
            }
        }
        wanted = queue(std::move(next));
    }
    if (wanted)
        post(std::move(keep_alive));
}

template <class T>
void live_buffer<T>::end(error why, std::shared_ptr<void> keep_alive) {
    bool wanted = false;
    {
        const std::lock_guard lock(mutex_);
        if (over_.exchange(true))
            return;
        wanted = queue({std::move(why), 0, true});
    }
    if (wanted)
        post(std::move(keep_alive));
}

template <class T>
bool live_buffer<T>::queue(live_update<T> next) {
    waiting_.push_back(std::move(next));
    return !std::exchange(draining_, true);
}

/// A stopped executor runs the task within `post`, so no lock is held here.
template <class T>
void live_buffer<T>::post(std::shared_ptr<void> keep_alive) {
    on_->post([this, keep_alive = std::move(keep_alive)] { drain(keep_alive); });
}

template <class T>
void live_buffer<T>::drain(const std::shared_ptr<void>& keep_alive) {
    for (std::size_t i = 0; i != at_once_; ++i) {
        const auto next = take();
        if (!next)
            return;
        hand_over(*next);
    }
    if (more())
        post(keep_alive);
}

template <class T>
std::optional<live_update<T>> live_buffer<T>::take() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
        draining_ = false;
        return std::nullopt;
    }
    std::optional<live_update<T>> next(std::move(waiting_.front()));
    waiting_.pop_front();
    return next;
}

template <class T>
bool live_buffer<T>::more() {
    const std::lock_guard lock(mutex_);
    draining_ = !waiting_.empty();
    return draining_;
}

template <class T>
void live_buffer<T>::hand_over(const live_update<T>& next) {
    receiver gone; // destroyed outside the lock
    const std::lock_guard lock(handing_over_);
    if (cancelled_)
        return;
    inside_ = true;
    to_(next);
    inside_ = false;
    if (cancelled_ || next.last)
        gone = std::exchange(to_, nullptr);
}

template <class T>
void live_buffer<T>::cancel() {
    over_.store(true);
    {
        const std::lock_guard lock(mutex_);
        waiting_.clear();
    }
    receiver gone;                             // destroyed outside the lock
    const std::lock_guard lock(handing_over_); // waits for a call that runs
    cancelled_ = true;
    if (!inside_)
        gone = std::exchange(to_, nullptr);
}

template <class V, class Q>
void typed_live<V, Q>::look(const void* view_state, log_position position,
                            std::uint64_t unseen) noexcept {
    if (over())
        return;
    unseen_ += last_ ? unseen : 0;
    try {
        outcome<answer_type> now(answer(*static_cast<const V*>(view_state), value_));
        if (same_as_last(now, position))
            return;
        last_ = now;
        last_position_ = position;
        buffer_.offer(std::move(now).reflecting(position), this->shared_from_this(),
                      std::exchange(unseen_, 0));
    } catch (...) {
        fail(error_of_current_exception("answer"));
    }
}

template <class V, class Q>
bool typed_live<V, Q>::same_as_last(const outcome<answer_type>& now, log_position position) const {
    if (!last_)
        return false;
    if (now.is_rejected() && last_->is_rejected())
        return now.rejection() == last_->rejection();
    if constexpr (requires(const answer_type& one) {
                      { one == one } -> std::convertible_to<bool>;
                  })
        return now.has_value() && last_->has_value() && *now == **last_;
    else
        return position == last_position_; // answers that cannot be compared change with the view
}

} // namespace annals
