// Posts entries to accounts and tells, line by line, which of them are stored. The kill test starts
// it and kills it.
//
//   ledger_program STORE CACHED_STREAMS ENTRIES LAST...
//
// LAST are the numbers of the last entries of each account that an earlier run has told about; this
// run goes on after them, and so repeats what was stored but not told. After ENTRIES entries for
// each account (0: never) it closes the store while the last of them are under way.
//
//   opening | opened | closing | closed
//   stored ACCOUNT NUMBER POSITION VERSION
//   error ...

#include "crash/ledger.hpp"

#include <deque>
#include <thread>

#include <unistd.h>

namespace {

/// One write(2) for each line, so that a line is told whole or not at all.
void tell(std::string line) {
    line += '\n';
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        std::_Exit(3);
}

struct entry {
    std::uint64_t account;
    std::uint64_t number;
    annals::future<annals::receipt> coming;
};

void tell_outcome(const entry& one) {
    const auto answer = one.coming.get();
    if (!answer) {
        tell("error account " + std::to_string(one.account) + ": " + answer.explanation());
        return;
    }
    tell("stored " + std::to_string(one.account) + ' ' + std::to_string(one.number) + ' ' +
         std::to_string(answer->position) + ' ' + std::to_string(answer->version));
}

/// Posts to its accounts in turn, always some entries ahead of what is stored.
void post_entries(annals::runtime& rt, std::uint64_t thread, std::vector<std::uint64_t> last,
                  std::uint64_t entries) {
    constexpr std::size_t ahead = 24;
    std::deque<entry> under_way;
    for (std::uint64_t round = 0; entries == 0 || round < entries; ++round)
        for (std::uint64_t i = 0; i < ledger::accounts_per_thread; ++i) {
            const std::uint64_t account = thread * ledger::accounts_per_thread + i;
            const std::uint64_t number = ++last[account];
            annals::send_options options;
            options.about.command_id = ledger::id_of(account, number);
            under_way.push_back(
                {account, number,
                 rt.send(ledger::account_id(account), ledger::post{number}, std::move(options))});
            while (under_way.size() > ahead) {
                tell_outcome(under_way.front());
                under_way.pop_front();
            }
        }
}

} // namespace

int main(int argc, char** argv) {
    constexpr std::uint64_t accounts = ledger::threads * ledger::accounts_per_thread;
    if (argc != static_cast<int>(4 + accounts))
        return 2;
    std::vector<std::uint64_t> last;
    for (int i = 4; i < argc; ++i)
        last.push_back(std::stoull(argv[i]));
    const std::uint64_t entries = std::stoull(argv[3]);

    tell("opening");
    auto opened =
        annals::runtime::open(ledger::settings(argv[1], std::stoull(argv[2])),
                              annals::host<ledger::account>, annals::host<ledger::totals>);
    if (!opened) {
        tell("error " + opened.error().message);
        return 1;
    }
    annals::runtime rt = *std::move(opened);
    tell("opened");
    {
        std::vector<std::jthread> hosts;
        for (std::uint64_t thread = 0; thread < ledger::threads; ++thread)
            hosts.emplace_back([&, thread] { post_entries(rt, thread, last, entries); });
    }
    tell("closing");
    const auto closed = rt.close();
    tell(closed ? "closed" : "error " + closed.error().message);
    return 0;
}
