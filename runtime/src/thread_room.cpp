#include "thread_room.hpp"

#include <future>
#include <system_error>
#include <thread>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace annals {

namespace {

/// Threads that wait to be let go.
class parked_threads {
public:
    parked_threads() = default;
    parked_threads(const parked_threads&) = delete;
    parked_threads& operator=(const parked_threads&) = delete;
    ~parked_threads() {
        go_.set_value();
        for (auto& each : threads_) {
            const pid_t id = each.id.get();
            each.thread.join();
            wait_until_not_counted(id);
        }
    }

    void add() {
        std::promise<pid_t> id;
        auto told = id.get_future();
        threads_.reserve(threads_.size() + 1);
        std::thread thread([id = std::move(id), go = going_]() mutable {
            id.set_value(::gettid());
            go.wait();
        });
        threads_.push_back({std::move(told), std::move(thread)});
    }

private:
    struct parked {
        std::future<pid_t> id;
        std::thread thread;
    };

    /// The kernel counts a thread a little longer than it takes to join it: until its id is gone.
    static void wait_until_not_counted(pid_t id) noexcept {
        constexpr int patience = 100'000; // should the id be another thread's by now
        for (int i = 0; i != patience && ::tgkill(::getpid(), id, 0) == 0; ++i)
            std::this_thread::yield();
    }

    std::promise<void> go_;
    const std::shared_future<void> going_ = go_.get_future().share();
    std::vector<parked> threads_;
};

} // namespace

bool room_for_threads(std::size_t count) {
    try {
        parked_threads all;
        for (; count != 0; --count)
            all.add();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

} // namespace annals
