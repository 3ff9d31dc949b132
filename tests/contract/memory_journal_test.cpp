#include "annals/memory_journal.hpp"

namespace {

struct journal_under_test {
    std::shared_ptr<annals::journal> open() { return annals::make_memory_journal(); }
};

} // namespace

#define ANNALS_JOURNAL_NAME "memory journal"
#include "contract/journal_contract.hpp"
