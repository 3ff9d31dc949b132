#pragma once

#include "annals/engine.hpp"
#include "references.hpp"
#include "resident.hpp"

#include <caf/actor.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace annals {

/// Which aggregates are in memory, and where: the router. Sending to an aggregate and an aggregate's
/// leaving meet under one lock, so that no command can be sent to an actor that is gone. Senders to
/// different aggregates rarely share a lock. Thread-safe.
class aggregate_directory {
public:
    using spawner = std::function<caf::actor(const std::shared_ptr<resident>&)>;

    aggregate_directory(const engine_limits& limits, spawner spawn);

    /// What came of finding a place for a command.
    struct placement {
        std::shared_ptr<resident> target; ///< null if the command cannot be sent
        caf::actor actor;
        bool closed = false; ///< why not: closed, or too many commands wait for the aggregate
    };

    /// Finds or spawns the aggregate `stream` and counts one waiting command of `charge` bytes for it. The
    /// caller must send exactly one command message to the actor.
    [[nodiscard]] placement reach(std::string stream, std::size_t id_offset,
                                  const aggregate_type& type, std::size_t charge, steady_time now);

    /// Lets the aggregate leave unless a command is on its way to it. The actor that gets `true`
    /// ends; the next command finds or spawns another.
    [[nodiscard]] bool try_leave(const resident& who);

    /// An aggregate that was asked to leave has work; others are asked before it is asked again.
    void stay(const resident& who);

    /// Removes an aggregate whose actor has ended for another reason.
    void forget(const resident& who);

    /// Actors to ask for passivation: unused since before `idle_since`, or beyond the limit.
    [[nodiscard]] std::vector<caf::actor> candidates(steady_time idle_since);

    [[nodiscard]] std::size_t size() const noexcept { return size_.load(); }

    /// Empties the directory for good and returns every actor that was in it.
    [[nodiscard]] std::vector<caf::actor> clear();

private:
    /// A stream's name with its hash, which chooses the shard as well.
    struct key {
        std::string_view stream; ///< lives in the resident
        std::size_t hash;
        friend bool operator==(const key& a, const key& b) noexcept {
            return a.hash == b.hash && a.stream == b.stream;
        }
    };
    struct hash_of_key {
        std::size_t operator()(const key& k) const noexcept { return k.hash; }
    };
    static key key_of(std::string_view stream) noexcept {
        return {stream, std::hash<std::string_view>{}(stream)};
    }

    struct entry {
        std::shared_ptr<resident> target;
        caf::actor actor;
        steady_time last_used;
        steady_time ordered_at; ///< when it was last moved to the end of `by_use`
        std::list<entry*>::iterator by_use;
        bool asked_to_leave = false;
    };
    using table = std::unordered_map<key, entry, hash_of_key>;
    struct shard {
        std::mutex mutex;
        table entries;
        std::list<entry*> by_use; ///< roughly: least recently used first
        bool closed = false;
    };
    static constexpr std::size_t shard_count = 64;

    shard& shard_of(const key& k) noexcept;
    bool over_limit() const noexcept;
    bool is_full(const resident& target, std::size_t charge) const noexcept;
    entry& find_or_spawn(shard& in, const key& k, std::string&& stream, std::size_t id_offset,
                         const aggregate_type& type);
    void erase(shard& in, table::iterator it);

    const engine_limits limits_;
    const spawner spawn_;
    std::array<shard, shard_count> shards_;
    std::atomic<std::size_t> size_{0};
};

} // namespace annals
