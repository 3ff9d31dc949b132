// Moves parcels as fast as it can and meanwhile rebuilds, resets and raises the version of what looks
// at them. The test that kills readers starts it and kills it.
//
//   read_side_program STORE NOTES VERSION SEED WHAT
//
// WHAT is "anything", or "swaps" for one short rebuild after the other.
// It tells, line by line, what it is about to do, so that it can be killed in the middle of it:
//
//   opening | opened | closing             (it opens again under the next version)
//   stored COUNT
//   rebuild NAME | swap NAME | rebuilt NAME
//   reset NAME POSITION | was reset NAME
//   error ...

#include "crash/read_side.hpp"

#include <atomic>
#include <deque>
#include <random>
#include <thread>

namespace {

using namespace annals;
using namespace read_side;

/// One write(2) for each line, so that a line is told whole or not at all.
void tell(std::string line) {
    line += '\n';
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        std::_Exit(3);
}
[[noreturn]] void give_up(const std::string& why) {
    tell("error " + why);
    std::_Exit(1);
}

/// Two threads with parcels of their own, in bursts, always some moves ahead of what is stored.
class senders {
public:
    senders(runtime& rt, std::mt19937_64& random) {
        for (std::uint32_t i = 0; i < count; ++i)
            threads_.emplace_back([this, &rt, i, seed = random()] { send(rt, i, seed); });
    }
    ~senders() {
        over_.store(true);
        allowed_.fetch_add(1);
        allowed_.notify_all();
    }
    senders(const senders&) = delete;
    senders& operator=(const senders&) = delete;

    /// Waits until so many more commands are stored, and lets `after` more be sent then: without an
    /// end to them a rebuild would not catch up on a busy machine.
    void wait_for(std::uint64_t more, std::uint64_t after) {
        const std::uint64_t enough = stored_.load() + more;
        allowed_.store(enough + after);
        allowed_.notify_all();
        for (auto now = stored_.load(); now < enough; now = stored_.load())
            stored_.wait(now);
    }

private:
    static constexpr std::uint32_t count = 2;

    void send(runtime& rt, std::uint32_t thread, std::uint64_t seed) {
        constexpr std::size_t ahead = 32;
        std::mt19937_64 random(seed);
        std::deque<future<receipt>> under_way;
        for (;;) {
            const auto allowed = allowed_.load();
            const bool sends = !over_ && stored_.load() < allowed;
            if (!sends && under_way.empty()) {
                if (over_)
                    return;
                allowed_.wait(allowed);
                continue;
            }
            if (sends) {
                const auto own = static_cast<std::uint32_t>(random() % (parcel_count / count));
                under_way.push_back(rt.send(
                    parcel_id(own * count + thread),
                    move{static_cast<std::uint32_t>(random() % shelf_count), random() % 4 == 0}));
            }
            if (!sends || under_way.size() >= ahead) {
                settle(under_way.front());
                under_way.pop_front();
            }
        }
    }
    void settle(const future<receipt>& coming) {
        if (const auto answer = coming.get(); !answer)
            give_up("a move: " + answer.explanation());
        if (const auto now = ++stored_; now % 100 == 0)
            tell("stored " + std::to_string(now));
        stored_.notify_all();
    }

    std::atomic<bool> over_{false};
    std::atomic<std::uint64_t> allowed_{0};
    std::atomic<std::uint64_t> stored_{0};
    std::vector<std::jthread> threads_; ///< last: they are ended first
};

/// What an operator does, one thing after the other.
class operation {
public:
    operation(runtime& rt, std::mt19937_64& random) : rt_(rt), random_(random) {}

    void any() {
        switch (random_() % 9) {
        case 0:
            return reset(any_view(), random_() % (rt_.journal().head() + 1));
        case 1:
            return reset_notes();
        case 2:
            return rebuild_two();
        case 3:
        case 4:
            return swap_often();
        default:
            rebuild_to_the_end(any_view());
        }
    }
    /// With little to build each time.
    void swap_often() {
        const std::string name = random_() % 2 == 0 ? "shelves" : "routes";
        reset(name, rt_.journal().head());
        for (std::uint64_t rest = 1 + random_() % 20; rest > 0; --rest) {
            const auto coming = rebuild(name);
            tell("swap " + name);
            settle("rebuild " + name, coming);
            tell("rebuilt " + name);
        }
    }
    [[nodiscard]] std::string any_view() {
        static const std::array<std::string, 4> names{"shelves", "shelves", "routes", "arrivals"};
        return names[random_() % names.size()];
    }
    future<log_position> rebuild(const std::string& name) {
        tell("rebuild " + name);
        return rt_.projection(name).rebuild();
    }

private:
    void reset(const std::string& name, log_position to) {
        tell("reset " + name + ' ' + std::to_string(to));
        settle("reset " + name, rt_.projection(name).reset(to));
        tell("was reset " + name);
    }
    /// Backwards only, so that no event is passed over.
    void reset_notes() {
        for (std::uint64_t rest = 1 + random_() % 20; rest > 0; --rest) {
            const auto at = rt_.projection("notes").status().value().position;
            reset("notes", at - std::min<log_position>(at, random_() % 200));
        }
    }
    void rebuild_two() {
        const auto one = rebuild("shelves");
        const auto other = rebuild("routes");
        settle("rebuild shelves", one);
        settle("rebuild routes", other);
        tell("rebuilt shelves");
        tell("rebuilt routes");
    }
    void rebuild_to_the_end(const std::string& name) {
        const auto coming = rebuild(name);
        for (bool near = false; !near && !coming.is_ready();) {
            const auto now = rt_.projection(name).status().value();
            near = now.rebuilding && now.rebuilding->position + 300 > rt_.journal().head();
            std::this_thread::yield();
        }
        tell("swap " + name);
        settle("rebuild " + name, coming);
        tell("rebuilt " + name);
    }
    static void settle(const std::string& what, const future<log_position>& coming) {
        if (const auto how = coming.get(); !how)
            give_up(what + ": " + how.explanation());
    }

    runtime& rt_;
    std::mt19937_64& random_;
};

template <std::uint32_t Version>
void run(const std::filesystem::path& directory, int notes_file, std::mt19937_64& random,
         bool swaps) {
    tell("opening");
    auto opened = open<Version>(directory, notes_file);
    if (!opened)
        give_up(opened.error().message);
    runtime rt = *std::move(opened);
    tell("opened");
    {
        senders load(rt, random);
        operation next(rt, random);
        for (std::uint64_t rest = 1 + random() % 6; rest > 0; --rest) {
            load.wait_for(random() % 200, random() % 800);
            swaps ? next.swap_often() : next.any();
        }
        if (random() % 2 == 0)
            (void)next.rebuild(next.any_view()); // and closes in the middle of it
    }
    tell("closing");
    if (const auto closed = rt.close(); !closed)
        give_up(closed.error().message);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6)
        return 2;
    const int notes_file = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (notes_file < 0)
        return 2;
    std::mt19937_64 random(std::stoull(argv[4]));
    for (auto version = static_cast<std::uint32_t>(std::stoul(argv[3]));;
         version = version_after(version))
        with_version(version, [&]<std::uint32_t Version>() {
            run<Version>(argv[1], notes_file, random, std::string_view(argv[5]) == "swaps");
        });
}
