#pragma once

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace annals {

/// A scheduler policy for the actor framework: one queue for all workers, and at most one idle worker
/// that looks for work a few microseconds longer before it sleeps.
///
/// The framework's own work sharing wakes a sleeping worker for nearly every message when messages
/// come about as fast as they are handled; a wake-up costs the sender more than the message does.
/// While one worker is looking, nobody has to be woken. The idea is the Go scheduler's: wake another
/// worker only when none is looking, and let the one who stops looking wake the next.
class lively_sharing : public caf::policy::unprofiled {
public:
    struct coordinator_data {
        explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
        std::mutex mutex;
        std::condition_variable wake;
        std::deque<caf::resumable*> queue;
        std::atomic<std::size_t> length{0}; ///< of the queue, for looking without the lock
        std::size_t asleep = 0;
        bool someone_looks = false; ///< or has been woken to
    };
    struct worker_data {
        explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    };

    template <class Coordinator>
    void enqueue(Coordinator* self, caf::resumable* job) {
        auto& shared = d(self);
        bool wake = false;
        {
            std::lock_guard lock(shared.mutex);
            shared.queue.push_back(job);
            shared.length.store(shared.queue.size(), std::memory_order_relaxed);
            wake = wake_one_to_look(shared);
        }
        if (wake)
            shared.wake.notify_one();
    }

    template <class Coordinator>
    void central_enqueue(Coordinator* self, caf::resumable* job) {
        enqueue(self, job);
    }
    template <class Worker>
    void external_enqueue(Worker* self, caf::resumable* job) {
        enqueue(self->parent(), job);
    }
    template <class Worker>
    void internal_enqueue(Worker* self, caf::resumable* job) {
        enqueue(self->parent(), job);
    }
    template <class Worker>
    void resume_job_later(Worker* self, caf::resumable* job) {
        enqueue(self->parent(), job);
    }

    template <class Worker>
    caf::resumable* dequeue(Worker* self) {
        auto& shared = d(self->parent());
        std::unique_lock lock(shared.mutex);
        bool looking = false;
        while (shared.queue.empty()) {
            if (!looking && !shared.someone_looks) {
                looking = shared.someone_looks = true;
                lock.unlock();
                look_for_work(shared);
                lock.lock();
                continue;
            }
            if (looking)
                shared.someone_looks = false;
            ++shared.asleep;
            shared.wake.wait(lock);
            --shared.asleep;
            looking = shared.someone_looks; // who wakes us has us look
        }
        if (looking)
            shared.someone_looks = false;
        caf::resumable* job = shared.queue.front();
        shared.queue.pop_front();
        shared.length.store(shared.queue.size(), std::memory_order_relaxed);
        const bool wake = !shared.queue.empty() && wake_one_to_look(shared);
        lock.unlock();
        if (wake)
            shared.wake.notify_one();
        return job;
    }

    template <class Worker, class UnaryFunction>
    void foreach_resumable(Worker*, UnaryFunction) {}

    template <class Coordinator, class UnaryFunction>
    void foreach_central_resumable(Coordinator* self, UnaryFunction f) {
        auto& shared = d(self);
        std::lock_guard lock(shared.mutex);
        for (; !shared.queue.empty(); shared.queue.pop_front())
            f(shared.queue.front());
    }

private:
    /// Under the lock. True: the caller notifies one sleeper after unlocking.
    static bool wake_one_to_look(coordinator_data& shared) noexcept {
        if (shared.asleep == 0 || shared.someone_looks)
            return false;
        shared.someone_looks = true;
        return true;
    }

    /// Without the lock, for some microseconds: about as long as going to sleep and waking takes.
    static void look_for_work(const coordinator_data& shared) noexcept {
        constexpr int rounds = 300;
        for (int i = 0; i < rounds && shared.length.load(std::memory_order_relaxed) == 0; ++i)
            pause();
    }
    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
};

} // namespace annals
