#pragma once

#include "annals/engine.hpp"
#include "references.hpp"
#include "residency.hpp"
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

    /// `residents` is counted here, and outlives the directory.
    aggregate_directory(const engine_limits& limits, residency& residents, spawner spawn);

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

    /// If aggregates are too many, asks one or two to leave: those unused for longest among those without
    /// work, of the shard of `rested` or of another, or `rested` itself. Looks at a few only.
    void make_room(const resident& rested);

    /// Asks aggregates to leave that are unused since before `idle_since`, or too many; at most `most`. How many.
    std::size_t ask_idle(steady_time idle_since, std::size_t most);

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
        bool asked_to_leave =
            false; ///< then it does not count in `residents_`, and is late in `by_use`
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
    bool is_full(const resident& target, std::size_t charge) const noexcept;
    entry& find_or_spawn(shard& in, const key& k, std::string&& stream, std::size_t id_offset,
                         const aggregate_type& type);
    static void put_last(shard& in, entry& place);
    caf::actor ask(shard& in, entry& place);
    using asked = std::array<caf::actor, 2>; ///< null where there is none
    static steady_time oldest_use(shard& in);
    asked ask_oldest(shard& in);
    caf::actor ask_itself(shard& in, const key& k);
    void keep(entry& place);
    void erase(shard& in, table::iterator it);

    const engine_limits limits_;
    residency& residents_;
    const spawner spawn_;
    std::array<shard, shard_count> shards_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> turn_{0}; ///< which shard is looked at beside another
};

} // namespace annals
