#include "lmdb_store_verbs.hpp"

using namespace annals;
using namespace annals::test;

namespace {

/// What is left of a journal in a child process: every call is an error, none hangs or crashes.
int use_after_fork(std::shared_ptr<journal> inherited) {
    const auto expected = errc::after_fork;
    if (inherited->read_all(0, 10).error().code != expected)
        return 1;
    if (inherited->read_stream("cart-1", 1, 10).error().code != expected)
        return 2;
    if (inherited->describe("cart-1").error().code != expected)
        return 3;
    if (inherited->subscribe(0, {}, [] {}).error().code != expected)
        return 4;
    if (append_one(*inherited, commit_of("child", "cart-1")).error().code != expected)
        return 5;
    inherited->close();
    inherited.reset();
    return 0;
}

} // namespace

TEST_CASE("a forked child cannot use its parent's journal, and does it no harm", "[lmdb]") {
    const temporary_directory directory;
    auto journal = open_store(directory.path());
    REQUIRE(append_one(*journal, commit_of("a", "cart-1")));
    auto follower = journal->subscribe(0, {}, [] {}).value();
    const auto child = in_child([&] {
        if (follower->next(10).error().code != errc::after_fork)
            return 10;
        follower.reset();
        return use_after_fork(std::move(journal));
    });
    REQUIRE(child == 0);
    REQUIRE(append_one(*journal, commit_of("b", "cart-1")));
    REQUIRE(read_log(*journal).size() == 2);
    REQUIRE(refusal_to_open(directory.path()) == errc::in_use);
}

TEST_CASE("a child that lives on does not keep the store locked", "[lmdb]") {
    const temporary_directory directory;
    auto journal = open_store(directory.path());
    int begun[2];
    int finish[2];
    REQUIRE(::pipe(begun) == 0);
    REQUIRE(::pipe(finish) == 0);
    char byte = 0;
    const auto child = fork_beside_sleepers();
    if (child == 0) {
        ::close(finish[1]);
        const bool told = ::write(begun[1], &byte, 1) == 1 && ::read(finish[0], &byte, 1) == 0;
        ::_exit(told ? 0 : 1);
    }
    REQUIRE(::read(begun[0], &byte, 1) == 1);
    journal->close();
    const auto reopened = refusal_to_open(directory.path());
    for (const auto end : {begun[0], begun[1], finish[0], finish[1]})
        ::close(end);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(reopened == errc{});
    REQUIRE(status == 0);
}

// The thread sanitizer supports no new threads after a fork beside other threads.
#if defined(__SANITIZE_THREAD__)
#define ANNALS_TEST_NO_THREADS_AFTER_FORK
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANNALS_TEST_NO_THREADS_AFTER_FORK
#endif
#endif

#ifndef ANNALS_TEST_NO_THREADS_AFTER_FORK
TEST_CASE("a child may open a store of its own", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path() / "parent");
    const auto child = in_child([&] {
        const auto own = open_store(directory.path() / "child");
        return append_one(*own, commit_of("a", "cart-1")) && own->head() == 1 ? 0 : 1;
    });
    REQUIRE(child == 0);
    REQUIRE(open_store(directory.path() / "child")->head() == 1);
}
#endif

TEST_CASE("what was answered as stored is there after the process is killed", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    log_position head = 0;
    for (int life = 0; life != 6; ++life) {
        int answers[2];
        REQUIRE(::pipe(answers) == 0);
        const auto life_seed = random();
        const auto ended = in_child([&] {
            std::mt19937_64 choice(life_seed);
            const auto journal = open_store(directory.path());
            for (int i = 0; i != 15; ++i) {
                append_randomly(*journal, choice, 1 + choice() % 40, 60);
                const auto stored = journal->head();
                if (::write(answers[1], &stored, sizeof stored) != sizeof stored)
                    return 1;
            }
            ::kill(::getpid(), SIGKILL);
            return 2;
        });
        ::close(answers[1]);
        REQUIRE(ended == 128 + SIGKILL);
        log_position answered = 0;
        for (log_position next = 0; ::read(answers[0], &next, sizeof next) == sizeof next;)
            answered = next;
        ::close(answers[0]);
        REQUIRE(answered > head);
        head = answered;
        REQUIRE(verify_store(directory.path(), small_store()).value().events == head);
        const auto journal = open_store(directory.path());
        REQUIRE(journal->head() == head);
        REQUIRE(read_log(*journal).size() == head);
    }
}
