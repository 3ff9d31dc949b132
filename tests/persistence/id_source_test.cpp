#include "annals/seams.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

using namespace annals;

namespace {

constexpr std::size_t drawn = 64;
using ids = std::array<uuid, drawn>;

ids draw(id_source& from) {
    ids made;
    std::generate(made.begin(), made.end(), [&] { return from.next(); });
    return made;
}

/// What is random in an id; the rest is its time.
std::vector<std::byte> random_part(const uuid& id) {
    return {id.bytes.begin() + 8, id.bytes.end()};
}

} // namespace

// Under the thread sanitizer a child of a process with threads cannot start.
#ifndef __SANITIZE_THREAD__
TEST_CASE("parent and child make other ids after a fork, also in the thread that forked") {
    const auto source = random_ids();
    static_cast<void>(source->next()); // this thread has drawn its random bits
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const ids made = draw(*source);
        ::_exit(::write(ends[1], made.data(), sizeof made) == sizeof made ? 0 : 1);
    }
    const ids here = draw(*source);
    ids there;
    const auto came = ::read(ends[0], there.data(), sizeof there);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    ::close(ends[0]);
    ::close(ends[1]);
    REQUIRE(status == 0);
    REQUIRE(came == sizeof there);
    std::set<std::vector<std::byte>> different;
    for (const auto& each : here)
        different.insert(random_part(each));
    for (const auto& each : there)
        different.insert(random_part(each));
    REQUIRE(different.size() == 2 * drawn);
}
#endif
