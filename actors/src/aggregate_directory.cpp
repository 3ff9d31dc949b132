#include "aggregate_directory.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

namespace annals {

namespace {
/// The order of use need not be finer: moving an entry touches three that are not in the cache.
constexpr std::chrono::milliseconds ordering_grain{20};
} // namespace

aggregate_directory::aggregate_directory(const engine_limits& limits, spawner spawn)
    : limits_(limits),
      spawn_(std::move(spawn)) {}

aggregate_directory::shard& aggregate_directory::shard_of(const key& k) noexcept {
    // Other bits than those that choose the bucket within the shard.
    return shards_[(k.hash >> 48) % shard_count];
}

bool aggregate_directory::is_full(const resident& target, std::size_t charge) const noexcept {
    const std::size_t waiting = target.waiting.load();
    return waiting >= limits_.max_commands_waiting_per_aggregate ||
           (waiting != 0 &&
            target.waiting_bytes.load() + charge > limits_.max_command_bytes_waiting_per_aggregate);
}

bool aggregate_directory::over_limit() const noexcept {
    return size_.load(std::memory_order_relaxed) > limits_.max_resident_aggregates;
}

aggregate_directory::entry& aggregate_directory::find_or_spawn(shard& in, const key& k,
                                                               std::string&& stream,
                                                               std::size_t id_offset,
                                                               const aggregate_type& type) {
    if (auto found = in.entries.find(k); found != in.entries.end())
        return found->second;
    auto target = std::make_shared<resident>(std::move(stream), id_offset, type);
    caf::actor actor = spawn_(target);
    target->address = caf::actor_cast<caf::weak_actor_ptr>(actor);
    entry& made = in.entries[key{target->stream, k.hash}];
    made.target = std::move(target);
    made.actor = std::move(actor);
    made.by_use = in.by_use.insert(in.by_use.end(), &made);
    size_.fetch_add(1);
    return made;
}

aggregate_directory::placement aggregate_directory::reach(std::string stream, std::size_t id_offset,
                                                          const aggregate_type& type,
                                                          std::size_t charge, steady_time now) {
    const key k = key_of(stream);
    shard& in = shard_of(k);
    caf::actor oldest;
    placement found;
    {
        std::lock_guard lock(in.mutex);
        if (in.closed)
            return {nullptr, {}, true};
        entry& place = find_or_spawn(in, k, std::move(stream), id_offset, type);
        place.last_used = now;
        place.asked_to_leave = false;
        if (now - place.ordered_at > ordering_grain) {
            place.ordered_at = now;
            in.by_use.splice(in.by_use.end(), in.by_use, place.by_use);
        }
        if (is_full(*place.target, charge))
            return {};
        place.target->waiting.fetch_add(1);
        place.target->waiting_bytes.fetch_add(charge);
        found = {place.target, place.actor, false};
        if (over_limit() && !in.by_use.front()->asked_to_leave && in.by_use.front() != &place) {
            in.by_use.front()->asked_to_leave = true;
            oldest = in.by_use.front()->actor;
        }
    }
    if (oldest)
        caf::anon_send(oldest, passivate_message{});
    return found;
}

void aggregate_directory::erase(shard& in, table::iterator it) {
    in.by_use.erase(it->second.by_use);
    const auto keep_key_alive = it->second.target;
    in.entries.erase(it);
    size_.fetch_sub(1);
}

bool aggregate_directory::try_leave(const resident& who) {
    const key k = key_of(who.stream);
    shard& in = shard_of(k);
    caf::actor outlives_the_lock;
    std::lock_guard lock(in.mutex);
    const auto found = in.entries.find(k);
    if (found == in.entries.end() || found->second.target.get() != &who)
        return true;
    if (who.waiting.load() != 0) {
        found->second.asked_to_leave = false;
        return false;
    }
    outlives_the_lock = found->second.actor;
    erase(in, found);
    return true;
}

void aggregate_directory::stay(const resident& who) {
    const key k = key_of(who.stream);
    shard& in = shard_of(k);
    std::lock_guard lock(in.mutex);
    const auto found = in.entries.find(k);
    if (found == in.entries.end() || found->second.target.get() != &who)
        return;
    found->second.asked_to_leave = false;
    in.by_use.splice(in.by_use.end(), in.by_use, found->second.by_use);
}

void aggregate_directory::forget(const resident& who) {
    const key k = key_of(who.stream);
    shard& in = shard_of(k);
    caf::actor outlives_the_lock;
    std::lock_guard lock(in.mutex);
    const auto found = in.entries.find(k);
    if (found == in.entries.end() || found->second.target.get() != &who)
        return;
    outlives_the_lock = found->second.actor;
    erase(in, found);
}

std::vector<caf::actor> aggregate_directory::candidates(steady_time idle_since) {
    std::vector<caf::actor> found;
    const std::size_t total = size_.load();
    std::size_t surplus =
        total > limits_.max_resident_aggregates ? total - limits_.max_resident_aggregates : 0;
    for (shard& in : shards_) {
        std::lock_guard lock(in.mutex);
        for (entry* place : in.by_use) {
            if (place->last_used > idle_since && surplus == 0)
                break;
            if (surplus > 0)
                --surplus;
            // Asked again on every sweep: it may have been busy the last time.
            place->asked_to_leave = true;
            found.push_back(place->actor);
        }
    }
    return found;
}

std::vector<caf::actor> aggregate_directory::clear() {
    std::vector<caf::actor> all;
    for (shard& in : shards_) {
        std::lock_guard lock(in.mutex);
        in.closed = true;
        for (auto& [name, place] : in.entries)
            all.push_back(place.actor);
        size_.fetch_sub(in.entries.size());
        in.by_use.clear();
        std::vector<std::shared_ptr<resident>> keep_keys_alive;
        for (auto& [name, place] : in.entries)
            keep_keys_alive.push_back(place.target);
        in.entries.clear();
    }
    return all;
}

} // namespace annals
