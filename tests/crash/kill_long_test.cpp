#include "crash/child_process.hpp"
#include "crash/ledger.hpp"
#include "support/places.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdio>
#include <random>
#include <sstream>
#include <thread>

/// A program is killed again and again, at any moment. What it told to be stored is there, once, in
/// its order; what it did not tell is there whole or not at all, and can be sent again.

using namespace annals;
using namespace annals::test;

namespace {

constexpr std::size_t accounts = ledger::threads * ledger::accounts_per_thread;

struct place {
    log_position position = 0;
    stream_version version = 0;
    friend bool operator==(const place&, const place&) = default;
};

/// Where the entries of each account are: the first at [0].
using entries = std::array<std::vector<place>, accounts>;

/// What the program has told, kept where no crash reaches it.
class told_entries {
public:
    /// False for a line that must not be.
    bool take(const std::string& line) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word != "stored")
            return word == "opening" || word == "opened" || word == "closing" || word == "closed";
        std::size_t account = 0;
        std::uint64_t number = 0;
        place where;
        words >> account >> number >> where.position >> where.version;
        auto& of_account = told_.at(account);
        // One thread sends and tells the entries of one account, so they come in their order.
        if (number != of_account.size() + 1)
            return false;
        of_account.push_back(where);
        ++count_;
        return true;
    }
    [[nodiscard]] const entries& all() const noexcept { return told_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    entries told_;
    std::size_t count_ = 0;
};

/// Reads the log and checks all that must be true of it by itself. Empty text: nothing wrong.
std::string find_fault(const journal& log, entries& found) {
    std::array<stream_version, accounts> versions{};
    log_position at = 0;
    ledger::part_posted before{0, 0, 0};
    std::size_t account_before = 0;
    for (bool more = true; more;) {
        const auto page = log.read_all(at, 1'000).value();
        for (const auto& event : page.events) {
            const std::string where = "position " + std::to_string(event.position) + ": ";
            if (event.position != ++at)
                return where + "expected " + std::to_string(at);
            const auto account = std::stoul(std::string(event.stream.substr(9))); // account-a
            if (event.version != ++versions.at(account))
                return where + "a gap in the versions";
            const auto posted = from_bytes<ledger::part_posted>(event.payload).value();
            const bool goes_on = before.part != before.parts;
            if (goes_on && (account != account_before || posted.number != before.number ||
                            posted.part != before.part + 1))
                return where + "the commit before it is not whole";
            if (!goes_on && (posted.part != 1 || posted.number != found[account].size() + 1))
                return where + "an entry is lost, doubled or overtaken";
            const bool last = posted.part == posted.parts;
            if (posted.parts != ledger::parts_of(posted.number) || event.ends_commit != last)
                return where + "the end of the commit is elsewhere";
            if (event.command_id != ledger::id_of(account, posted.number) || !event.command_named)
                return where + "another command's id";
            if (last)
                found[account].push_back({event.position, event.version});
            before = posted;
            account_before = account;
        }
        more = !page.at_end;
    }
    if (before.part != before.parts)
        return "the last commit is not whole";
    return at == log.head() ? "" : "the head is not where the log ends";
}

/// Opens what is left, and compares it with what was told.
std::string find_fault(const std::filesystem::path& directory, const told_entries& told) {
    auto rt =
        runtime::open(ledger::settings(directory, 16), host<ledger::account>, host<ledger::totals>)
            .value();
    entries found;
    if (auto fault = find_fault(rt.journal(), found); !fault.empty())
        return fault;
    for (std::size_t account = 0; account < accounts; ++account) {
        const auto& was_told = told.all()[account];
        const auto& is_there = found[account];
        if (is_there.size() < was_told.size())
            return "account " + std::to_string(account) + " lost entries";
        if (!std::equal(was_told.begin(), was_told.end(), is_there.begin()))
            return "account " + std::to_string(account) + " has an entry elsewhere than told";
    }
    const auto view = rt.ask(ledger::all_totals{}, {rt.journal().head(), {}}).get().value();
    std::map<std::string, std::uint64_t> expected;
    for (std::size_t account = 0; account < accounts; ++account)
        if (!found[account].empty())
            expected[ledger::account_id(account)] = found[account].back().version;
    if (view != expected)
        return "the view is not the fold of the log";
    return rt.close() ? "" : "it does not close";
}

struct killing {
    std::string moment;        ///< the line after which to kill; "stored" stands for `lines`
    std::size_t lines = 0;     ///< this many entries told
    std::uint64_t entries = 0; ///< for each account, before the program closes; 0: never
    std::uint64_t yields = 0;  ///< and then so often letting others run first
    std::size_t cached_streams = 16;
};

killing choose(std::mt19937_64& random) {
    const auto any = [&](std::uint64_t from, std::uint64_t to) {
        return std::uniform_int_distribution<std::uint64_t>(from, to)(random);
    };
    killing next;
    next.cached_streams = any(0, 1) == 0 ? 1 : 1'000;
    next.yields = any(0, 1) * any(0, 2'000);
    switch (any(0, 7)) {
    case 0:
        next.moment = "opening";
        break;
    case 1:
        next.moment = "opened";
        break;
    case 2:
        next.moment = "closing";
        next.entries = any(1, 40);
        break;
    default:
        next.moment = "stored";
        next.lines = any(1, 600);
    }
    return next;
}

/// Runs the program until it is killed, and takes down what it tells. False: it told of an error.
bool run_and_kill(const std::filesystem::path& directory, const killing& when, told_entries& told) {
    std::vector<std::string> command{(test_program_directory() / "ledger_program").string(),
                                     directory.string(), std::to_string(when.cached_streams),
                                     std::to_string(when.entries)};
    for (const auto& of_account : told.all())
        command.push_back(std::to_string(of_account.size()));
    child_process program(std::move(command));
    if (!program.started())
        return false;
    bool killed = false;
    const std::size_t enough = told.count() + when.lines;
    while (auto line = program.next_line()) {
        if (!told.take(*line)) {
            UNSCOPED_INFO("the program told: " << *line);
            return false; // and the program ends with its handle
        }
        if (!killed && (when.moment == "stored" ? told.count() >= enough : *line == when.moment)) {
            for (std::uint64_t i = 0; i < when.yields; ++i)
                std::this_thread::yield();
            program.kill();
            killed = true;
        }
    }
    return killed;
}

} // namespace

TEST_CASE("a program that is killed again and again loses nothing and doubles nothing") {
    constexpr int rounds = 200;
    const auto seed = random_seed();
    std::printf("ANNALS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    const auto store = directory.path() / "ledger.db";
    told_entries told;
    for (int round = 0; round < rounds; ++round) {
        const killing when = choose(random);
        INFO("round " << round << ", killed at " << when.moment << " " << when.lines);
        REQUIRE(run_and_kill(store, when, told));
        REQUIRE(find_fault(store, told) == "");
    }
    REQUIRE(told.count() > rounds);
    const auto report = verify_store(store, ledger::settings(store, 16).store);
    REQUIRE((report ? "" : report.error().message) == "");
    REQUIRE(report->streams == accounts);
}
