#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace annals {

/// Gives answers in the order in which they were pushed, one at a time, without a thread of its
/// own: whoever comes first answers for all that arrive meanwhile, from other threads or from
/// within an answer. So nobody waits, and an answer may ask again. Thread-safe.
///
/// `Answer` has `give()`. It is called, and what it leaves is destroyed, outside the lock.
template <class Answer>
class answer_queue {
public:
    void push(Answer next) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(next));
    }
    void run() {
        std::unique_lock lock(mutex_);
        if (runner_ != std::thread::id{})
            return;
        runner_ = std::this_thread::get_id();
        while (!waiting_.empty()) {
            {
                Answer next = std::move(waiting_.front());
                waiting_.pop_front();
                lock.unlock();
                next.give();
            }
            lock.lock();
        }
        runner_ = {};
        idle_.notify_all();
    }
    /// Waits until nobody is answering any more, unless it is called from within an answer.
    void wait() {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [&] {
            return runner_ == std::thread::id{} || runner_ == std::this_thread::get_id();
        });
    }

private:
    std::mutex mutex_;
    std::condition_variable idle_;
    std::deque<Answer> waiting_;
    std::thread::id runner_; ///< nobody: the default value
};

} // namespace annals
