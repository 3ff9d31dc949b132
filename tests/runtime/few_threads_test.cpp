#include "support/child_process.hpp"
#include "support/directory_state.hpp"
#include "support/few_threads.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <system_error>

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
