#pragma once

#include "annals/future.hpp"

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace annals {

/// Where what continues a handler of a reaction has to run: the thread of the partition whose handler
/// runs on the current thread; null outside of one.
[[nodiscard]] std::shared_ptr<blocking_executor> reaction_thread_here() noexcept;

/// Names that thread for as long as it lives.
class reaction_thread_scope {
public:
    explicit reaction_thread_scope(std::shared_ptr<blocking_executor> thread) noexcept;
    ~reaction_thread_scope();
    reaction_thread_scope(const reaction_thread_scope&) = delete;
    reaction_thread_scope& operator=(const reaction_thread_scope&) = delete;

private:
    std::shared_ptr<blocking_executor> before_;
};

/// What a `react` returns that is a coroutine:
///
///     annals::reaction_task react(restock&, const item_added& e, const annals::delivery& about) {
///         auto sent = about.send("tea", reserve{e.quantity});
///         const auto answer = co_await sent;
///         if (answer.is_rejected()) {
///             auto ordered = about.send("tea", order{e.quantity});
///             (co_await ordered).value(); // throws, and so fails, if there is no receipt
///         }
///     }
///
/// It begins at once, and goes on after each awaited `future` on its partition's thread, so that the
/// reaction's object is still used by one thread at a time. The event, the delivery and the reaction
/// live until it has ended. It fails by throwing. Give awaited futures a name; see `future`. Anything
/// else that it awaits resumes it where that thing likes.
class [[nodiscard]] reaction_task {
public:
    /// Null: it ended well.
    using end = std::exception_ptr;

private:
    /// Answered at the end; a frame that is destroyed before destroys what waits for it.
    struct end_state final : reply_state<end> {
        static constexpr bool held_by_futures = true;
    };

public:
    class promise_type {
    public:
        reaction_task get_return_object() { return reaction_task(state_); }
        [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
        [[nodiscard]] auto final_suspend() const noexcept { return ending(); }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { how_ = std::current_exception(); }

        template <class T>
        [[nodiscard]] auto await_transform(const future<T>& coming) const {
            return resumed_here<T>{coming, thread_};
        }
        template <class Awaitable>
        [[nodiscard]] Awaitable&& await_transform(Awaitable&& other) const noexcept {
            return std::forward<Awaitable>(other);
        }

    private:
        /// Tells the end when the frame, and with it everything that looks at the event, is gone.
        struct ending {
            [[nodiscard]] bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> over) const noexcept {
                const auto state = std::move(over.promise().state_);
                auto how = std::move(over.promise().how_);
                over.destroy();
                state->complete(outcome<end>(std::move(how)));
            }
            void await_resume() const noexcept {}
        };
        /// A coroutine that waits. Where what it waits for goes away without an answer, so does it.
        class suspended {
        public:
            explicit suspended(std::coroutine_handle<> waiting) : waiting_(waiting) {}
            suspended(const suspended&) = delete;
            suspended& operator=(const suspended&) = delete;
            ~suspended() {
                if (waiting_)
                    waiting_.destroy();
            }
            void resume() { std::exchange(waiting_, nullptr).resume(); }

        private:
            std::coroutine_handle<> waiting_;
        };
        template <class T>
        struct resumed_here {
            future<T> coming;
            std::shared_ptr<blocking_executor> thread;

            [[nodiscard]] bool await_ready() const noexcept { return coming.is_ready(); }
            void await_suspend(std::coroutine_handle<> waiting) const {
                // Resuming may destroy this while `then` is still at work.
                const auto keep = coming;
                keep.then(
                    [held = std::make_shared<suspended>(waiting), on = thread](const outcome<T>&) {
                        if (on)
                            on->post([held] { held->resume(); });
                        else
                            held->resume();
                    });
            }
            [[nodiscard]] outcome<T> await_resume() const { return coming.get(); }
        };

        std::shared_ptr<end_state> state_ = std::make_shared<end_state>();
        std::shared_ptr<blocking_executor> thread_ = reaction_thread_here();
        end how_;
    };

    /// When it has ended.
    [[nodiscard]] const future<end>& ended() const noexcept { return ended_; }

private:
    explicit reaction_task(std::shared_ptr<end_state> state) : ended_(std::move(state)) {}
    future<end> ended_;
};

} // namespace annals
