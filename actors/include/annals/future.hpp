#pragma once

#include "annals/outcome.hpp"
#include "annals/seams.hpp"

#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace annals {

/// True where waiting could be waiting for oneself: inside the host's `decide`, `evolve` and `answer`.
/// There `future::get` is `errc::wait_refused` instead of a deadlock.
[[nodiscard]] bool this_thread_must_not_block() noexcept;

/// Marks the current thread for as long as it lives. annals does so around host code in its actors; a
/// host with an actor system of its own may do so in a thread hook.
class no_blocking_scope {
public:
    no_blocking_scope() noexcept;
    ~no_blocking_scope();
    no_blocking_scope(const no_blocking_scope&) = delete;
    no_blocking_scope& operator=(const no_blocking_scope&) = delete;

private:
    bool before_;
};

/// Names the projection whose code - `evolve`, `answer`, `react` - runs on the current thread for as long
/// as it lives, so that what would wait there for that projection is refused instead of a deadlock.
class handling_scope {
public:
    explicit handling_scope(std::string_view projection) noexcept;
    ~handling_scope();
    handling_scope(const handling_scope&) = delete;
    handling_scope& operator=(const handling_scope&) = delete;

private:
    std::string_view before_;
};
/// Empty outside of a handler.
[[nodiscard]] std::string_view projection_handled_here() noexcept;

/// The place where one answer arrives, for who answers. The first answer wins, later ones are dropped:
/// exactly one reaches the waiter. Who waits has a `future`, which does not keep this alive: where the
/// last who could answer lets go of it, the answer is an error (`aborted`).
template <class T>
class reply_state {
public:
    reply_state() = default;
    reply_state(const reply_state&) = delete;
    reply_state& operator=(const reply_state&) = delete;
    virtual ~reply_state() {
        if (for_futures_)
            for_futures_->complete(error{errc::aborted,
                                         "nobody is left who could answer: the last who held the "
                                         "future's reply_state let go of it without an answer"});
    }

    /// Where continuations run. Set before the state is shared.
    void continue_on(std::shared_ptr<blocking_executor> where) noexcept {
        if (for_futures_)
            for_futures_->continuations_ = where;
        continuations_ = std::move(where);
    }

    [[nodiscard]] bool answered() const noexcept {
        return claimed_.load(std::memory_order_acquire);
    }
    [[nodiscard]] bool ready() const noexcept { return ready_.load(std::memory_order_acquire); }

    /// Delivers the answer. False, and no effect, if there was one already. Any thread.
    bool complete(outcome<T> answer) {
        if (claimed_.exchange(true, std::memory_order_acq_rel))
            return false;
        on_answering(answer);
        std::function<void(outcome<T>)> then;
        std::shared_ptr<reply_state> for_futures;
        {
            std::lock_guard lock(mutex_);
            value_.emplace(std::move(answer));
            ready_.store(true, std::memory_order_release);
            then = std::move(then_);
            for_futures = std::move(for_futures_);
            if (waiting_)
                arrived_.notify_all();
        }
        if (for_futures)
            for_futures->complete(*value_);
        if (then)
            run(std::move(then));
        return true;
    }

    outcome<T> wait() {
        if (!spin_briefly() && !ready()) {
            if (this_thread_must_not_block())
                return blocked();
            std::unique_lock lock(mutex_);
            waiting_ = true;
            arrived_.wait(lock, [this] { return ready(); });
        }
        return *value_;
    }

    std::optional<outcome<T>> wait_until(steady_time deadline) {
        if (!ready()) {
            if (this_thread_must_not_block())
                return blocked();
            std::unique_lock lock(mutex_);
            waiting_ = true;
            if (!arrived_.wait_until(lock, deadline, [this] { return ready(); }))
                return std::nullopt;
        }
        return *value_;
    }

    /// What futures hold of `of`: once it is answered, itself; before, a state that it answers. A
    /// coroutine that waits holds its future, and what it waits for holds the coroutine. If that were
    /// one object, it would stay for ever when nobody is left who could answer.
    [[nodiscard]] static std::shared_ptr<reply_state>
    of_futures(const std::shared_ptr<reply_state>& of) {
        const std::lock_guard lock(of->mutex_);
        if (of->ready())
            return of;
        if (!of->for_futures_) {
            of->for_futures_ = std::make_shared<reply_state>();
            of->for_futures_->continuations_ = of->continuations_;
        }
        return of->for_futures_;
    }

    /// Runs `then` with the answer once: later, or at once if it is there already; in both cases on
    /// the continuation executor. Replaces an earlier one that has not run.
    void then(std::function<void(outcome<T>)> next) {
        {
            std::lock_guard lock(mutex_);
            if (!ready()) {
                then_ = std::move(next);
                return;
            }
        }
        run(std::move(next));
    }

protected:
    /// Just before the answer is delivered: whoever sees the answer sees what this did. On the
    /// answering thread; must not throw or block.
    virtual void on_answering([[maybe_unused]] const outcome<T>& answer) noexcept {}

private:
    static outcome<T> blocked() {
        return error{errc::wait_refused,
                     "waiting here would block a thread that answers depend on; the request goes "
                     "on: use `then` or co_await for its answer"};
    }

    /// An answer from memory takes a few microseconds, about as long as going to sleep and waking.
    bool spin_briefly() const noexcept {
        for (int i = 0; i < 512; ++i) {
            if (ready())
                return true;
            pause();
        }
        return ready();
    }
    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }

    void run(std::function<void(outcome<T>)> next) {
        if (continuations_)
            continuations_->post([next = std::move(next), answer = *value_] { next(answer); });
        else
            next(*value_);
    }

    std::atomic<bool> claimed_{false};
    std::atomic<bool> ready_{false};
    bool waiting_ = false; ///< guarded by mutex_
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::optional<outcome<T>> value_;
    std::function<void(outcome<T>)> then_;
    std::shared_ptr<blocking_executor> continuations_;
    std::shared_ptr<reply_state> for_futures_; ///< guarded by mutex_; null once answered
};

/// A state that futures hold themselves, which saves an allocation. Whoever has it last answers it, as
/// annals does with every request that it has taken.
template <class State>
concept held_by_futures = requires {
    requires State::held_by_futures;
};

/// An answer that will come. Cheap to copy; copies share the answer. Safe from any thread.
/// Dropping it is fine: the command runs all the same.
template <class T>
class [[nodiscard]] future {
public:
    template <std::derived_from<reply_state<T>> State>
    explicit future(std::shared_ptr<State> answered_by) {
        if constexpr (held_by_futures<State>)
            state_ = std::move(answered_by);
        else
            state_ = reply_state<T>::of_futures(answered_by);
    }

    /// An answer that is there already.
    [[nodiscard]] static future ready(outcome<T> answer) {
        auto made = std::make_shared<reply_state<T>>();
        made->complete(std::move(answer));
        return future(std::move(made));
    }

    [[nodiscard]] bool is_ready() const noexcept { return state_->ready(); }

    /// Waits for the answer. On a thread that must not block: `errc::wait_refused`, unless the answer is
    /// there. Only the waiting is refused: the request goes on, and a command may be stored.
    [[nodiscard]] outcome<T> get() const { return state_->wait(); }

    /// Waits at most `timeout`; empty if the answer is not there by then. The request goes on. Any
    /// duration will do: `max()` waits for a century, a negative one not at all.
    template <class Rep, class Period>
    [[nodiscard]] std::optional<outcome<T>>
    get_for(std::chrono::duration<Rep, Period> timeout) const {
        return state_->wait_until(deadline_in(timeout));
    }

    /// Runs `next` with the answer, once, on the runtime's one callback thread. It may block, but no
    /// other callback, live update or awaited coroutine runs meanwhile, so it must not wait for one of
    /// those. `next` must not throw.
    void then(std::function<void(outcome<T>)> next) const { state_->then(std::move(next)); }

    /// `auto sent = rt.send(id, command); outcome<receipt> answer = co_await sent;` resumes on the
    /// runtime's callback thread. Give the future a name: g++ 12 destroys temporaries inside an
    /// awaited expression twice (clang does not).
    [[nodiscard]] bool await_ready() const noexcept { return is_ready(); }
    void await_suspend(std::coroutine_handle<> waiting) const {
        // Resuming may destroy this future while `then` is still at work.
        const auto keep = state_;
        keep->then([waiting](const outcome<T>&) { waiting.resume(); });
    }
    [[nodiscard]] outcome<T> await_resume() const { return state_->wait(); }

private:
    /// A time beyond a century cannot be added to a clock's, whatever its unit.
    template <class Rep, class Period>
    static steady_time deadline_in(std::chrono::duration<Rep, Period> timeout) {
        using length = std::chrono::steady_clock::duration;
        using seconds = std::chrono::duration<double>; // in which every duration can be compared
        constexpr length century = std::chrono::hours(24 * 365 * 100);
        const steady_time now = std::chrono::steady_clock::now();
        const seconds wanted = timeout;
        if (wanted >= seconds(century))
            return now + century;
        if (wanted > seconds::zero())
            return now + std::chrono::duration_cast<length>(timeout);
        return now;
    }

    std::shared_ptr<reply_state<T>> state_;
};

} // namespace annals
