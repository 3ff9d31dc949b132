#include "support/child_process.hpp"
#include "support/directory_state.hpp"
#include "support/few_threads.hpp"
#include "support/little_address_space.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <system_error>
#include <vector>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

// Under the thread sanitizer a child of a process with threads cannot start.
#ifndef __SANITIZE_THREAD__

namespace {

constexpr int opened = 10;
constexpr int unavailable = 11;

int open_with(const config& with, rlim_t threads) {
    ::alarm(60); // what hangs is ended
    if (!only_threads(threads))
        return 1;
    auto rt = runtime::open(with, host<shop::cart>, host<shop::demand>({.own_thread = true}),
                            host<shop::removals>);
    if (!rt)
        return rt.error().code == errc::unavailable &&
                       rt.error().message.find("ulimit -u") != std::string::npos
                   ? unavailable
                   : 2;
    return rt->send("17", shop::add_item{"tea", 1}).get() && rt->close() ? opened : 3;
}

} // namespace

TEST_CASE("with too few threads opening is an error, and changes nothing") {
    if (!threads_can_be_limited()) {
        WARN("skipped: only root can become a user with a limit of its own");
        return;
    }
    const event_store store;
    const auto around = store.path().parent_path();
    fs::permissions(around, fs::perms::all);
    int first_opened = 0;
    for (int threads = 1; threads != 40 && first_opened == 0; ++threads) {
        INFO(threads);
        const auto before = files_of(around);
        const int code =
            in_child([&] { return open_with(store.settings(), static_cast<rlim_t>(threads)); });
        if (code == opened) {
            first_opened = threads;
            continue;
        }
        REQUIRE(code == unavailable);
        REQUIRE(files_of(around) == before);
    }
    // The first, two writers, 2 + 2 + 2 + 1 of the executors, 2 + 2 of the actors, one of the view,
    // and the ticker.
    REQUIRE(first_opened == 16);
}

// The address sanitizer ends a process that has no address space left.
#ifndef __SANITIZE_ADDRESS__

namespace {

constexpr int no_maps = 12;

int open_within(const config& with, rlim_t bytes) {
    ::alarm(60);
    if (!only_more_address_space(bytes))
        return 1;
    auto rt = runtime::open(with, host<shop::cart>);
    if (rt)
        return rt->send("17", shop::add_item{"tea", 1}).get() && rt->close() ? opened : 3;
    const auto says = [&](const char* text) {
        return rt.error().message.find(text) != std::string::npos;
    };
    if (rt.error().code == errc::unavailable)
        return says("ulimit -u") && says("ulimit -v") ? unavailable : 4;
    return rt.error().code == errc::invalid_argument && says("max_store_bytes") && says("ulimit -v")
               ? no_maps
               : 5;
}

} // namespace

TEST_CASE("with too little address space opening is an error that names the limit, and changes "
          "nothing") {
    const event_store store;
    const auto settings = store.settings();
    const auto maps = 2 * settings.store.max_store_bytes;
    const auto around = store.path().parent_path();
    constexpr rlim_t step = rlim_t{8} << 20;
    std::vector<int> codes;
    for (rlim_t more = maps - 2 * step; codes.empty() || codes.back() != opened; more += step) {
        INFO(more);
        REQUIRE(codes.size() < 1'000);
        const auto before = files_of(around);
        codes.push_back(in_child([&] { return open_within(settings, more); }));
        REQUIRE(codes.back() >= opened);
        if (codes.back() != opened)
            REQUIRE(files_of(around) == before);
    }
    REQUIRE(codes.front() == no_maps);
    REQUIRE(std::ranges::count(codes, unavailable) > 2);
}

#endif

TEST_CASE("an executor that cannot have all its threads has none") {
    if (!threads_can_be_limited()) {
        WARN("skipped: only root can become a user with a limit of its own");
        return;
    }
    REQUIRE(in_child([] {
                if (!only_threads(4))
                    return 1;
                try {
                    (void)thread_executor(8);
                    return 2;
                } catch (const std::system_error&) {
                    return 0;
                }
            }) == 0);
}

#endif
