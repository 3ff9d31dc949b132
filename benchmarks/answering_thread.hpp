#pragma once

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace bench {

/// What the standard library offers for asking another thread: a promise that it keeps.
class answering_thread {
public:
    answering_thread() : thread_([this] { run(); }) {}
    ~answering_thread() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        asked_.notify_one();
        thread_.join();
    }
    answering_thread(const answering_thread&) = delete;
    answering_thread& operator=(const answering_thread&) = delete;

    /// Returns when the other thread has answered.
    void ask() {
        std::promise<void> question;
        auto answer = question.get_future();
        {
            const std::lock_guard lock(mutex_);
            question_ = &question;
        }
        asked_.notify_one();
        answer.get();
        // The promise may not go before the other thread has left it.
        const std::lock_guard lock(mutex_);
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            asked_.wait(lock, [this] { return ended_ || question_ != nullptr; });
            if (question_ == nullptr)
                return;
            question_->set_value();
            question_ = nullptr;
        }
    }

    std::mutex mutex_;
    std::condition_variable asked_;
    std::promise<void>* question_ = nullptr;
    bool ended_ = false;
    std::thread thread_; ///< last: it uses all the others
};

} // namespace bench
