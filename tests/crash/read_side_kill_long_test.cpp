#include "crash/child_process.hpp"
#include "crash/read_side_store.hpp"
#include "support/places.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

/// A program is killed again and again while it rebuilds, resets and replaces what looks at its events.
/// Each time views are the fold of the log, exactly up to where they say they are, and a reaction has
/// been given everything, with nothing twice that does not say so.

using namespace annals;
using namespace annals::test;

namespace {

constexpr auto patience = std::chrono::seconds(60);

// --- when to kill ------------------------------------------------------------------------------------

struct killing {
    std::string what = "anything"; ///< that the program does
    std::string moment;            ///< a line that begins so
    std::uint64_t times = 0;       ///< and is told for that time
    std::uint64_t yields = 0;      ///< and then so often letting others run first
    std::uint64_t at_most = 25;    ///< lines of stored moves, if the moment does not come
};

killing choose(std::mt19937_64& random) {
    static const std::vector<std::string> aimed{"rebuild", "swap", "rebuild shelves",
                                                "swap shelves"};
    static const std::vector<std::string> others{"opening", "opened",  "closing",
                                                 "stored",  "rebuilt", "reset"};
    const bool aims = random() % 2 == 0;
    const auto& moments = aims ? aimed : others;
    killing next;
    if (aims && random() % 2 == 0)
        next.what = "swaps";
    next.moment = moments[random() % moments.size()];
    next.times = 1 + random() % (next.moment == "stored" || aims ? 8 : 3);
    next.yields = random() % 4 == 0 ? 0 : random() % (std::uint64_t{1} << (random() % 12));
    return next;
}

// --- one store, with what is known of it ---------------------------------------------------------------

/// A store that programs are killed in, one after the other, and checked after each.
class killed_store {
public:
    [[nodiscard]] log_position head() const noexcept { return log_.head(); }
    [[nodiscard]] std::size_t redelivered() const noexcept { return notes_.redelivered(); }
    [[nodiscard]] bool found_half_built() const noexcept { return found_half_built_; }

    /// Runs the program until it is killed. The fault, if it told of one.
    std::string run_and_kill(const killing& when, std::uint32_t version, std::uint64_t seed) {
        child_process program({(test_program_directory() / "read_side_program").string(),
                               store().string(), notes_file().string(), std::to_string(version),
                               std::to_string(seed), when.what});
        std::uint64_t times = 0;
        std::uint64_t stored = 0;
        bool killed = false;
        begun_is_known_ = true;
        while (auto line = program.next_line()) {
            if (line->starts_with("error"))
                return *line;
            if (line->starts_with("reset notes") || line->starts_with("closing"))
                begun_is_known_ = false;
            times += line->starts_with(when.moment) ? 1U : 0U;
            stored += line->starts_with("stored") ? 1U : 0U;
            if (!killed && (times == when.times || stored == when.at_most)) {
                for (std::uint64_t i = 0; i < when.yields; ++i)
                    std::this_thread::yield();
                program.kill();
                killed = true;
            }
        }
        return killed ? "" : "the program ended by itself";
    }

    /// What lies there; then what is made of it by a runtime with shelves of `version`, and what that
    /// leaves behind.
    std::string find_fault(std::uint32_t version) {
        if (auto fault = look(); !fault.empty())
            return "killed: " + fault;
        const auto before = content_;
        found_half_built_ =
            before.of("shelves").building.space != 0 || before.of("routes").building.space != 0;
        if (auto fault = read_side::with_version(
                version, [&]<std::uint32_t Version>() { return run_check<Version>(); });
            !fault.empty())
            return "opened: " + fault;
        begun_is_known_ = true;
        if (auto fault = look(); !fault.empty())
            return "closed: " + fault;
        for (const std::string name : {"shelves", "routes"}) {
            const auto half_built = before.of(name).building;
            const auto serving = content_.of(name).serving;
            if (serving.version != (name == "shelves" ? version : 1))
                return name + " is of an earlier version";
            if (half_built.space != 0 && half_built.version == serving.version &&
                half_built.space != serving.space)
                return name + " was half built, and did not go on";
        }
        return leftovers_;
    }

private:
    [[nodiscard]] std::filesystem::path store() const { return directory_.path() / "read_side.db"; }
    [[nodiscard]] std::filesystem::path notes_file() const { return directory_.path() / "notes"; }

    /// At what is stored, with nobody running.
    std::string look() {
        const auto options = read_side::settings(store());
        const auto log = open_lmdb_journal(store(), options.store).value();
        log_.read(*log);
        const auto views = open_lmdb_projection_store(store(), log->id(), options.views).value();
        const auto now = views->snapshot().value();
        content_ = store_content::read(*now);
        leftovers_ = find_leftovers(*views, *now, content_);
        if (std::filesystem::file_size(store() / "views.mdb") > std::size_t{32} << 20)
            return "the projection store has grown without bounds";
        if (auto fault = test::find_fault(*now, content_, log_); !fault.empty())
            return fault;
        return look_at_notes();
    }

    std::string look_at_notes() {
        const auto now = content_.checkpoint(content_.of("notes").serving);
        const auto limit = begun_is_known_ ? begun_ : now.begun;
        begun_ = now.begun;
        if (auto fault = notes_.take(new_lines(), log_, limit); !fault.empty())
            return fault;
        if (notes_.delivered() < now.done)
            return std::to_string(now.done) + " noted as done, " +
                   std::to_string(notes_.delivered()) + " were delivered";
        if (notes_.delivered() > now.begun)
            return std::to_string(now.begun) + " noted as begun, " +
                   std::to_string(notes_.delivered()) + " were delivered";
        return "";
    }

    /// A line that was torn is cut off, so that the next one has a beginning.
    std::vector<std::string> new_lines() {
        std::vector<std::string> lines;
        std::ifstream in(notes_file());
        in.seekg(static_cast<std::streamoff>(noted_));
        for (std::string line; std::getline(in, line) && !in.eof(); noted_ += line.size() + 1)
            lines.push_back(line);
        if (std::filesystem::exists(notes_file()))
            std::filesystem::resize_file(notes_file(), noted_);
        return lines;
    }

    // -- by a runtime ---------------------------------------------------------------------------------

    template <std::uint32_t Version>
    std::string run_check() {
        const int file =
            ::open(notes_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        auto rt = read_side::open<Version>(store(), file).value();
        auto fault = check_shelves<Version>(rt);
        if (fault.empty())
            fault = check_others(rt);
        const auto closed = rt.close();
        ::close(file);
        return fault.empty() && !closed ? closed.error().message : fault;
    }

    template <std::uint32_t Version>
    std::string check_shelves(runtime& rt) {
        // While the new version is built the old one answers, from where it stood.
        const auto serving = content_.of("shelves").serving;
        const auto since = serving.version == Version ? serving.since : 0;
        const auto first = rt.ask(read_side::all_shelves<Version>{}).get();
        if (!first)
            return "shelves: " + first.explanation();
        const bool of_old =
            serving.space != 0 && serving.version != Version &&
            first.position() == content_.checkpoint(serving).done &&
            *first == log_.shelves(serving.since, first.position(), serving.version);
        if (!of_old && *first != log_.shelves(since, first.position(), Version))
            return "shelves: the first answer, at " + std::to_string(first.position()) +
                   ", is not the fold of the log";
        for (const std::string name : {"shelves", "routes"})
            if (auto fault = settle(rt, name); !fault.empty())
                return fault;
        const auto last = rt.ask(read_side::all_shelves<Version>{}, at_the_head()).get();
        if (!last)
            return "shelves: " + last.explanation();
        if (last.position() != log_.head() || *last != log_.shelves(since, log_.head(), Version))
            return "shelves: the last answer is not the fold of the log";
        return "";
    }

    std::string check_others(runtime& rt) {
        const auto routes = rt.ask(read_side::all_routes{}, at_the_head()).get();
        if (!routes)
            return "routes: " + routes.explanation();
        if (*routes != log_.routes(content_.of("routes").serving.since, log_.head()))
            return "routes: the answer is not the fold of the log";
        const auto arrivals_since = content_.of("arrivals").serving.since;
        const auto early = rt.ask(read_side::all_arrivals{}).get();
        const auto arrivals = rt.ask(read_side::all_arrivals{}, at_the_head()).get();
        if (!early || !arrivals)
            return "arrivals: " + arrivals.explanation();
        if (*early != log_.arrivals(arrivals_since, early.position()) ||
            *arrivals != log_.arrivals(arrivals_since, log_.head()))
            return "arrivals: the answer is not the fold of the log";
        const auto reached = rt.projection("notes").reaches(log_.head(), patience).get();
        return reached ? "" : "notes: " + reached.explanation();
    }

    /// Waits until a view is not being built any more.
    static std::string settle(runtime& rt, const std::string& name) {
        const auto of = rt.projection(name);
        if (const auto asked = of.resume().get();
            !asked) // so it has begun what it finds half built
            return name + ": " + asked.explanation();
        const auto end = std::chrono::steady_clock::now() + patience;
        while (of.status().value().rebuilding) {
            if (std::chrono::steady_clock::now() > end)
                return name + ": the rebuild does not end";
            std::this_thread::yield();
        }
        return "";
    }
    [[nodiscard]] ask_options at_the_head() const { return {log_.head(), patience, {}}; }

    temporary_directory directory_;
    moved_log log_;
    noted_deliveries notes_;
    std::size_t noted_ = 0; ///< bytes of the notes that were read
    store_content content_;
    std::string leftovers_;
    log_position begun_ = 0; ///< of the reaction, when it was looked at last
    bool begun_is_known_ = true;
    bool found_half_built_ = false;
};

} // namespace

TEST_CASE("readers that are killed again and again are exact, and finish what they had begun") {
    constexpr int rounds = 100;
    constexpr auto enough_time = std::chrono::seconds(40);
    constexpr log_position long_log = 10'000;
    const auto seed = random_seed();
    std::printf("ANNALS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto begun = std::chrono::steady_clock::now();
    auto store = std::make_unique<killed_store>();
    int half_built = 0;
    int round = 0;
    std::size_t redelivered = 0;
    log_position events = 0;
    for (; round < rounds && std::chrono::steady_clock::now() < begun + enough_time; ++round) {
        const killing when = choose(random);
        const auto version = static_cast<std::uint32_t>(1 + random() % read_side::versions);
        INFO("round " << round << ", doing " << when.what << ", killed at \"" << when.moment
                      << "\" " << when.times << " and " << when.yields << " yields, version "
                      << version << ", head " << store->head());
        REQUIRE(store->run_and_kill(when, version, random()) == "");
        REQUIRE(store->find_fault(random() % 2 == 0 ? version
                                                    : read_side::version_after(version)) == "");
        half_built += store->found_half_built() ? 1 : 0;
        if (store->head() > long_log) {
            redelivered += store->redelivered();
            events += store->head();
            store = std::make_unique<killed_store>();
        }
    }
    std::printf("%d rounds, %d of them left a view half built; %zu redeliveries, %llu events\n",
                round, half_built, redelivered + store->redelivered(),
                static_cast<unsigned long long>(events + store->head()));
    REQUIRE(half_built > 0);
}
