#include "stress/chains.hpp"
#include "support/live_updates.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

/// Queries of every kind, and operators, amid commands. As with the storm of commands,
/// ThreadSanitizer reports falsely inside the packaged actor framework.

using namespace annals;
using namespace annals::test;
using chains::chain;
using chains::chain_of;
using chains::commands_each;
using chains::kept;
using chains::plain;
using chains::shown;
using chains::threaded;
using chains::true_chains;

namespace {

config small_pages(const event_store& store, std::mt19937_64& random) {
    auto with = store.settings();
    with.limits.page_events = 1 + random() % 50;
    return with;
}

runtime open_views(config with) {
    return runtime::open(std::move(with), host<shop::cart>, host<plain>,
                         host<threaded>({.own_thread = true}), host_published<shown>, host<kept>)
        .value();
}

/// What one asker was told by one view, to be judged when the log is complete.
class witness {
public:
    void hear(log_position position, const chain& told, log_position at_least = 0) {
        stale_ += position < at_least ? 1 : 0;
        backwards_ += position < before_ ? 1 : 0;
        before_ = position;
        if (told_.empty() || told_.back() != std::pair(position, told))
            told_.emplace_back(position, told);
    }
    /// False if it is no answer.
    bool hear(const std::optional<annals::outcome<chain>>& came, log_position at_least = 0) {
        if (came && *came) {
            hear(came->position(), **came, at_least);
            return true;
        }
        ++failed_;
        why_ = came ? came->explanation() : "no answer";
        return false;
    }
    template <class Q>
    void ask(runtime& rt, Q query, ask_options options, log_position at_least = 0) {
        hear(rt.ask(query, options).get_for(std::chrono::seconds(60)), at_least);
    }
    void judge(true_chains& log, bool only_forwards = true) const {
        CAPTURE(why_);
        REQUIRE(failed_ == 0);
        REQUIRE(stale_ == 0);
        if (only_forwards)
            REQUIRE(backwards_ == 0);
        REQUIRE_FALSE(told_.empty());
        for (const auto& [position, told] : told_) {
            const auto first = told.first != 0 ? told.first : position + 1; // nothing since a reset
            if (told != log.from_to(only_forwards ? 1 : first, position)) {
                CAPTURE(position, told.first, told.events);
                FAIL("an answer is not the fold at its position");
            }
        }
    }

private:
    std::vector<std::pair<log_position, chain>> told_;
    log_position before_ = 0;
    int failed_ = 0;
    int stale_ = 0;
    int backwards_ = 0;
    std::string why_;
};

/// One thread that asks every view in every way until it is told to stop.
class asker {
public:
    void run(runtime& rt, std::uint64_t seed, const std::atomic<bool>& over) {
        std::mt19937_64 random(seed);
        auto reader = rt.reader<shown>().value();
        const auto cart = "asker " + std::to_string(seed);
        for (int round = 0; !over || round < 50; ++round) {
            ask_options wish;
            log_position least = 0;
            switch (random() % 4) {
            case 0:
                break;
            case 1:
                least = rt.journal().head();
                wish = latest();
                break;
            default: {
                const auto written = rt.send(cart, shop::add_item{"rum"}).get();
                unwritten += written ? 0 : 1;
                if (written) {
                    least = written->position;
                    wish = after(*written);
                }
            }
            }
            one_question(rt, random() % 5, wish, least);
            const auto pinned = reader.read();
            read.hear(pinned.position(), pinned->all);
        }
    }
    void judge(true_chains& log) const {
        REQUIRE(unwritten == 0);
        for (const auto* each : {&of_plain, &of_threaded, &of_shown, &of_kept, &read})
            each->judge(log);
        REQUIRE(apart == 0);
        REQUIRE(joint_failed == 0);
    }

private:
    void one_question(runtime& rt, std::uint64_t which, const ask_options& wish,
                      log_position least) {
        switch (which) {
        case 0:
            return of_plain.ask(rt, chain_of<plain>{}, wish, least);
        case 1:
            return of_threaded.ask(rt, chain_of<threaded>{}, wish, least);
        case 2:
            return of_shown.ask(rt, chain_of<shown>{}, wish, least);
        case 3:
            return of_kept.ask(rt, chain_of<kept>{}, wish, least);
        default:
            const auto came =
                rt.ask_together(wish, chain_of<plain>{}, chain_of<threaded>{}, chain_of<shown>{})
                    .get_for(std::chrono::seconds(60));
            if (!came || !*came) {
                ++joint_failed;
                return;
            }
            const auto& [first, second, third] = came->value();
            of_plain.hear(first, least);
            of_threaded.hear(second, least);
            of_shown.hear(third, least);
            for (const auto* each : {&first, &second, &third})
                apart += each->position() != came->position() ? 1 : 0;
        }
    }

    witness of_plain, of_threaded, of_shown, of_kept, read;
    int unwritten = 0;
    int joint_failed = 0;
    int apart = 0;
};

template <class V>
chain final_answer(runtime& rt) {
    return rt.ask(chain_of<V>{}, latest()).get().value();
}

} // namespace

TEST_CASE("a storm of queries amid a storm of commands is answered consistently") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto rt = open_views(small_pages(store, random));

    std::vector<live_updates<chain>> live(3);
    std::vector<live_query> watching;
    watching.push_back(rt.watch(chain_of<plain>{}, live[0].collect(), {.buffer = 100'000}));
    watching.push_back(rt.watch(chain_of<threaded>{}, live[1].collect()));
    watching.push_back(rt.watch(chain_of<kept>{}, live[2].collect()));
    std::vector<asker> askers(3);
    std::atomic<int> bad{0};
    std::atomic<bool> over{false};
    {
        std::vector<std::jthread> asking;
        for (auto& each : askers)
            asking.emplace_back([&, own = random()] { each.run(rt, own, over); });
        std::vector<std::jthread> sending;
        for (int i = 0; i != 3; ++i)
            sending.emplace_back([&, own = random()] {
                bad += chains::send_some(rt, own, commands_each(where, 3'000));
            });
        sending.clear();
        over = true;
    }
    REQUIRE(bad == 0);
    true_chains log(rt.journal());
    for (const auto& each : askers)
        each.judge(log);
    const chain all = log.up_to(log.head());
    REQUIRE(final_answer<plain>(rt) == all);
    REQUIRE(final_answer<threaded>(rt) == all);
    REQUIRE(final_answer<shown>(rt) == all);
    REQUIRE(final_answer<kept>(rt) == all);
    auto reader = rt.reader<shown>().value();
    REQUIRE(eventually(rt, [&] { return reader.read().position() == log.head(); }));
    REQUIRE(reader.read()->all == all);
    for (const auto& each : live) {
        REQUIRE(each.until([&](const auto& told) {
            return !told.empty() && told.back().answer.position() == log.head();
        }));
        witness heard;
        for (const auto& update : each.all())
            heard.hear(update.answer);
        heard.judge(log);
    }
    REQUIRE(rt.status().queries_in_flight == 0);
    REQUIRE(rt.status().queries_failed == 0);
}

namespace {

/// Resets that operators have made, in which order as far as it can be told from outside.
class resets {
public:
    struct one {
        log_position to;
        std::uint64_t begun;
        std::uint64_t ended;
    };
    /// Counts what was refused, of which there should be nothing.
    void make(const projection_control& of, log_position to) {
        const auto begun = ++time_;
        const auto came = of.reset(to).get_for(std::chrono::seconds(60));
        const auto ended = ++time_;
        const std::lock_guard lock(mutex_);
        if (came && *came && **came == to)
            all_.push_back({to, begun, ended});
        else
            ++failed_;
    }
    [[nodiscard]] int failed() const { return failed_; }
    /// Whether a view may reflect just what came after `to`: no other reset was surely a later one.
    [[nodiscard]] bool may_be_last(log_position to) const {
        if (all_.empty())
            return to == 0;
        return std::any_of(all_.begin(), all_.end(), [&](const one& last) {
            return last.to == to && std::none_of(all_.begin(), all_.end(), [&](const one& each) {
                       return each.begun > last.ended;
                   });
        });
    }

private:
    std::mutex mutex_;
    std::atomic<std::uint64_t> time_{0};
    std::vector<one> all_;
    int failed_ = 0;
};

/// What one operator has asked for and not waited for.
struct orders {
    std::vector<future<log_position>> all;
    std::vector<future<log_position>> rebuilds; ///< a reset aborts them
};

/// Pauses, resumes, rebuilds and resets one of these views after the other, at random. The first is
/// never reset.
void operate(runtime& rt, std::uint64_t seed, int times, const std::vector<std::string>& views,
             std::map<std::string, resets>& made, orders& given) {
    std::mt19937_64 random(seed);
    for (int i = 0; i != times; ++i) {
        const auto& name = views[random() % views.size()];
        const auto of = rt.projection(name);
        switch (random() % 6) {
        case 0:
            given.all.push_back(of.pause());
            break;
        case 1:
            (void)of.pause().get();
            given.all.push_back(of.resume());
            break;
        case 2:
            given.rebuilds.push_back(of.rebuild());
            break;
        case 3:
            if (name != views.front())
                made.at(name).make(of, random() % (rt.journal().head() + 1));
            break;
        default:
            given.all.push_back(of.resume());
        }
        (void)rt.send("operator", shop::add_item{"rum"}).get();
    }
}

/// Asks one view without a wish, and writes down what came.
template <class V>
void ask_on(runtime& rt, witness& into, const std::atomic<bool>& over) {
    do
        into.ask(rt, chain_of<V>{}, {});
    while (!over);
}

} // namespace

TEST_CASE("operators at work in a storm lose nothing and are answered") {
    const auto where = GENERATE(keeping::in_memory, keeping::on_disk);
    const event_store store(where);
    const auto seed = chains::told_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto rt = open_views(small_pages(store, random));
    chains::fill(rt.journal(), 500);

    const std::vector<std::string> views{"plain", "threaded", "shown", "kept"};
    std::map<std::string, resets> made;
    for (const auto& each : views)
        made[each];
    std::vector<orders> given(3);
    std::vector<witness> heard(4);
    std::atomic<int> bad{0};
    std::atomic<bool> over{false};
    {
        std::vector<std::jthread> asking;
        asking.emplace_back([&] { ask_on<plain>(rt, heard[0], over); });
        asking.emplace_back([&] { ask_on<threaded>(rt, heard[1], over); });
        asking.emplace_back([&] { ask_on<shown>(rt, heard[2], over); });
        asking.emplace_back([&] { ask_on<kept>(rt, heard[3], over); });
        std::vector<std::jthread> working;
        for (auto& each : given)
            working.emplace_back([&, own = random()] {
                operate(rt, own, commands_each(where, 250), views, made, each);
            });
        for (int i = 0; i != 2; ++i)
            working.emplace_back([&, own = random()] {
                bad += chains::send_some(rt, own, commands_each(where, 3'000));
            });
        working.clear();
        over = true;
    }
    REQUIRE(bad == 0);
    for (const auto& each : views)
        REQUIRE(rt.projection(each).resume().get());
    for (const auto& operator_s : given) {
        for (const auto& each : operator_s.all) {
            const auto came = each.get_for(std::chrono::seconds(60));
            REQUIRE(came);
            REQUIRE(*came);
        }
        for (const auto& each : operator_s.rebuilds) {
            const auto came = each.get_for(std::chrono::seconds(60));
            REQUIRE(came);
            CAPTURE(came->explanation());
            REQUIRE((came->has_value() || came->error().code == errc::aborted));
        }
    }
    true_chains log(rt.journal());
    for (const auto& each : heard)
        each.judge(log, &each == &heard.front());
    const std::vector<chain> last{final_answer<plain>(rt), final_answer<threaded>(rt),
                                  final_answer<shown>(rt), final_answer<kept>(rt)};
    for (std::size_t i = 0; i != views.size(); ++i) {
        CAPTURE(views[i], last[i].first, last[i].events);
        const log_position since = last[i].events == 0 ? log.head() : last[i].first - 1;
        REQUIRE(last[i] == log.from_to(since + 1, log.head()));
        REQUIRE(made.at(views[i]).failed() == 0);
        REQUIRE(made.at(views[i]).may_be_last(since));
        REQUIRE(eventually(
            rt, [&] { return status_of(rt, views[i]).now == projection_status::state::live; }));
        REQUIRE_FALSE(status_of(rt, views[i]).rebuilding);
        REQUIRE(status_of(rt, views[i]).last_error.empty());
    }
}
