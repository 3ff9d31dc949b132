#pragma once

#include "annals/hosted.hpp"

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace annals {

/// What the directory, the aggregate's actor and the journal's threads share about one aggregate in
/// memory.
class resident {
public:
    resident(std::string stream_name, std::size_t id_begin, const aggregate_type& what)
        : stream(std::move(stream_name)),
          id_offset(id_begin),
          type(what) {}

    const std::string stream;
    const std::size_t id_offset;
    const aggregate_type& type;
    /// Set once, before the first message is sent.
    caf::weak_actor_ptr address;
    /// Commands sent to the actor and not yet decided, and messages on their way that matter as much.
    /// Raised for a new command under the directory's lock, so that a passivating actor that sees 0
    /// under that lock misses none.
    std::atomic<std::uint32_t> waiting{0};
    /// Commands sent to the actor that the engine or the journal is not through with: at least one while
    /// the aggregate has work. Raised under the directory's lock, so that one that is seen to be 0 there stays 0
    /// until the lock is gone.
    std::atomic<std::uint32_t> in_flight{0};
    /// What the commands among those that wait hold.
    std::atomic<std::size_t> waiting_bytes{0};
    /// Operations of this aggregate that the journal has completed well.
    std::atomic<std::uint64_t> settled{0};
    /// Position of the aggregate's last durable event known here.
    std::atomic<log_position> last_position{0};

    [[nodiscard]] std::string_view id() const noexcept {
        return std::string_view(stream).substr(id_offset);
    }
};

} // namespace annals
