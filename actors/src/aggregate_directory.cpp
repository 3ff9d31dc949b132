#include "aggregate_directory.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

#include <utility>

namespace annals {

namespace {
/// The order of use need not be finer: moving an entry touches three that are not in the cache.
constexpr std::chrono::milliseconds ordering_grain{20};
/// At so many aggregates one looks, under the lock, for some without work.
constexpr int most_looks = 8;
} // namespace

aggregate_directory::aggregate_directory(const engine_limits& limits, residency& residents,
                                         spawner spawn)
    : limits_(limits),
      residents_(residents),
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

void aggregate_directory::put_last(shard& in, entry& place) {
    in.by_use.splice(in.by_use.end(), in.by_use, place.by_use);
}

/// What is to be sent a `passivate_message`, without the lock.
caf::actor aggregate_directory::ask(shard& in, entry& place) {
    place.asked_to_leave = true;
    residents_.one_less();
    put_last(in, place);
    return place.actor;
}

void aggregate_directory::keep(entry& place) {
    if (std::exchange(place.asked_to_leave, false))
        residents_.one_more();
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
    residents_.one_more();
    return made;
}

aggregate_directory::placement aggregate_directory::reach(std::string stream, std::size_t id_offset,
                                                          const aggregate_type& type,
                                                          std::size_t charge, steady_time now) {
    const key k = key_of(stream);
    shard& in = shard_of(k);
    std::lock_guard lock(in.mutex);
    if (in.closed)
        return {nullptr, {}, true};
    entry& place = find_or_spawn(in, k, std::move(stream), id_offset, type);
    place.last_used = now;
    if (now - place.ordered_at > ordering_grain) {
        place.ordered_at = now;
        put_last(in, place);
    }
    if (is_full(*place.target, charge))
        return {};
    keep(place);
    place.target->in_flight.fetch_add(1);
    place.target->waiting.fetch_add(1);
    place.target->waiting_bytes.fetch_add(charge);
    return {place.target, place.actor, false};
}

void aggregate_directory::erase(shard& in, table::iterator it) {
    in.by_use.erase(it->second.by_use);
    const auto keep_key_alive = it->second.target;
    if (!it->second.asked_to_leave)
        residents_.one_less();
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
        keep(found->second);
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
    keep(found->second);
    put_last(in, found->second);
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

steady_time aggregate_directory::oldest_use(shard& in) {
    std::lock_guard lock(in.mutex);
    return in.by_use.empty() || in.by_use.front()->asked_to_leave ? steady_time::max()
                                                                  : in.by_use.front()->last_used;
}

aggregate_directory::asked aggregate_directory::ask_oldest(shard& in) {
    asked found;
    std::lock_guard lock(in.mutex);
    for (int looks = 0; looks != most_looks && !found[1]; ++looks) {
        if (!residents_.crowded() || in.by_use.empty() || in.by_use.front()->asked_to_leave)
            break; // those that were asked are last, so all were
        entry& oldest = *in.by_use.front();
        if (oldest.target->in_flight.load() == 0)
            found[found[0] ? 1 : 0] = ask(in, oldest);
        else
            put_last(in, oldest);
    }
    return found;
}

caf::actor aggregate_directory::ask_itself(shard& in, const key& k) {
    std::lock_guard lock(in.mutex);
    const auto itself = in.entries.find(k);
    const bool may_leave = itself != in.entries.end() && !itself->second.asked_to_leave &&
                           itself->second.target->in_flight.load() == 0;
    return may_leave && residents_.crowded() ? ask(in, itself->second) : caf::actor();
}

/// Each aggregate that comes to rest beyond the limit lets one leave, so those at rest are never more than the
/// limit. A second one makes up for a call that found none. Of two shards, the one with the older aggregate: so
/// none is emptied while others keep what is older.
void aggregate_directory::make_room(const resident& rested) {
    if (!residents_.crowded())
        return;
    const key k = key_of(rested.stream);
    shard& own = shard_of(k);
    shard& other = shards_[turn_.fetch_add(1, std::memory_order_relaxed) % shard_count];
    asked leaving = ask_oldest(oldest_use(other) < oldest_use(own) ? other : own);
    if (!leaving[0])
        leaving[0] = ask_itself(own, k);
    for (const caf::actor& each : leaving)
        if (each)
            caf::anon_send(each, passivate_message{});
}

std::size_t aggregate_directory::ask_idle(steady_time idle_since, std::size_t most) {
    std::vector<caf::actor> leaving;
    for (shard& in : shards_) {
        std::lock_guard lock(in.mutex);
        for (std::size_t left = in.by_use.size(); left != 0 && leaving.size() != most; --left) {
            entry& oldest = *in.by_use.front();
            const bool idle = oldest.last_used <= idle_since;
            if (oldest.asked_to_leave || (!idle && !residents_.crowded()))
                break;
            // An idle one may have been answered this moment: it knows itself whether it has work.
            if (idle || oldest.target->in_flight.load() == 0)
                leaving.push_back(ask(in, oldest));
            else
                put_last(in, oldest);
        }
    }
    for (const auto& each : leaving)
        caf::anon_send(each, passivate_message{});
    return leaving.size();
}

std::vector<caf::actor> aggregate_directory::clear() {
    std::vector<caf::actor> all;
    for (shard& in : shards_) {
        std::lock_guard lock(in.mutex);
        in.closed = true;
        for (auto& [name, place] : in.entries) {
            all.push_back(place.actor);
            if (!place.asked_to_leave)
                residents_.one_less();
        }
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
