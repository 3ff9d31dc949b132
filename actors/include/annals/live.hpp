#pragma once

#include "annals/request.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

/// Live queries: the answer now, and then each time it changes, without a gap between the two.
namespace annals {

/// What comes of one step of a live query.
template <class T>
struct live_update {
    outcome<T> answer; ///< `answer.position()` says what it reflects
    /// Answers that were replaced by this one before anybody saw them. A stored view is looked at as
    /// often as its threads manage; each of its changes that was not looked at counts as one, whether
    /// or not it changed the answer.
    std::uint64_t skipped = 0;
    /// The live query has ended, and `answer` is the error that says why: nothing follows.
    bool last = false;
};

/// How a live query is served.
struct live_options {
    /// The first answer reflects this position, or more.
    log_position at_least = 0;
    /// What happens to an update when `buffer` of them wait for the receiver, who is slow.
    enum class when_full : std::uint8_t {
        latest_wins, ///< it takes the place of the newest that waits; `skipped` counts
        error,       ///< the live query ends with `overloaded`
    };
    when_full then = when_full::latest_wins;
    /// Updates that may wait. At least 1.
    std::size_t buffer = 1;
};

/// A live query on its way to its view, and then in it. The view's actor offers it every change; a
/// receiver takes what it is offered at its own pace. Thread-safe.
class live_request {
public:
    live_request(std::type_index view_type, std::type_index query_type, live_options with)
        : view(view_type),
          query(query_type),
          options(with) {}
    virtual ~live_request() = default;

    const std::type_index view;
    const std::type_index query;
    const live_options options;

    /// Called by the view's actor, or by a thread on its behalf, one call at a time: the view's value
    /// may have changed. `unseen` states since the last call were not offered. Catches what the host's
    /// code throws.
    virtual void look(const void* view_state, log_position position,
                      std::uint64_t unseen) noexcept = 0;
    /// Ends it with an error, after what waits.
    virtual void fail(error why) noexcept = 0;
    /// Nobody wants it any more.
    [[nodiscard]] virtual bool over() const noexcept = 0;
};

/// The receiving end: what waits, and the task that hands it over, one at a time.
template <class T>
class live_buffer {
public:
    using receiver = std::function<void(const live_update<T>&)>;
    static constexpr std::size_t usually_at_once = 64;

    /// One task on `on` hands over `at_once` updates at most, then posts itself again, so that
    /// receivers share a thread fairly.
    live_buffer(live_options with, receiver to, std::shared_ptr<blocking_executor> on,
                std::size_t at_once = usually_at_once)
        : options_(with),
          at_once_(at_once),
          on_(std::move(on)),
          to_(std::move(to)) {}

    /// Offers an update; see `live_options::when_full`. `keep_alive` lives until it is handed over.
    /// `skipped` are those before it that were not offered.
    void offer(outcome<T> answer, std::shared_ptr<void> keep_alive, std::uint64_t skipped = 0);
    /// The last update: an error. Nothing is taken any more.
    void end(error why, std::shared_ptr<void> keep_alive);
    /// No call of the receiver begins after this, and none runs, unless this is called by it. What
    /// the receiver holds is let go, then or when that call returns.
    void cancel();
    [[nodiscard]] bool over() const noexcept { return over_.load(); }

private:
    /// Queues `next`. True if a task must be posted to hand it over: none is on its way. `mutex_`.
    [[nodiscard]] bool queue(live_update<T> next);
    void post(std::shared_ptr<void> keep_alive);
    void drain(const std::shared_ptr<void>& keep_alive);
    /// Empty if nothing waits; then this task was the last.
    [[nodiscard]] std::optional<live_update<T>> take();
    [[nodiscard]] bool more();
    void hand_over(const live_update<T>& next);

    const live_options options_;
    const std::size_t at_once_;
    const std::shared_ptr<blocking_executor> on_;
    std::atomic<bool> over_{false}; ///< set under mutex_, except by cancel
    std::mutex mutex_;              ///< guards the next two; held neither in post nor in to_
    std::deque<live_update<T>> waiting_;
    bool draining_ = false;             ///< a task is on its way or at work
    std::recursive_mutex handing_over_; ///< held while the receiver runs; guards the rest
    receiver to_;
    bool inside_ = false;
    bool cancelled_ = false;
};

/// A live query of type Q to a view of type V.
template <class V, class Q>
class typed_live final : public live_request,
                         public std::enable_shared_from_this<typed_live<V, Q>> {
public:
    using answer_type = answer_of<V, Q>;
    typed_live(Q value, live_options with, typename live_buffer<answer_type>::receiver to,
               std::shared_ptr<blocking_executor> on,
               std::size_t at_once = live_buffer<answer_type>::usually_at_once)
        : live_request(typeid(V), typeid(Q), with),
          value_(std::move(value)),
          buffer_(with, std::move(to), std::move(on), at_once) {}

    void look(const void* view_state, log_position position,
              std::uint64_t unseen) noexcept override;
    void fail(error why) noexcept override {
        buffer_.end(std::move(why), this->shared_from_this());
    }
    [[nodiscard]] bool over() const noexcept override { return buffer_.over(); }
    void cancel() { buffer_.cancel(); }

private:
    [[nodiscard]] bool same_as_last(const outcome<answer_type>& now, log_position position) const;

    const Q value_;
    live_buffer<answer_type> buffer_;
    std::optional<outcome<answer_type>> last_; ///< used by the view's actor only
    log_position last_position_ = 0;           ///< that it reflected
    std::uint64_t unseen_ = 0;                 ///< since then
};

/// Holds a live query: destroying it cancels. Movable. One thread at a time.
class live_query {
public:
    live_query() = default;
    explicit live_query(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
    live_query(live_query&& other) noexcept : cancel_(std::exchange(other.cancel_, {})) {}
    live_query& operator=(live_query&& other) noexcept {
        if (this != &other) {
            this->cancel();
            cancel_ = std::exchange(other.cancel_, {});
        }
        return *this;
    }
    ~live_query() { cancel(); }
    /// Once it has returned, the callback neither runs nor will run; unless this is called by the
    /// callback, which then is the last. Idempotent.
    void cancel() noexcept {
        if (const auto once = std::exchange(cancel_, {}))
            once();
    }

private:
    std::function<void()> cancel_;
};

} // namespace annals

#include "annals/live_impl.hpp"
