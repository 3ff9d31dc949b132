#include "actor_system.hpp"

#include "lively_sharing.hpp"

#include <caf/scheduler/coordinator.hpp>
#include <caf/scheduler/worker.hpp>

#include <algorithm>
#include <thread>

namespace annals {

namespace {
std::size_t for_actors(std::size_t threads) {
    return threads != 0 ? threads : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}
} // namespace

own_actor_system::settings::settings(std::size_t threads) {
    // Work stealing spends its time searching the queues when thousands of actors are runnable, and
    // plain work sharing wakes a worker for nearly every message.
    load<caf::scheduler::coordinator<lively_sharing>>();
    set("scheduler.max-threads", for_actors(threads));
    // A hot aggregate gives way to others after this many messages.
    set("scheduler.max-throughput", std::size_t{256});
}

std::size_t own_actor_system::threads_started(std::size_t threads) {
    constexpr std::size_t clock_and_printer = 2;
    return for_actors(threads) + clock_and_printer;
}

own_actor_system::own_actor_system(std::size_t threads) : settings_(threads), system_(settings_) {}

} // namespace annals
