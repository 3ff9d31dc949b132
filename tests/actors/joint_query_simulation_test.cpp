#include "simulation.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>

/// Joint queries under many seeded interleavings: three views, of which some stand still, fail or are
/// built anew. The views never wait for each other; only the joint query waits.
namespace {

using annals::log_position;
using simulation::world;
using action = annals::control_request::action;
constexpr std::uint32_t seeds = 150;

struct add {
    int value = 0;
};
struct added {
    int value = 0;
    ANNALS_EVENT(added, "sum.added", value)
};
struct sum {
    static constexpr std::string_view name = "sum";
    using command = std::variant<add>;
    using event = std::variant<added>;
    using decision = annals::decision<event>;
};
sum::decision decide(const sum&, const add& command) {
    return added{command.value};
}
void evolve(sum&, const added&) {}

template <char Name>
struct total;
template <char Name>
struct total_of {
    using view = total<Name>;
};
/// Which events a view has taken: all that there are, so that its number is its position.
template <char Name>
struct total {
    static constexpr std::array<char, 1> letters = {Name};
    static constexpr std::string_view name{letters.data(), 1};
    using event = std::variant<added>;
    using query = std::variant<total_of<Name>>;
    std::uint64_t taken = 0;
    static inline std::uint64_t fails_at = 0; ///< no event, if 0
};
template <char Name>
void evolve(total<Name>& view, const added&, const annals::logged_context& context) {
    if (context.position == total<Name>::fails_at)
        throw std::runtime_error("not this one");
    ++view.taken;
}
template <char Name>
std::uint64_t answer(const total<Name>& view, const total_of<Name>&) {
    return view.taken;
}

constexpr std::array<const char*, 3> names = {"a", "b", "c"};

/// Asks three views in every combination, and looks at what comes.
class questions {
public:
    explicit questions(std::uint32_t seed)
        : world_(seed, limits(seed),
                 {annals::host<sum>, annals::host<total<'a'>>, annals::host<total<'b'>>,
                  annals::host<total<'c'>>}) {
        total<'a'>::fails_at = total<'b'>::fails_at = total<'c'>::fails_at = 0;
        views_ = world_.beginning("annals.query");
    }

    void send() { (void)world_.send(std::to_string(world_.below(3)), add{1}); }
    void ask() {
        switch (world_.below(4)) {
        case 0:
            return ask_these<'a', 'b'>();
        case 1:
            return ask_these<'b', 'c'>();
        case 2:
            return ask_these<'c', 'a'>();
        default:
            return ask_these<'a', 'b', 'c'>();
        }
    }
    void order(const char* name, action what) {
        auto request = std::make_shared<annals::control_request>(what, 0);
        ordered_.emplace_back(annals::future<log_position>(request));
        world_.engine().control(name, std::move(request));
        if (what == action::pause)
            stands_still_[name] = true;
        else if (what == action::resume)
            stands_still_[name] = false;
    }
    /// The view takes no message any more, as if it folded forever; null: all do.
    void starve(const char* name) {
        const auto which =
            std::find(names.begin(), names.end(), std::string_view(name ? name : ""));
        world_.starve(name ? views_.at(static_cast<std::size_t>(which - names.begin())) : 0);
        starved_ = name ? name : "";
    }
    /// When nothing more can happen, every view that runs is at the log's end, however many joint
    /// queries wait for its partners.
    void check_views_keep_up() {
        world_.run_until_quiet();
        const auto now = world_.engine().status();
        for (const auto& each : now.projections)
            if (!stands_still_[each.name] && each.name != starved_ &&
                each.now != annals::projection_status::state::failed) {
                CAPTURE(each.name, each.last_error, waiting());
                REQUIRE(each.position == now.head);
                REQUIRE(each.now == annals::projection_status::state::live);
            }
    }
    /// Every question has its answer, or an error that is its own.
    void settle() {
        starve(nullptr);
        for (const char* name : names)
            order(name, action::resume);
        world_.run_until_quiet();
        world_.pass(std::chrono::minutes(2));
        world_.run_until_quiet();
        for (const auto& look : questions_)
            look();
        REQUIRE(world_.engine().status().queries_in_flight == 0);
    }

    world& in() { return world_; }
    [[nodiscard]] std::size_t waiting() { return world_.engine().status().queries_in_flight; }
    std::size_t answered = 0, out_of_reach = 0, unavailable = 0, aborted = 0;

private:
    static annals::engine_limits limits(std::uint32_t seed) {
        annals::engine_limits made;
        made.page_events = 1 + seed % 7;
        return made;
    }
    template <char... Names>
    void ask_these() {
        using joint = annals::typed_joint<total_of<Names>...>;
        auto request = std::make_shared<joint>(total_of<Names>{}...);
        const auto head = world_.journal->head();
        request->at_least = world_.below(3) == 0 ? head : 0;
        annals::future<annals::joint_answer<total_of<Names>...>> coming(request);
        questions_.emplace_back([this, coming, at_least = request->at_least] {
            REQUIRE(coming.is_ready());
            const auto came = coming.get();
            if (!came) {
                CAPTURE(came.explanation());
                const auto code = came.error().code;
                out_of_reach += code == annals::errc::version_out_of_reach;
                unavailable += code == annals::errc::unavailable;
                aborted += code == annals::errc::aborted;
                REQUIRE((code == annals::errc::version_out_of_reach ||
                         code == annals::errc::unavailable || code == annals::errc::aborted));
                return;
            }
            ++answered;
            REQUIRE(came.position() >= at_least);
            const auto is_there = [&](const auto& part) {
                return part.position() == came.position() && *part == came.position();
            };
            REQUIRE(
                std::apply([&](const auto&... each) { return (is_there(each) && ...); }, *came));
        });
        world_.engine().ask_together(std::move(request));
    }

    std::vector<caf::actor_id> views_;
    std::string starved_;
    std::map<std::string, bool> stands_still_;
    std::vector<std::function<void()>> questions_;
    std::vector<annals::future<log_position>> ordered_;
    world world_; ///< last: while it ends, it still tells the rest
};

} // namespace

TEST_CASE("joint queries that cross are all answered, and no view waits for another") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        questions all(seed);
        std::size_t asked = 0;
        for (int i = 0; i != 30; ++i) {
            if (all.in().below(3) != 0)
                all.send();
            for (std::size_t n = all.in().below(3); n != 0; --n, ++asked)
                all.ask();
            all.in().step_some(8);
        }
        all.check_views_keep_up();
        REQUIRE(all.waiting() == 0);
        all.settle();
        REQUIRE(all.answered == asked);
    }
}

TEST_CASE("a partner that stands still makes joint queries wait, and no view") {
    std::size_t answered = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        questions all(seed);
        for (int i = 0; i != 40; ++i) {
            if (all.in().below(3) != 0)
                all.send();
            if (all.in().below(2) == 0)
                all.ask();
            if (all.in().below(6) == 0)
                all.order(names[all.in().below(3)],
                          all.in().below(2) == 0 ? action::pause : action::resume);
            all.in().step_some(8);
            if (all.in().below(8) == 0)
                all.check_views_keep_up();
        }
        all.check_views_keep_up();
        all.settle();
        REQUIRE(all.out_of_reach + all.unavailable + all.aborted == 0); // there was time for each
        answered += all.answered;
    }
    CHECK(answered > seeds);
}

TEST_CASE("a partner that takes no message makes joint queries wait, and no view") {
    std::size_t answered = 0;
    std::size_t waited = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        questions all(seed);
        for (int i = 0; i != 40; ++i) {
            if (all.in().below(3) != 0)
                all.send();
            if (all.in().below(2) == 0)
                all.ask();
            if (all.in().below(6) == 0)
                all.starve(all.in().below(3) == 0 ? nullptr : names[all.in().below(3)]);
            all.in().step_some(8);
            if (all.in().below(8) == 0) {
                all.check_views_keep_up();
                waited += all.waiting();
            }
        }
        all.check_views_keep_up();
        all.starve(nullptr);
        all.in().run_until_quiet();
        REQUIRE(all.waiting() == 0);
        all.settle();
        REQUIRE(all.out_of_reach + all.unavailable + all.aborted == 0);
        answered += all.answered;
    }
    CHECK(answered > seeds);
    CHECK(waited > seeds);
}

TEST_CASE("joint queries survive partners that fail, are built anew or are reset") {
    std::size_t answered = 0;
    std::size_t refused = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        questions all(seed);
        total<'b'>::fails_at = seed % 3 == 0 ? 1 + all.in().below(20) : 0;
        for (int i = 0; i != 40; ++i) {
            if (all.in().below(3) != 0)
                all.send();
            if (all.in().below(2) == 0)
                all.ask();
            if (all.in().below(10) == 0) {
                constexpr std::array orders = {action::rebuild, action::rebuild, action::reset,
                                               action::pause, action::resume};
                all.order(names[all.in().below(3)], orders[all.in().below(orders.size())]);
            }
            if (all.in().below(20) == 0)
                total<'b'>::fails_at = 0;
            all.in().step_some(8);
            if (all.in().below(10) == 0)
                all.in().pass(std::chrono::seconds(all.in().below(20)));
        }
        all.check_views_keep_up();
        total<'b'>::fails_at = 0;
        all.settle();
        answered += all.answered;
        refused += all.out_of_reach + all.unavailable + all.aborted;
    }
    CHECK(answered > seeds);
    CHECK(refused > 0);
}
