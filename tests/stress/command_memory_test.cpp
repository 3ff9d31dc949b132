#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

/// What commands take from the system, measured: anonymous memory of this process, against the
/// configured budget and what the runtime says it holds.

using namespace annals;
using namespace annals::test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ANNALS_MEMORY_IS_NOT_THE_PROGRAMS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define ANNALS_MEMORY_IS_NOT_THE_PROGRAMS
#endif
#endif

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t letter_bytes = 64 << 10;

/// Commands as hosts write them: nobody says how large they are.
struct post_letter {
    std::string text;
    bool refused = false;
};
struct letter_posted {
    std::string text;
    ANNALS_EVENT(letter_posted, "letters.posted", text)
};
struct letters {
    static constexpr std::string_view name = "letters";
    using command = std::variant<post_letter>;
    using event = std::variant<letter_posted>;
    using decision = annals::decision<event>;
    int count = 0;
};
letters::decision decide(const letters&, const post_letter& command) {
    if (command.refused)
        return annals::reject("refused");
    return letter_posted{command.text};
}
void evolve(letters& state, const letter_posted&) {
    ++state.count;
}

/// 0 if the system does not say.
std::size_t anonymous_bytes() {
#ifndef ANNALS_MEMORY_IS_NOT_THE_PROGRAMS
    std::ifstream rollup("/proc/self/smaps_rollup");
    for (std::string word; rollup >> word;) {
        std::size_t kilobytes = 0;
        if (word == "Anonymous:" && rollup >> kilobytes)
            return kilobytes << 10;
    }
#endif
    return 0;
}

std::size_t grown_since(std::size_t before) {
    const std::size_t now = anonymous_bytes();
    return now > before ? now - before : 0;
}

future<receipt> post(runtime& rt, std::size_t number, bool refused = false) {
    return rt.send(std::to_string(number % 64),
                   post_letter{std::string(letter_bytes, 'x'), refused});
}

} // namespace

TEST_CASE("large commands take no more memory than the budget and what their events add") {
    if (anonymous_bytes() == 0) {
        WARN("skipped: anonymous memory cannot be measured here");
        return;
    }
    constexpr std::size_t budget = 48 * mib;
    constexpr std::size_t letters_sent = 4'096; // with their events half a gigabyte
    const auto log = std::make_shared<holding_journal>(make_memory_journal());
    config with;
    with.journal = log;
    with.actor_threads = 2;
    with.limits.max_command_bytes_in_flight = budget;
    auto rt = runtime::open(std::move(with), host<letters>).value();
    REQUIRE(rt.send("0", post_letter{"short"}).get());
    const std::size_t before = anonymous_bytes();
    log->hold();
    std::vector<future<receipt>> kept;
    kept.reserve(letters_sent);
    for (std::size_t i = 0; i != letters_sent; ++i)
        kept.push_back(post(rt, i));
    std::size_t accepted = 0;
    for (const auto& each : kept)
        accepted += !each.is_ready();
    REQUIRE(log->holds(accepted)); // all are decided
    const std::size_t grown = grown_since(before);
    const std::size_t held = rt.status().command_bytes_in_flight;
    CAPTURE(grown / mib, held / mib, accepted);
    CHECK(accepted >= 200);
    CHECK(held <= 2 * budget + mib);
    CHECK(held >= accepted * 2 * letter_bytes);
    CHECK(grown <= held + held / 4 + 16 * mib);
    log->release();
    for (const auto& each : kept) {
        const auto answer = each.get();
        CHECK((answer || answer.error().code == errc::overloaded));
    }
    CHECK(rt.status().command_bytes_in_flight == 0);
}

TEST_CASE("futures that are kept hold their answers, not their commands") {
    if (anonymous_bytes() == 0) {
        WARN("skipped: anonymous memory cannot be measured here");
        return;
    }
    constexpr std::size_t rounds = 40;
    constexpr std::size_t at_once = 50; // in all, with their events, a quarter of a gigabyte
    const event_store store;
    auto with = store.settings();
    with.store.unsafe_no_sync = true;
    auto rt = runtime::open(std::move(with), host<letters>).value();
    std::vector<future<receipt>> kept;
    kept.reserve(rounds * at_once);
    std::size_t before = 0;
    for (std::size_t round = 0; round != rounds; ++round) {
        for (std::size_t i = 0; i != at_once; ++i)
            kept.push_back(post(rt, i, i % 4 == 0));
        for (std::size_t i = kept.size() - at_once; i != kept.size(); ++i) {
            const auto answer = kept[i].get();
            REQUIRE((answer || answer.is_rejected()));
        }
        if (round == 3) // by now every buffer has been needed once
            before = anonymous_bytes();
    }
    CHECK(rt.status().command_bytes_in_flight == 0);
    CAPTURE(grown_since(before) / mib);
    CHECK(grown_since(before) < 24 * mib);
}
