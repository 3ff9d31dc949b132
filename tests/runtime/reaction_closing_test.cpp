#include "support/gate.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

/// Runtimes that close while their reactions send commands, with a policy that forgives nothing: every
/// event is dealt with in the end, and none is set aside.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::item_added;

namespace {

/// The runtime that blocking handlers know, by a pointer that the host sets after opening.
std::atomic<runtime*> known{nullptr};

/// What handlers did over all openings. Thread-safe.
struct outside {
    std::mutex mutex;
    std::set<log_position> done;
    std::map<log_position, int> given;

    void begins(const delivery& about) {
        const std::lock_guard lock(mutex);
        ++given[about.position];
    }
    void ends(log_position at) {
        const std::lock_guard lock(mutex);
        done.insert(at);
    }
};

/// Each item of an order, "o...", is added to a shelf, "s...", whose own events it passes over.
[[nodiscard]] bool is_order(const delivery& about) {
    return about.id.starts_with('o');
}
[[nodiscard]] std::string shelf(const item_added& e) {
    return "s" + e.sku;
}

/// Waits for each answer.
struct blocking {
    static constexpr std::string_view name = "blocking";
    using event = std::variant<item_added>;
    std::shared_ptr<outside> out;
};
void react(blocking& by, const item_added& e, const delivery& about) {
    if (!is_order(about))
        return;
    by.out->begins(about);
    runtime* there = nullptr;
    while ((there = known.load()) == nullptr && !about.stop.stop_requested())
        std::this_thread::yield();
    if (there == nullptr)
        throw std::runtime_error("closing");
    (void)there->send(shelf(e), add_item{e.sku}).get().value();
    by.out->ends(about.position);
}

/// Returns the answer to come.
struct passing_on {
    static constexpr std::string_view name = "passing_on";
    using event = std::variant<item_added>;
    std::shared_ptr<outside> out;
};
reaction_task react(passing_on& by, const item_added& e, const delivery& about) {
    if (!is_order(about))
        co_return;
    by.out->begins(about);
    auto sent = about.send(shelf(e), add_item{e.sku});
    (co_await sent).value();
    by.out->ends(about.position);
}

/// Waits for an answer that does not come before the runtime has closed.
struct waiting {
    static constexpr std::string_view name = "waiting";
    using event = std::variant<item_added>;
    std::shared_ptr<outside> out;
    gate* inside = nullptr;
};
void react(waiting& by, const item_added&, const delivery& about) {
    by.out->begins(about);
    if (by.inside == nullptr) {
        by.out->ends(about.position);
        return;
    }
    const auto coming =
        known.load()->ask(shop::demand_for{"tea"}, {1'000'000, std::chrono::hours(1)});
    by.inside->open();
    (void)coming.get().value();
    by.out->ends(about.position);
}

projection_options unforgiving() {
    projection_options with;
    with.on_failure.then = failure_policy::last_resort::set_aside;
    with.on_failure.retries = 0;
    return with;
}

template <class R>
[[nodiscard]] std::size_t set_aside(const runtime& rt) {
    return rt.template projection<R>().set_aside().value().size();
}

/// Closes and opens a runtime under load several times; then everything is done.
template <class R>
void close_again_and_again(bool parked) {
    const event_store store;
    const auto out = std::make_shared<outside>();
    constexpr int rounds = 6;
    constexpr int orders = 300;
    int sent = 0;
    for (int round = 0; round <= rounds; ++round) {
        auto with = store.settings();
        with.close_timeout = parked ? std::chrono::milliseconds(20) : std::chrono::seconds(30);
        auto rt = runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                                host_reaction(R{out}, reaction_start::beginning, unforgiving()))
                      .value();
        known = &rt;
        REQUIRE(set_aside<R>(rt) == 0);
        if (round == rounds) {
            REQUIRE(eventually(rt, [&] { return status_of(rt, R::name).lag == 0; }));
            REQUIRE(set_aside<R>(rt) == 0);
        } else {
            std::vector<future<receipt>> coming;
            for (int i = 0; i != orders; ++i, ++sent)
                coming.push_back(
                    rt.send("o" + std::to_string(i % 7), add_item{std::to_string(sent % 50)}));
            for (const auto& each : coming)
                REQUIRE(each.get());
            // Some way into what the reaction has to do.
            const auto some = rt.journal().head() - 200 + static_cast<log_position>(round) * 30;
            if (round % 2 == 0)
                (void)rt.template projection<R>().reaches(some).get();
            if (parked)
                (void)rt.ask(shop::demand_for{"tea"}, {1'000'000, std::chrono::hours(1)});
        }
        (void)rt.close();
        known = nullptr;
    }
    std::set<log_position> wanted;
    auto log = open_lmdb_journal(store.path()).value();
    const auto all = log->read_all(0, 1'000'000, {}).value();
    for (const auto& each : all.events)
        if (each.stream.starts_with("cart-o"))
            wanted.insert(each.position);
    REQUIRE(wanted.size() == static_cast<std::size_t>(sent));
    REQUIRE(out->done == wanted);
    log->close();
}

} // namespace

TEST_CASE(
    "a runtime that closes under load loses no delivery of a reaction that waits for commands") {
    close_again_and_again<blocking>(false);
}

TEST_CASE("nor while a query is parked, which takes longer than closing may") {
    close_again_and_again<blocking>(true);
}

TEST_CASE("nor of a reaction that returns what is still to come") {
    close_again_and_again<passing_on>(GENERATE(false, true));
}

TEST_CASE("a handler that waits for the closing runtime is let go, and sees its event again") {
    const event_store store;
    const auto out = std::make_shared<outside>();
    gate inside;
    {
        auto with = store.settings();
        with.close_timeout = std::chrono::milliseconds(1);
        auto rt = runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                                host_reaction(waiting{out, &inside}, reaction_start::beginning,
                                              unforgiving()))
                      .value();
        known = &rt;
        REQUIRE(said(rt.send("o1", add_item{"tea"})) == "stored");
        inside.pass();
        const auto closed = rt.close();
        REQUIRE(closed.error().code == errc::deadline_exceeded); // the query did not finish
        known = nullptr;
        REQUIRE(out->done.empty());
    }
    auto rt = runtime::open(store.settings(), host<shop::cart>, host<shop::demand>,
                            host_reaction(waiting{out}, reaction_start::beginning, unforgiving()))
                  .value();
    REQUIRE(set_aside<waiting>(rt) == 0);
    REQUIRE(rt.projection<waiting>().reaches(1).get());
    REQUIRE(out->done == std::set<log_position>{1});
    REQUIRE(out->given[1] == 2);
}

namespace {

/// Once it is told to stop, it sends a last command.
struct farewell {
    static constexpr std::string_view name = "farewell";
    using event = std::variant<item_added>;
    gate* inside = nullptr;
    std::string* last_words = nullptr;
};
void react(farewell& by, const item_added&, const delivery& about) {
    if (!is_order(about))
        return;
    by.inside->open();
    std::mutex mutex;
    std::condition_variable told;
    const std::stop_callback wake(about.stop, [&] {
        const std::lock_guard lock(mutex);
        told.notify_all();
    });
    std::unique_lock lock(mutex);
    told.wait(lock, [&] { return about.stop.stop_requested(); });
    *by.last_words = said(about.send("s1", add_item{"goodbye"}));
}

/// Tries to close the runtime from inside.
struct closing_itself {
    static constexpr std::string_view name = "closing_itself";
    using event = std::variant<item_added>;
    gate* ready = nullptr;
};
std::atomic<errc> refused{};
void react(closing_itself& by, const item_added&) {
    by.ready->pass();
    const auto closed = known.load()->close();
    refused = closed ? errc{} : closed.error().code;
}

} // namespace

TEST_CASE("a handler is told to stop while all that it needs is still there") {
    gate inside;
    std::string last_words;
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host_reaction(farewell{&inside, &last_words}, reaction_start::now))
                  .value();
    REQUIRE(said(rt.send("o1", add_item{"tea"})) == "stored");
    inside.pass();
    REQUIRE(rt.close());
    REQUIRE(last_words == "stored");
}

TEST_CASE("close from inside a reaction is refused instead of waiting for itself") {
    gate ready;
    auto rt = runtime::open(event_store(keeping::in_memory).settings(), host<shop::cart>,
                            host_reaction(closing_itself{&ready}, reaction_start::now))
                  .value();
    known = &rt;
    REQUIRE(said(rt.send("o1", add_item{"tea"})) == "stored");
    ready.open();
    REQUIRE(rt.projection<closing_itself>().reaches(1).get());
    REQUIRE(refused == errc::would_deadlock);
    known = nullptr;
}
