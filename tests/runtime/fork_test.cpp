#include "support/child_process.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <memory>

using namespace annals;
using namespace annals::test;

namespace {

/// In the child: every call is an error, and none waits for what is only in the parent.
int use_in_child(std::unique_ptr<runtime> rt) {
    if (rt->send("17", shop::add_item{"tea", 1}).get().error().code != errc::after_fork)
        return 1;
    if (rt->ask(shop::demand_for{"tea"}).get().error().code != errc::after_fork)
        return 2;
    if (rt->close().error().code != errc::after_fork)
        return 3;
    rt.reset();
    return 0;
}

} // namespace

// Under the thread sanitizer a child of a process with threads cannot start.
#ifndef __SANITIZE_THREAD__
TEST_CASE(
    "in a fork's child a runtime answers that it belongs to the parent, and can be destroyed") {
    const event_store store;
    auto rt = std::make_unique<runtime>(open_shop(store.settings()));
    REQUIRE(rt->send("17", shop::add_item{"tea", 2}).get());
    const pid_t child = fork_beside_sleepers();
    REQUIRE(child >= 0);
    if (child == 0)
        ::_exit(use_in_child(std::move(rt)));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    REQUIRE(rt->send("17", shop::add_item{"tea", 1}).get()->version == 2);
}
#endif
