#include "annals/lmdb_journal.hpp"
#include "support/temporary_directory.hpp"

namespace {

struct journal_under_test {
    annals::test::temporary_directory directory;

    std::shared_ptr<annals::journal> open() {
        // Little address space and few cached heads: small enough for sanitizers, and the heads
        // are written and evicted within the tests.
        return annals::open_lmdb_journal(directory.path(), {.max_store_bytes = std::size_t{1} << 30,
                                                            .cached_streams = 16})
            .value();
    }
};

} // namespace

#define ANNALS_JOURNAL_NAME "LMDB journal"
#include "contract/journal_contract.hpp"
