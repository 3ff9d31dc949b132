#pragma once

#include "annals/engine.hpp"
#include "resident.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>

namespace annals {

/// A task that reads the next stretch of an aggregate's stream on a reader's thread and sends it to
/// the aggregate as a `stretch_message`. Following a stream's links is a chain of cache misses, so
/// where there is much to read, two readers follow a half each.
struct stream_reading {
    std::shared_ptr<journal> log;
    std::shared_ptr<blocking_executor> readers;
    std::shared_ptr<resident> aggregate;
    stream_version from;
    engine_limits limits;
    caf::actor to;
    std::uint64_t number; ///< of the reading, for the aggregate to tell it from earlier ones

    void operator()() const;

private:
    /// 0 also if it cannot be read: the reading proper then says why.
    [[nodiscard]] stream_version newest_version() const;
    void read(stream_version first, std::size_t count, stream_version followed_by) const;
};

} // namespace annals
