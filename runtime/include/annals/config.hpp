#pragma once

#include "annals/engine.hpp"
#include "annals/lmdb_journal.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace annals {

/// Everything about a runtime that a host may choose. The defaults are meant to be kept.
struct config {
    /// Directory of the store. Unused where `journal` is set.
    std::filesystem::path directory;
    lmdb_options store;
    /// `max_batch_bytes` is at least 16 MiB. `views.mdb` never grows beyond `store.max_store_bytes`, and
    /// is not synced where the store is not. Its lock is waited for at least as long as the store's.
    projection_store_options views;
    engine_limits limits;

    /// Threads for actors: aggregates, projections, queries. 0: one for each processor, at least 2.
    /// Unused where `system` is set.
    std::size_t actor_threads = 0;
    /// Threads that read aggregates from the journal.
    std::size_t reader_threads = 2;
    /// Threads that read and decode events for projections. Besides them each stored view has a thread
    /// of its own, and each reaction as many as it has partitions.
    std::size_t feed_threads = 2;
    /// Threads on which stored views answer: so many answers that take long hold up only other answers.
    std::size_t answer_threads = 2;
    /// How long `close` and the destructor let reactions, and accepted requests, finish.
    std::chrono::milliseconds close_timeout = std::chrono::seconds(30);

    /// Instead of `directory`: a journal the host made. It is closed with the runtime, but stays open
    /// where opening fails.
    std::shared_ptr<annals::journal> journal;
    /// Instead of `views.mdb` in `directory`: where projections keep what outlives the process, closed
    /// likewise. Where `journal` is set and this is not, it is kept in memory.
    std::shared_ptr<annals::projection_store> projections;
    /// Instead of an actor system of its own: the host's, which must outlive the runtime.
    caf::actor_system* system = nullptr;
    /// Instead of the machine's clock and random ids.
    std::shared_ptr<annals::clock> clock;
    std::shared_ptr<id_source> ids;
};

} // namespace annals
