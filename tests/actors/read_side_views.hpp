#pragma once

#include "annals/host.hpp"

#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// One projection of each kind over one type of event. Each remembers which positions it took, in
/// which order and by which version of its code, so that an answer can be compared with the log. What
/// handlers meet, and what reactions do, is in `outside_world`, which outlives the process.
namespace read_side {

using annals::log_position;
/// Positions, each with the version that took it.
using taken = std::vector<std::uint64_t>;
constexpr std::uint64_t versions = 8;

struct note {
    int value = 0;
};
struct shake {}; ///< makes an event that no projection wants
struct noted {
    int value = 0;
    ANNALS_EVENT(noted, "box.noted", value)
};
struct shaken {
    int value = 0;
    ANNALS_EVENT(shaken, "box.shaken", value)
};
struct box {
    static constexpr std::string_view name = "box";
    using command = std::variant<note, shake>;
    using event = std::variant<noted, shaken>;
    using decision = annals::decision<event>;
};
inline box::decision decide(const box&, const note& command) {
    if (command.value % 5 == 0)
        return {noted{command.value}, noted{-command.value}};
    return noted{command.value};
}
inline box::decision decide(const box&, const shake&) {
    return shaken{};
}
inline void evolve(box&, const noted&) {}
inline void evolve(box&, const shaken&) {}

struct delivered {
    log_position position = 0;
    std::string stream;
    bool redelivered = false;
    bool succeeded = false;
};

class outside_world {
public:
    /// The next history: of a hundred events so many fail, a few times or until all is mended.
    void begin(std::uint32_t seed, unsigned failing_percent) {
        *this = {};
        random_.seed(seed);
        failing_percent_ = failing_percent;
    }
    void mend() {
        failing_percent_ = 0;
        left_.clear();
    }
    /// Called by each handler for each event.
    void meet(std::string_view who, log_position at) {
        const auto [found, fresh] = left_.try_emplace({std::string(who), at}, 0U);
        if (fresh && random_() % 100 < failing_percent_)
            found->second = random_() % 4 == 0 ? 1'000'000 : 1 + random_() % 3;
        if (found->second == 0)
            return;
        --found->second;
        ++failures;
        throw std::runtime_error("cannot take it");
    }

    std::map<std::string, std::vector<delivered>, std::less<>> deliveries; ///< by reaction
    std::size_t failures = 0;

private:
    std::mt19937 random_;
    unsigned failing_percent_ = 0;
    std::map<std::pair<std::string, log_position>, std::size_t> left_;
};
inline outside_world& outside() {
    static outside_world only;
    return only;
}

template <class V>
struct taken_by {
    using view = V;
};

/// In memory, copyable and saved.
template <std::uint32_t Version>
struct kept {
    static constexpr std::string_view name = "kept";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<noted>;
    using query = std::variant<taken_by<kept>>;
    read_side::taken taken;
    ANNALS_FIELDS(kept, taken)
};
/// In memory; cannot be copied, so that a failure costs its state.
template <std::uint32_t Version>
struct bare {
    static constexpr std::string_view name = "bare";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<noted>;
    using query = std::variant<taken_by<bare>>;
    std::unique_ptr<read_side::taken> taken = std::make_unique<read_side::taken>();
};
/// Stored.
template <std::uint32_t Version>
struct rows {
    static constexpr std::string_view name = "rows";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<noted>;
    using query = std::variant<taken_by<rows>>;
    annals::stored_map<std::uint32_t, std::uint64_t> taken; ///< by number
    ANNALS_FIELDS(rows, taken)
};

// Half of the work is done when it fails.
template <std::uint32_t Version>
void evolve(kept<Version>& to, const noted&, const annals::logged_context& context) {
    to.taken.push_back(context.position * versions + Version);
    outside().meet(to.name, context.position);
}
template <std::uint32_t Version>
void evolve(bare<Version>& to, const noted&, const annals::logged_context& context) {
    to.taken->push_back(context.position * versions + Version);
    outside().meet(to.name, context.position);
}
template <std::uint32_t Version>
void evolve(rows<Version>& to, const noted&, const annals::logged_context& context) {
    std::uint32_t number = 0;
    for (const auto& [last, position] : to.taken.all().backwards()) {
        number = last + 1;
        break;
    }
    to.taken.put(number, context.position * versions + Version);
    outside().meet(to.name, context.position);
}

template <std::uint32_t Version>
taken answer(const kept<Version>& of, const taken_by<kept<Version>>&) {
    return of.taken;
}
template <std::uint32_t Version>
taken answer(const bare<Version>& of, const taken_by<bare<Version>>&) {
    return *of.taken;
}
template <std::uint32_t Version>
taken answer(const rows<Version>& of, const taken_by<rows<Version>>&) {
    taken made;
    for (const auto& [number, each] : of.taken.all())
        made.push_back(each);
    return made;
}

/// `told` is hosted from the beginning, `spread` from now on, with partitions.
template <bool Spread>
struct teller {
    static constexpr std::string_view name = Spread ? "spread" : "told";
    using event = std::variant<noted>;
};
template <bool Spread>
void react(teller<Spread>& by, const noted&, const annals::delivery& about) {
    auto& all = outside().deliveries[std::string(by.name)];
    all.push_back({about.position, std::string(about.stream), about.redelivered, false});
    const auto which = all.size() - 1;
    outside().meet(by.name, about.position);
    all[which].succeeded = true;
}

} // namespace read_side
