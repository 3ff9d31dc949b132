#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <memory>

namespace annals {

/// An actor system of the runtime's own, set up for many small actors.
class own_actor_system {
public:
    /// `threads` 0: one for each processor, at least 2.
    explicit own_actor_system(std::size_t threads);

    caf::actor_system& get() noexcept { return system_; }

    /// How many threads a system with this many for actors starts; see `room_for_threads`.
    [[nodiscard]] static std::size_t threads_started(std::size_t threads);

private:
    struct settings : caf::actor_system_config {
        explicit settings(std::size_t threads);
    };
    settings settings_;
    caf::actor_system system_;
};

} // namespace annals
