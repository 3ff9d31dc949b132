#include "annals/seams.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace annals {

namespace {

class machine_clock final : public clock {
public:
    [[nodiscard]] timestamp wall_time() const noexcept override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] steady_time steady() const noexcept override {
        return std::chrono::steady_clock::now();
    }
};

/// xoshiro256** by D. Blackman and S. Vigna: fast, and long enough a period for ids. Its output can
/// be predicted from earlier output, so the ids are unique but not secret.
class random_bits {
public:
    random_bits() {
        std::random_device entropy;
        for (auto& word : state_)
            word = (std::uint64_t{entropy()} << 32) | entropy();
        state_[0] |= 1; // all zero would stay zero for ever
    }
    std::uint64_t operator()() noexcept {
        const std::uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return out;
    }

private:
    std::array<std::uint64_t, 4> state_;
};

/// How often this process is a fork's child, counted from the first call on.
std::atomic<std::uint64_t> forks{0};
void count_forks() {
    static const int registered =
        pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    static_cast<void>(registered);
}

/// One thread's random bits. A fork copies them with the thread, so the child draws new ones.
class bits_of_thread {
public:
    std::uint64_t operator()() {
        const auto now = forks.load(std::memory_order_relaxed);
        if (std::exchange(drawn_in_, now) != now)
            bits_ = random_bits();
        return bits_();
    }

private:
    std::uint64_t drawn_in_ = forks.load(std::memory_order_relaxed);
    random_bits bits_;
};

/// RFC 9562 version 7: 48 bits of milliseconds, then 74 random bits between version and variant.
class version_7_ids final : public id_source {
public:
    version_7_ids() { count_forks(); }
    [[nodiscard]] uuid next() noexcept override {
        thread_local bits_of_thread random;
        const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
        const std::uint64_t high =
            (static_cast<std::uint64_t>(ms) << 16) | 0x7000 | (random() & 0x0fff);
        const std::uint64_t low = (std::uint64_t{2} << 62) | (random() >> 2);
        uuid id;
        for (std::size_t i = 0; i != 8; ++i) {
            id.bytes[i] = static_cast<std::byte>(high >> (56 - 8 * i));
            id.bytes[8 + i] = static_cast<std::byte>(low >> (56 - 8 * i));
        }
        return id;
    }
};

/// The queue outlives the executor if a task destroys the executor it runs on.
struct task_queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> tasks;
    std::size_t asleep = 0; ///< threads that wait for a task
    bool stopping = false;

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            ++asleep;
            changed.wait(lock, [&] { return stopping || !tasks.empty(); });
            --asleep;
            if (tasks.empty())
                return;
            auto task = std::move(tasks.front());
            tasks.pop_front();
            lock.unlock();
            task();
            task = nullptr; // what it holds is destroyed outside the lock
            lock.lock();
        }
    }
};

class fixed_threads final : public blocking_executor {
public:
    explicit fixed_threads(std::size_t threads) {
        try {
            for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
                threads_.emplace_back([queue = queue_] { queue->run(); });
        } catch (...) { // a thread that nobody has joined ends the process
            stop();
            throw;
        }
    }
    ~fixed_threads() override { stop(); }

    void stop() override {
        {
            const std::lock_guard lock(queue_->mutex);
            queue_->stopping = true;
        }
        queue_->changed.notify_all();
        const std::lock_guard joining(joining_);
        for (auto& thread : std::exchange(threads_, {})) {
            if (thread.get_id() == std::this_thread::get_id())
                // A task dropped the last reference: its thread cannot join itself, and ends soon.
                thread.detach(); // house_style: it uses nothing but the queue, which it owns
            else
                thread.join();
        }
    }

    void post(std::function<void()> task) override {
        std::unique_lock lock(queue_->mutex);
        if (queue_->stopping) {
            lock.unlock();
            task();
            return;
        }
        queue_->tasks.push_back(std::move(task));
        const bool wake = queue_->asleep > 0;
        lock.unlock(); // so that who is woken need not wait for it
        if (wake)
            queue_->changed.notify_one();
    }

private:
    std::shared_ptr<task_queue> queue_ = std::make_shared<task_queue>();
    std::mutex joining_;
    std::vector<std::thread> threads_;
};

} // namespace

std::shared_ptr<clock> system_clock() {
    return std::make_shared<machine_clock>();
}

std::shared_ptr<id_source> random_ids() {
    return std::make_shared<version_7_ids>();
}

std::shared_ptr<blocking_executor> thread_executor(std::size_t threads) {
    return std::make_shared<fixed_threads>(threads);
}

} // namespace annals
