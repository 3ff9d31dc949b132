#include "support/live_updates.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <stdexcept>
#include <variant>

/// Host types whose constructors, copies and codecs throw: the projection fails, the others go on.

using namespace annals;
using namespace annals::test;

namespace {

/// What throws at present.
struct traps {
    static inline std::atomic<bool> making{false};
    static inline std::atomic<bool> copying{false};
    static inline std::atomic<bool> decoding{false};
    static inline std::atomic<bool> encoding{false};
    static inline std::atomic<bool> answering{false};
    static inline std::atomic<bool> comparing{false};
    static void reset() {
        for (auto* each : {&making, &copying, &decoding, &encoding, &answering, &comparing})
            each->store(false);
    }
};
void spring(const std::atomic<bool>& trap, const char* where) {
    if (trap.load())
        throw std::runtime_error(std::string("no ") + where + " today");
}

struct fickle_number {
    int value = 0;
    bool operator==(const fickle_number& other) const {
        spring(traps::comparing, "comparing");
        return value == other.value;
    }
};

struct fickle;
struct fickle_count {
    using view = fickle;
};
/// In memory; saved, published.
struct fickle {
    static constexpr std::string_view name = "fickle";
    using event = std::variant<shop::item_added>;
    using query = std::variant<fickle_count>;
    fickle() { spring(traps::making, "making"); }
    fickle(const fickle& other) : count(other.count) { spring(traps::copying, "copying"); }
    fickle(fickle&& other) noexcept = default;
    fickle& operator=(const fickle&) = default;
    fickle& operator=(fickle&&) noexcept = default;
    int count = 0;
    fickle_number padding;
    ANNALS_FIELDS(fickle, count, padding)
};
void evolve(fickle& view, const shop::item_added&) {
    ++view.count;
}
fickle_number answer(const fickle& view, const fickle_count&) {
    spring(traps::answering, "answering");
    return {view.count};
}

struct fickle_rows;
struct fickle_rows_count {
    using view = fickle_rows;
};
struct fickle_rows {
    static constexpr std::string_view name = "fickle_rows";
    using event = std::variant<shop::item_added>;
    using query = std::variant<fickle_rows_count>;
    fickle_rows() { spring(traps::making, "making"); }
    stored_map<std::string, int> units;
    ANNALS_FIELDS(fickle_rows, units)
};
void evolve(fickle_rows& view, const shop::item_added& happened) {
    view.units.change(happened.sku, [](int& units) { ++units; });
}
int answer(const fickle_rows& view, const fickle_rows_count&) {
    return view.units.value_or("tea", 0);
}

} // namespace

template <>
struct annals::codec<fickle_number> {
    static void encode(encoder& to, const fickle_number& number) {
        spring(traps::encoding, "encoding");
        to.integer(number.value);
    }
    static bool decode(const node& from, fickle_number& number, decode_error& why) {
        spring(traps::decoding, "decoding");
        return annals::decode(from, number.value, why);
    }
};

namespace {

runtime open_fickle(const event_store& store) {
    return runtime::open(store.settings(), host<shop::cart>, host<shop::demand>,
                         host_published<fickle>({.save_every = 1}), host<fickle_rows>)
        .value();
}
std::string said(const outcome<fickle_number>& answer) {
    return answer.is_error() ? std::string(to_string(answer.error().code))
                             : std::to_string(answer->value);
}
bool has_failed(runtime& rt, const std::string& name) {
    return eventually(rt,
                      [&] { return status_of(rt, name).now == projection_status::state::failed; });
}
/// Whatever happened to the others.
void check_demand(runtime& rt, int units) {
    CHECK(annals::test::said(rt.ask(shop::demand_for{"tea"}, latest())) == std::to_string(units));
}

struct fickle_case {
    fickle_case() { traps::reset(); }
    ~fickle_case() { traps::reset(); }
};

} // namespace

TEST_CASE("a view whose constructor throws fails at opening, goes on when resumed, and no other") {
    const fickle_case clean;
    const event_store store;
    {
        auto rt = open_fickle(store);
        add_one(rt, "tea");
        REQUIRE(said(rt.ask(fickle_count{}, latest()).get()) == "1");
        REQUIRE(annals::test::said(rt.ask(fickle_rows_count{}, latest())) == "1");
    }
    traps::making = true;
    auto rt = open_fickle(store);
    REQUIRE(has_failed(rt, "fickle"));
    CHECK(status_of(rt, "fickle").last_error.find("no making today") != std::string::npos);
    CHECK(said(rt.ask(fickle_count{}).get()) == "unavailable");
    CHECK(rt.reader<fickle>().error().code == errc::unavailable);
    CHECK(rt.ask(fickle_rows_count{}).get().is_error());
    add_one(rt, "tea");
    REQUIRE(has_failed(rt, "fickle_rows"));
    check_demand(rt, 2);
    REQUIRE(rt.projection("fickle").resume().get()); // and fails again
    REQUIRE(has_failed(rt, "fickle"));
    traps::making = false;
    for (const char* name : {"fickle", "fickle_rows"})
        REQUIRE(rt.projection(name).resume().get());
    CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "2");
    CHECK(annals::test::said(rt.ask(fickle_rows_count{}, latest())) == "2");
    CHECK(rt.reader<fickle>());
}

TEST_CASE("a view whose constructor throws while it is reset or rebuilt fails, and no other") {
    const fickle_case clean;
    const event_store store;
    auto rt = open_fickle(store);
    add_one(rt, "tea");
    REQUIRE(said(rt.ask(fickle_count{}, latest()).get()) == "1");
    SECTION("reset") {
        traps::making = true;
        REQUIRE(rt.projection("fickle").reset().get());
        REQUIRE(rt.projection("fickle_rows").reset().get());
        add_one(rt, "tea");
        REQUIRE(has_failed(rt, "fickle"));
        REQUIRE(has_failed(rt, "fickle_rows"));
        CHECK(said(rt.ask(fickle_count{}).get()) == "unavailable");
        traps::making = false;
        for (const char* name : {"fickle", "fickle_rows"})
            REQUIRE(rt.projection(name).resume().get());
    }
    SECTION("rebuilt: the old one goes on answering") {
        traps::making = true;
        CHECK(rt.projection("fickle").rebuild().get().error().code == errc::handler_failed);
        traps::making = false;
        add_one(rt, "tea");
    }
    check_demand(rt, 2);
    CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "2");
    CHECK(annals::test::said(rt.ask(fickle_rows_count{}, latest())) == "2");
}

TEST_CASE("a saved copy whose codec throws is of no use, and the view is folded again") {
    const fickle_case clean;
    const event_store store;
    {
        auto rt = open_fickle(store);
        add_one(rt, "tea");
        REQUIRE(said(rt.ask(fickle_count{}, latest()).get()) == "1");
    }
    traps::decoding = true;
    auto rt = open_fickle(store);
    CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "1");
    CHECK(status_of(rt, "fickle").last_error.find("no decoding today") != std::string::npos);
    check_demand(rt, 1);
}

TEST_CASE("a view that cannot be saved or copied at present goes on, and says so") {
    const fickle_case clean;
    const event_store store;
    auto& trap = GENERATE(true, false) ? traps::copying : traps::encoding;
    {
        auto rt = open_fickle(store);
        trap = true;
        add_one(rt, "tea");
        CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "1");
        REQUIRE(eventually(rt, [&] {
            return status_of(rt, "fickle").last_error.find(" today") != std::string::npos;
        }));
        check_demand(rt, 1);
    }
    trap = false;
    auto rt = open_fickle(store);
    CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "1");
}

TEST_CASE("an answer or a comparison that throws ends that live query and nothing else") {
    const fickle_case clean;
    auto rt = open_fickle(event_store(keeping::in_memory));
    const live_updates<fickle_number> seen;
    const auto watching = rt.watch(fickle_count{}, seen.collect());
    REQUIRE(seen.reaches(1));
    (GENERATE(true, false) ? traps::answering : traps::comparing) = true;
    add_one(rt, "tea");
    REQUIRE(seen.ends());
    CHECK(seen.all().back().answer.error().code == errc::handler_failed);
    traps::reset();
    CHECK(said(rt.ask(fickle_count{}, latest()).get()) == "1");
    check_demand(rt, 1);
}
