#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <memory>

/// Reactions whose futures get no answer: who could give it is gone, or keeps it until the runtime closes.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::item_added;

namespace {

using reply = std::shared_ptr<reply_state<int>>;

/// Hands what would answer to the test, and waits for the answer.
struct waits_for_the_test {
    std::promise<reply>* to = nullptr;
    [[nodiscard]] future<int> ask() const {
        auto made = std::make_shared<reply_state<int>>();
        future<int> coming(made);
        to->set_value(std::move(made));
        return coming;
    }
};
struct awaiting : waits_for_the_test {
    static constexpr std::string_view name = "awaiting";
    using event = std::variant<item_added>;
};
reaction_task react(awaiting& by, const item_added&) {
    const auto coming = by.ask();
    const auto another = std::make_unique<future<int>>(coming);
    (void)(co_await *another).value();
}
struct returning : waits_for_the_test {
    static constexpr std::string_view name = "returning";
    using event = std::variant<item_added>;
    std::shared_ptr<std::vector<future<int>>> kept = std::make_shared<std::vector<future<int>>>();
};
future<int> react(returning& by, const item_added&) {
    by.kept->push_back(by.ask());
    return by.kept->back();
}

/// A runtime with such a reaction, which has an event.
template <class R>
struct asked {
    std::promise<reply> given;
    runtime rt;
    reply answers;

    explicit asked(std::chrono::milliseconds close_timeout = std::chrono::seconds(30))
        : rt(open(given, close_timeout)) {
        REQUIRE(said(rt.send("1", add_item{"tea"})) == "stored");
        auto coming = given.get_future();
        REQUIRE(coming.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
        answers = coming.get();
    }
    static runtime open(std::promise<reply>& given, std::chrono::milliseconds close_timeout) {
        auto with = event_store(keeping::in_memory).settings();
        with.close_timeout = close_timeout;
        projection_options unforgiving;
        unforgiving.on_failure.then = failure_policy::last_resort::set_aside;
        unforgiving.on_failure.retries = 0;
        R made;
        made.to = &given;
        return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                             host_reaction(std::move(made), reaction_start::beginning, unforgiving))
            .value();
    }
};
/// Enough for what can be done, which is nothing.
constexpr std::chrono::milliseconds short_while{50};

} // namespace

TEMPLATE_TEST_CASE("an event whose future nobody can answer any more has failed", "", awaiting,
                   returning) {
    asked<TestType> here;
    here.answers.reset();
    REQUIRE(eventually(here.rt, [&] { return status_of(here.rt, TestType::name).set_aside == 1; }));
    REQUIRE(here.rt.template projection<TestType>().reaches(1).get());
    const auto failed = here.rt.template projection<TestType>().set_aside().value();
    REQUIRE(failed.front().message.find("nobody is left who could answer") != std::string::npos);
    REQUIRE(here.rt.close());
}

TEMPLATE_TEST_CASE("close says that what a reaction returned was not answered", "", awaiting,
                   returning) {
    asked<TestType> here(short_while);
    const auto closed = here.rt.close();
    REQUIRE_FALSE(closed);
    REQUIRE(closed.error().code == errc::deadline_exceeded);
    REQUIRE(closed.error().message.find("delivered again") != std::string::npos);
    REQUIRE(closed.error().message.find("order to a projection") == std::string::npos);
}

TEST_CASE("close says that an order was not carried out") {
    asked<returning> here(short_while);
    const auto paused = here.rt.projection<returning>().pause();
    const auto closed = here.rt.close();
    REQUIRE_FALSE(closed);
    REQUIRE(closed.error().code == errc::deadline_exceeded);
    REQUIRE(closed.error().message.find("order to a projection") != std::string::npos);
    REQUIRE(paused.get().error().code == errc::aborted);
}

TEST_CASE("close lets an order finish that can") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    const auto paused = rt.projection("demand").pause();
    const auto resumed = rt.projection("removals").resume();
    REQUIRE(rt.close());
    REQUIRE(paused.get());
    REQUIRE(resumed.get());
}

TEST_CASE("close does not wait for positions and rebuilds that are not reached, and says them so") {
    auto rt = open_shop();
    REQUIRE(rt.projection("demand").pause().get());
    REQUIRE(said(rt.send("1", add_item{"tea"})) == "stored");
    const auto rebuilt = rt.projection("demand").rebuild();
    const auto reached = rt.projection("demand").reaches(1, std::chrono::hours(1));
    const auto waited =
        rt.send("1", add_item{"tea"}, {.timeout = std::chrono::hours(1), .wait_for = {"demand"}});
    REQUIRE(rt.close());
    REQUIRE(rebuilt.get().error().code == errc::aborted);
    REQUIRE(reached.get().error().code == errc::closed);
    REQUIRE(waited.get().error().code == errc::version_out_of_reach);
    REQUIRE(waited.get().error().actual == 2);
}
