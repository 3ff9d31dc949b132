#pragma once

#include "annals/journal.hpp"
#include "annals/seams.hpp"
#include "resident.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>

namespace annals {

/// A task that reads, on a reader's thread, which ids annals gave to the stored commands of an
/// aggregate, and sends them to it as a `recalled_message`. They are in the log anyway: so an
/// aggregate whose callers never name a command need not keep them in memory.
struct command_recall {
    std::shared_ptr<journal> log;
    std::shared_ptr<resident> aggregate;
    std::size_t window; ///< so many are looked for, newest first, whatever lies between them
    std::size_t page_events;
    caf::actor to;
    std::uint64_t number; ///< of the reading, for the aggregate to tell it from earlier ones

    void operator()() const;
};

} // namespace annals
