#pragma once

// Views of each kind that fold every event into a chain, and the log as it really is, to compare with.

#include "support/runtime_verbs.hpp"
#include "support/seed.hpp"

#include "annals/stored_map.hpp"

#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace chains {

using annals::log_position;
using shop::item_added;
using shop::item_removed;

// --- chains ----------------------------------------------------------------------------------------

/// What a view has folded: how many events, from which on, and a number that depends on each of them
/// and on their order.
struct chain {
    std::uint64_t events = 0;
    log_position first = 0;
    std::uint64_t digest = 0;
    ANNALS_FIELDS(chain, events, first, digest)

    void add(log_position position, std::string_view stream, std::string_view sku, int quantity) {
        if (events++ == 0)
            first = position;
        const std::hash<std::string_view> hash;
        for (const std::uint64_t each :
             {position, std::uint64_t{hash(stream)}, std::uint64_t{hash(sku)},
              static_cast<std::uint64_t>(quantity)})
            digest = (digest ^ each) * 1'099'511'628'211U;
    }
    template <class E>
    void add(const E& happened, const annals::logged_context& at) {
        constexpr int sign = std::is_same_v<E, item_added> ? 1 : -1;
        add(at.position, at.stream, happened.sku, sign * happened.quantity);
    }
    friend bool operator==(const chain&, const chain&) = default;
};

/// The chains that the log of a shop really makes.
class true_chains {
public:
    explicit true_chains(const annals::journal& log) {
        for (log_position after = 0; after != log.head();) {
            const auto page = log.read_all(after, 1'000).value();
            for (const auto& each : page.events)
                if (each.type == annals::event_name<item_added>())
                    take<item_added>(each);
                else
                    take<item_removed>(each);
            after = page.through;
        }
    }
    /// Of everything from `first` up to `last`.
    [[nodiscard]] chain from_to(log_position first, log_position last) {
        if (last < first || first == 0)
            return {};
        auto& known = chains_[first];
        while (first + known.size() <= last) {
            chain next = known.empty() ? chain{} : known.back();
            const event& at = events_.at(first + known.size() - 1);
            next.add(at.position, at.stream, at.sku, at.quantity);
            known.push_back(next);
        }
        return known[last - first];
    }
    [[nodiscard]] chain up_to(log_position last) { return from_to(1, last); }
    [[nodiscard]] log_position head() const noexcept { return events_.size(); }

private:
    struct event {
        log_position position;
        std::string stream;
        std::string sku;
        int quantity;
    };
    template <class E>
    void take(const annals::stored_event& each) {
        auto happened = annals::from_bytes<E>(each.payload).value();
        constexpr int sign = std::is_same_v<E, item_added> ? 1 : -1;
        events_.push_back({each.position, std::string(each.stream), std::move(happened.sku),
                           sign * happened.quantity});
    }
    std::vector<event> events_;
    std::map<log_position, std::vector<chain>> chains_; ///< by their first event
};

// --- views -----------------------------------------------------------------------------------------

template <class V>
struct chain_of {
    using view = V;
};

template <class Name>
struct folded {
    static constexpr std::string_view name = Name::text;
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<chain_of<folded>>;
    chain all;
};
template <class Name, class E>
void evolve(folded<Name>& view, const E& happened, const annals::logged_context& at) {
    view.all.add(happened, at);
}
template <class Name>
chain answer(const folded<Name>& view, const chain_of<folded<Name>>&) {
    return view.all;
}
struct plain_name {
    static constexpr std::string_view text = "plain";
};
struct threaded_name {
    static constexpr std::string_view text = "threaded";
};
struct shown_name {
    static constexpr std::string_view text = "shown";
};
using plain = folded<plain_name>;
using threaded = folded<threaded_name>; ///< to be hosted with a thread of its own
using shown = folded<shown_name>;       ///< to be hosted with published versions

struct kept {
    static constexpr std::string_view name = "kept";
    using event = std::variant<item_added, item_removed>;
    using query = std::variant<chain_of<kept>>;
    annals::stored_map<std::uint32_t, chain> all; ///< one row
    ANNALS_FIELDS(kept, all)
};
template <class E>
void evolve(kept& view, const E& happened, const annals::logged_context& at) {
    view.all.change(0, [&](chain& all) { all.add(happened, at); });
}
inline chain answer(const kept& view, const chain_of<kept>&) {
    return view.all.value_or(0, chain{});
}

// --- a reaction ------------------------------------------------------------------------------------

/// What a reaction was given, by stream, as the world outside saw it.
class deliveries {
public:
    struct one {
        annals::stream_version version;
        log_position position;
        bool redelivered;
    };
    void take(const annals::delivery& about) {
        const std::lock_guard lock(mutex_);
        by_stream_[std::string(about.stream)].push_back(
            {about.version, about.position, about.redelivered});
    }
    [[nodiscard]] std::map<std::string, std::vector<one>> by_stream() const {
        const std::lock_guard lock(mutex_);
        return by_stream_;
    }
    [[nodiscard]] std::size_t count() const {
        std::size_t sum = 0;
        for (const auto& [stream, all] : by_stream())
            sum += all.size();
        return sum;
    }
    /// Whether each event of the log was delivered once, those of one stream in order.
    [[nodiscard]] bool are_all_once(const annals::journal& log) const {
        log_position sum = 0;
        for (const auto& [stream, all] : by_stream()) {
            for (std::size_t i = 0; i != all.size(); ++i)
                if (all[i].version != i + 1 || all[i].redelivered)
                    return false;
            if (all.size() != log.describe(stream).value().version)
                return false;
            sum += all.size();
        }
        return sum == log.head();
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<one>> by_stream_;
};
template <class Name>
struct follower {
    static constexpr std::string_view name = Name::text;
    using event = std::variant<item_added, item_removed>;
    std::shared_ptr<deliveries> seen;
};
template <class Name, class E>
void react(follower<Name>& to, const E&, const annals::delivery& about) {
    to.seen->take(about);
}
struct follower_name {
    static constexpr std::string_view text = "follower";
};
struct partitioned_name {
    static constexpr std::string_view text = "partitioned";
};

// --- verbs -----------------------------------------------------------------------------------------

inline std::uint64_t told_seed() {
    const auto seed = annals::test::random_seed();
    std::printf("ANNALS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    return seed;
}

/// More of everything where no command waits for a disk.
inline int commands_each(annals::test::keeping where, int on_disk) {
    return where == annals::test::keeping::in_memory ? 5 * on_disk : on_disk;
}

/// Sends so many commands to few carts, up to 64 ahead of their answers. How many of them were neither
/// stored nor rejected, which is to say failed or unanswered.
inline int send_some(annals::runtime& rt, std::uint64_t seed, int commands, int carts = 20) {
    std::mt19937_64 random(seed);
    std::vector<annals::future<annals::receipt>> under_way;
    int bad = 0;
    const auto settle = [&] {
        for (const auto& each : under_way) {
            const auto came = each.get_for(std::chrono::seconds(60));
            bad += !came || came->is_error() ? 1 : 0;
        }
        under_way.clear();
    };
    for (int i = 0; i < commands; ++i) {
        const auto cart = std::to_string(random() % static_cast<std::uint64_t>(carts));
        if (random() % 8 == 0)
            under_way.push_back(rt.send(cart, shop::remove_item{"tea"}));
        else
            under_way.push_back(rt.send(cart, shop::add_item{random() % 2 == 0 ? "tea" : "milk",
                                                             1 + static_cast<int>(random() % 9)}));
        if (under_way.size() > random() % 64)
            settle();
    }
    settle();
    return bad;
}

/// So many items, 100 in one commit, past the runtime.
inline void fill(annals::journal& log, int events, int carts = 20) {
    int next = 0;
    while (next < events) {
        std::vector<annals::owned_commit> commits;
        for (int i = 0; i != 10 && next < events; ++i) {
            annals::owned_commit one;
            one.stream = "cart-" + std::to_string(next / 100 % carts);
            one.about.command_id = annals::random_ids()->next();
            for (int j = 0; j != 100 && next < events; ++j)
                one.events.push_back({std::string(annals::event_name<item_added>()),
                                      annals::to_bytes(item_added{"tea", next++ % 9 + 1})});
            commits.push_back(std::move(one));
        }
        for (const auto& each : append_and_wait(log, std::move(commits)))
            if (!each)
                throw std::runtime_error(each.error().message);
    }
}

} // namespace chains
