#pragma once

// Part of annals/live.hpp.

namespace annals {

template <class T>
void live_buffer<T>::offer(outcome<T> answer, std::shared_ptr<void> keep_alive) {
    push({std::move(answer), 0}, keep_alive);
}

template <class T>
void live_buffer<T>::push(live_update<T> next, const std::shared_ptr<void>& keep_alive) {
    const std::lock_guard lock(mutex_);
    if (over_.load())
        return;
    if (waiting_.size() >= options_.buffer) {
        if (options_.then == live_options::when_full::error) {
            over_.store(true);
            next = {error{errc::overloaded,
                          "the receiver of a live query is slower than the view: " +
                              std::to_string(options_.buffer) +
                              " updates wait. Take them faster, or let the latest one win"},
                    0};
        } else {
            next.skipped = waiting_.back().skipped + 1;
            waiting_.pop_back();
        }
    }
    waiting_.push_back(std::move(next));
    if (!std::exchange(draining_, true))
        on_->post([this, keep_alive] { drain(); });
}

template <class T>
void live_buffer<T>::end(error why, std::shared_ptr<void> keep_alive) {
    const std::lock_guard lock(mutex_);
    if (over_.exchange(true))
        return;
    waiting_.push_back({std::move(why), 0});
    if (!std::exchange(draining_, true))
        on_->post([this, keep_alive = std::move(keep_alive)] { drain(); });
}

/// A bounded number at a time, so that receivers share the thread fairly: it posts itself again.
template <class T>
void live_buffer<T>::drain() {
    for (;;) {
        live_update<T> next{error{errc::aborted, {}}, 0};
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) {
                draining_ = false;
                return;
            }
            next = std::move(waiting_.front());
            waiting_.pop_front();
        }
        const std::lock_guard handing_over(handing_over_);
        if (!cancelled_)
            to_(next);
    }
}

template <class T>
void live_buffer<T>::cancel() {
    over_.store(true);
    {
        const std::lock_guard lock(mutex_);
        waiting_.clear();
    }
    const std::lock_guard handing_over(handing_over_); // waits for a call that runs
    cancelled_ = true;
}

template <class V, class Q>
void typed_live<V, Q>::look(const void* view_state, log_position position) noexcept {
    if (over())
        return;
    try {
        outcome<answer_type> now(answer(*static_cast<const V*>(view_state), value_));
        if (same_as_last(now))
            return;
        last_ = now;
        buffer_.offer(std::move(now).reflecting(position), this->shared_from_this());
    } catch (...) {
        fail(error_of_current_exception("answer"));
    }
}

template <class V, class Q>
bool typed_live<V, Q>::same_as_last(const outcome<answer_type>& now) const {
    if (!last_)
        return false;
    if (now.is_rejected() && last_->is_rejected())
        return now.rejection() == last_->rejection();
    if constexpr (requires(const answer_type& one) {
                      { one == one } -> std::convertible_to<bool>;
                  })
        return now.has_value() && last_->has_value() && *now == **last_;
    else
        return false; // answers that cannot be compared count as changed
}

} // namespace annals
