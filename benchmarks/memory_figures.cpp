#include "account.hpp"
#include "command_load.hpp"
#include "figures.hpp"
#include "journal_load.hpp"
#include "scratch.hpp"
#include "text.hpp"

#include <annals/runtime.hpp>

#include <malloc.h>
#include <unordered_map>

namespace bench {

namespace {

/// Bytes handed out by malloc, in all arenas and mappings.
double allocated_bytes() {
    const struct mallinfo2 now = ::mallinfo2();
    return static_cast<double>(now.uordblks + now.hblkhd);
}

double bytes_per_plain_account(const std::vector<std::string>& ids) {
    const double before = allocated_bytes();
    std::unordered_map<std::string, account> accounts;
    for (const auto& id : ids)
        accounts[id].payments = 1;
    return (allocated_bytes() - before) / static_cast<double>(accounts.size());
}

} // namespace

figure idle_aggregate(const setting& how) {
    const std::size_t accounts = how.pick(100'000, 1'000);
    const auto ids = account_ids(accounts);
    const scratch place(how.directory, "idle");
    make_store(place.path(), accounts, accounts);
    auto rt = annals::runtime::open(place.path(), annals::host<account>).value();

    const double before = allocated_bytes();
    {
        command_load load(rt, 1'024);
        for (const auto& id : ids)
            load.send(id, touch{});
        load.harvest_all();
    }
    const double loaded = allocated_bytes();
    const auto resident = rt.status().resident_aggregates;
    if (resident != accounts)
        throw std::runtime_error(text(resident, " accounts are in memory, not ", accounts));
    (void)rt.close();

    figure made{.name = "idle_aggregate",
                .unit = "bytes",
                .baseline = "std::unordered_map<std::string, account>, bytes each"};
    made.value = (loaded - before) / static_cast<double>(accounts);
    made.baseline_value = bytes_per_plain_account(ids);
    made.goals = {how.at_most("<= 2,500 bytes", *made.value, 2'500)};
    made.notes = text("runtime, default configuration, ", grouped(accounts),
                      " accounts of one event, loaded by a command that decides nothing, all "
                      "answered; state of ",
                      sizeof(account),
                      " bytes; growth of what malloc has handed out (mallinfo2), which includes "
                      "what the journal remembers of their streams");
    return made;
}

} // namespace bench
