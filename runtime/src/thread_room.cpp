#include "thread_room.hpp"

#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/mman.h>
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
            const pid_t id = each.told.get().id;
            each.thread.join();
            wait_until_not_counted(id);
        }
    }

    void add() {
        std::promise<arrival> arrived;
        auto told = arrived.get_future();
        threads_.reserve(threads_.size() + 1);
        std::thread thread([arrived = std::move(arrived), go = going_]() mutable {
            std::unique_ptr<std::byte> memory(new (std::nothrow) std::byte);
            arrived.set_value({::gettid(), std::move(memory)});
            go.wait();
        });
        threads_.push_back({std::move(told), std::move(thread)});
        threads_.back()
            .told.wait(); // or the stacks of all would be there before what each allocates
    }

private:
    /// With its first allocation a thread reserves address space, which the next one takes over. That
    /// counts beside the stacks of all.
    struct arrival {
        pid_t id;
        std::unique_ptr<std::byte> memory;
    };
    struct parked {
        std::future<arrival> told;
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

/// Address space that nothing is in.
class reserved_space {
public:
    explicit reserved_space(std::size_t bytes) noexcept
        : bytes_(bytes),
          begin_(bytes == 0 ? nullptr
                            : ::mmap(nullptr, bytes, PROT_NONE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
    reserved_space(const reserved_space&) = delete;
    reserved_space& operator=(const reserved_space&) = delete;
    ~reserved_space() {
        if (bytes_ != 0 && there())
            ::munmap(begin_, bytes_);
    }
    [[nodiscard]] bool there() const noexcept { return begin_ != MAP_FAILED; }

private:
    std::size_t bytes_;
    void* begin_;
};

/// What opening allocates until the last thread runs, and what one thread more than in the trial may
/// reserve with its first allocation: glibc's 64 MiB, for which it needs luck while less than twice as
/// much is free.
constexpr std::size_t opening_bytes = std::size_t{64 + 16} << 20;

} // namespace

room look_for_room(std::size_t threads, std::size_t mapped_bytes) {
    const reserved_space maps(mapped_bytes);
    if (!maps.there())
        return room::no_address_space;
    try {
        parked_threads all;
        for (; threads != 0; --threads)
            all.add();
        return reserved_space(opening_bytes).there() ? room::enough : room::too_few_threads;
    } catch (const std::system_error&) {
        return room::too_few_threads;
    } catch (const std::bad_alloc&) {
        return room::too_few_threads;
    }
}

} // namespace annals
