#pragma once

#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

/// One projection of each kind, each of which remembers what it took in which order, and all of which
/// a test can make fail.
namespace troubled {

using annals::log_position;
using annals::runtime;
using positions = std::vector<log_position>;

/// What goes wrong in handlers, and how often they were called. Thread-safe.
class weaknesses {
public:
    static constexpr int for_ever = -1;

    /// Projection `who` fails so many times with an item of this sku.
    void make(std::string_view who, std::string sku, int times = for_ever) {
        const std::lock_guard lock(mutex_);
        left_[{std::string(who), std::move(sku)}] = times;
    }
    void mend() {
        const std::lock_guard lock(mutex_);
        left_.clear();
    }
    /// How often `who` was given the event at this position.
    [[nodiscard]] int tries(std::string_view who, log_position at) const {
        const std::lock_guard lock(mutex_);
        const auto found = tries_.find({std::string(who), at});
        return found == tries_.end() ? 0 : found->second;
    }
    /// Called by handlers.
    void meet(std::string_view who, const shop::item_added& happened, log_position at) {
        const std::lock_guard lock(mutex_);
        ++tries_[{std::string(who), at}];
        const auto found = left_.find({std::string(who), happened.sku});
        if (found == left_.end() || found->second == 0)
            return;
        found->second -= found->second > 0 ? 1 : 0;
        throw std::runtime_error("cannot take " + happened.sku);
    }
    void forget() {
        mend();
        const std::lock_guard lock(mutex_);
        tries_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, int> left_;
    std::map<std::pair<std::string, log_position>, int> tries_;
};
inline weaknesses& weak() {
    static weaknesses only;
    return only;
}

template <class V>
struct taken_by {
    using view = V;
};

// --- views -----------------------------------------------------------------------------------------

/// In memory; a copy can be kept to go back to.
template <std::uint32_t Version>
struct copied_view {
    static constexpr std::string_view name = "copied";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<shop::item_added>;
    using query = std::variant<taken_by<copied_view>>;
    positions taken;
};
/// In memory; it cannot be copied, and so begins again after a failure.
template <std::uint32_t Version>
struct moved_view {
    static constexpr std::string_view name = "moved";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<shop::item_added>;
    using query = std::variant<taken_by<moved_view>>;
    std::unique_ptr<positions> taken = std::make_unique<positions>();
};
template <std::uint32_t Version>
struct stored_view {
    static constexpr std::string_view name = "stored";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<shop::item_added>;
    using query = std::variant<taken_by<stored_view>>;
    annals::stored_map<std::uint32_t, log_position> taken; ///< by number
    ANNALS_FIELDS(stored_view, taken)
};

/// Half of the work is done when it fails.
template <std::uint32_t Version>
void evolve(copied_view<Version>& to, const shop::item_added& happened,
            const annals::logged_context& context) {
    to.taken.push_back(context.position);
    weak().meet(to.name, happened, context.position);
}
template <std::uint32_t Version>
void evolve(moved_view<Version>& to, const shop::item_added& happened,
            const annals::logged_context& context) {
    to.taken->push_back(context.position);
    weak().meet(to.name, happened, context.position);
}
template <std::uint32_t Version>
void evolve(stored_view<Version>& to, const shop::item_added& happened,
            const annals::logged_context& context) {
    std::uint32_t number = 0;
    for (const auto& [last, position] : to.taken.all().backwards()) {
        number = last + 1;
        break;
    }
    to.taken.put(number, context.position);
    weak().meet(to.name, happened, context.position);
}

template <std::uint32_t Version>
positions answer(const copied_view<Version>& of, const taken_by<copied_view<Version>>&) {
    return of.taken;
}
template <std::uint32_t Version>
positions answer(const moved_view<Version>& of, const taken_by<moved_view<Version>>&) {
    return *of.taken;
}
template <std::uint32_t Version>
positions answer(const stored_view<Version>& of, const taken_by<stored_view<Version>>&) {
    positions made;
    for (const auto& [number, position] : of.taken.all())
        made.push_back(position);
    return made;
}

// --- a reaction ------------------------------------------------------------------------------------

/// What a reaction did, as the world outside saw it: it outlives the process.
struct outside_world {
    struct effect {
        log_position position;
        bool redelivered;
        unsigned attempt;
    };
    std::mutex mutex;
    std::vector<effect> effects;

    [[nodiscard]] positions taken() {
        const std::lock_guard lock(mutex);
        positions made;
        for (const auto& each : effects)
            made.push_back(each.position);
        return made;
    }
};
struct reaction {
    static constexpr std::string_view name = "reaction";
    using event = std::variant<shop::item_added>;
    std::shared_ptr<outside_world> out;
};
inline void react(reaction& to, const shop::item_added& happened, const annals::delivery& about) {
    weak().meet(to.name, happened, about.position);
    const std::lock_guard lock(to.out->mutex);
    to.out->effects.push_back({about.position, about.redelivered, about.attempt});
}

// --- all of them in one runtime --------------------------------------------------------------------

inline constexpr std::array names{"copied", "moved", "stored", "reaction"};

/// A runtime with all four, each with the same failure policy, on a clock that the test moves.
template <std::uint32_t Version = 1>
class opened {
public:
    opened(const annals::test::event_store& in, annals::failure_policy on_failure,
           std::shared_ptr<outside_world> out = std::make_shared<outside_world>(),
           std::shared_ptr<annals::projection_store> projections = nullptr)
        : clock(std::make_shared<annals::test::manual_clock>()),
          world(std::move(out)),
          rt(open(in, on_failure, std::move(projections))) {}

    /// Sends one item; its position.
    log_position add(const std::string& sku) {
        return rt.send("1", shop::add_item{sku, 1}).get().value().position;
    }
    void pass(std::chrono::milliseconds time) { annals::test::let_pass(time, *clock, rt); }
    [[nodiscard]] annals::projection_status status(std::string_view name) const {
        return annals::test::status_of(rt, name);
    }
    [[nodiscard]] bool becomes(std::string_view name, annals::projection_status::state wanted) {
        return annals::test::eventually(rt, [&] { return status(name).now == wanted; });
    }
    [[nodiscard]] bool reaches(std::string_view name, log_position position) {
        return annals::test::eventually(rt, [&] { return status(name).position >= position; });
    }
    /// What projection `name` has taken, in that order; it must answer.
    [[nodiscard]] positions taken(std::string_view name) {
        if (name == "copied")
            return rt.ask(taken_by<copied_view<Version>>{}).get().value();
        if (name == "moved")
            return rt.ask(taken_by<moved_view<Version>>{}).get().value();
        if (name == "stored")
            return rt.ask(taken_by<stored_view<Version>>{}).get().value();
        return world->taken();
    }
    /// The code of the error that a view answers with.
    [[nodiscard]] std::string refusal(std::string_view name) {
        const auto code = [](const auto& answer) {
            return answer.is_error() ? std::string(to_string(answer.error().code)) : "answered";
        };
        if (name == "copied")
            return code(rt.ask(taken_by<copied_view<Version>>{}).get());
        if (name == "moved")
            return code(rt.ask(taken_by<moved_view<Version>>{}).get());
        return code(rt.ask(taken_by<stored_view<Version>>{}).get());
    }
    [[nodiscard]] std::vector<annals::set_aside_event> set_aside(std::string_view name) {
        return rt.projection(std::string(name)).set_aside().value();
    }
    [[nodiscard]] annals::projection_control control(std::string_view name) {
        return rt.projection(std::string(name));
    }
    /// Everybody but `name` has taken everything, and nothing of theirs failed.
    [[nodiscard]] bool others_are_fine(std::string_view name) {
        const log_position head = rt.journal().head();
        for (const std::string_view each : names) {
            if (each == name)
                continue;
            if (!reaches(each, head) || !becomes(each, annals::projection_status::state::live))
                return false;
            const auto now = status(each);
            if (!now.last_error.empty() || now.set_aside != 0)
                return false;
        }
        return true;
    }

    const std::shared_ptr<annals::test::manual_clock> clock;
    const std::shared_ptr<outside_world> world;
    runtime rt;

private:
    runtime open(const annals::test::event_store& in, annals::failure_policy on_failure,
                 std::shared_ptr<annals::projection_store> projections) {
        auto with = in.settings();
        with.clock = clock;
        with.projections = std::move(projections);
        annals::projection_options options;
        options.on_failure = on_failure;
        return runtime::open(std::move(with), annals::host<shop::cart>,
                             annals::host<copied_view<Version>>(options),
                             annals::host<moved_view<Version>>(options),
                             annals::host<stored_view<Version>>(options),
                             annals::host_reaction(reaction{world},
                                                   annals::reaction_start::beginning, options))
            .value();
    }
};

/// Ends what an earlier test made go wrong.
struct calm {
    calm() { weak().forget(); }
    ~calm() { weak().forget(); }
};

/// Each kind of projection in turn, by name.
inline std::string one_of_them() {
    return GENERATE(as<std::string>{}, "copied", "moved", "stored", "reaction");
}

inline annals::failure_policy stopping(unsigned retries = 0) {
    annals::failure_policy policy;
    policy.retries = retries;
    return policy;
}
inline annals::failure_policy setting_aside(unsigned retries = 0) {
    auto policy = stopping(retries);
    policy.then = annals::failure_policy::last_resort::set_aside;
    return policy;
}

} // namespace troubled
