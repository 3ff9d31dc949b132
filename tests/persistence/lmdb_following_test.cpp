#include "lmdb_store_verbs.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace annals;
using namespace annals::test;

namespace {

/// What a wake rings.
class bell {
public:
    void ring() {
        const std::lock_guard lock(mutex_);
        rung_ = true;
        changed_.notify_one();
    }
    /// False if it did not ring in time: long enough to call it never.
    [[nodiscard]] bool wait() {
        std::unique_lock lock(mutex_);
        const bool came =
            changed_.wait_for(lock, std::chrono::seconds(20), [this] { return rung_; });
        rung_ = false;
        return came;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool rung_ = false;
};

} // namespace

TEST_CASE("an event that is stored between the last look and the waiting wakes its reader",
          "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    const temporary_directory directory;
    auto options = small_store();
    options.unsafe_no_sync = true; // faster: more events meet a reader that is about to wait
    const auto journal = open_store(directory.path(), options);
    bell woken;
    auto reader = journal->subscribe(0, {}, [&] { woken.ring(); }).value();
    constexpr log_position rounds = 4'000;
    using clock = std::chrono::steady_clock;
    std::atomic<log_position> wanted{1};
    std::atomic<clock::duration> append_takes{std::chrono::microseconds(20)};
    std::thread appender([&] {
        for (log_position i = 1; i <= rounds; ++i) {
            while (wanted.load() < i)
                std::this_thread::yield();
            const auto begun = clock::now();
            (void)append_one(*journal, commit_of(std::to_string(i), "cart-1"));
            append_takes = (append_takes.load() * 7 + (clock::now() - begun)) / 8;
        }
    });
    // Each event is appended while the reader, which has seen the one before, looks for the end: a
    // little earlier or later each time.
    std::mt19937_64 random(seed);
    log_position seen = 0;
    bool slept_through = false;
    while (seen != rounds && !slept_through) {
        const auto page = reader->next(10);
        if (!page)
            break;
        if (!page->events.empty()) {
            seen = page->through;
            wanted = seen + 1;
            const auto most = static_cast<std::uint64_t>(append_takes.load().count()) * 3 / 2;
            const auto until = clock::now() + std::chrono::nanoseconds(random() % (most + 1));
            while (clock::now() < until) {
            }
        } else if (page->at_end) {
            slept_through = !woken.wait();
        }
    }
    wanted = rounds; // should the appender wait still
    appender.join();
    REQUIRE_FALSE(slept_through);
    REQUIRE(seen == rounds);
}
