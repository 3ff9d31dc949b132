#include "annals/projection_store.hpp"
#include "support/temporary_directory.hpp"

namespace {

struct projection_store_under_test {
    annals::test::temporary_directory directory;

    std::shared_ptr<annals::projection_store> open() {
        // Little address space: small enough for sanitizers.
        return annals::open_lmdb_projection_store(directory.path(),
                                                  annals::uuid::of_name("the log"),
                                                  {.max_store_bytes = std::size_t{1} << 30})
            .value();
    }
};

} // namespace

#define ANNALS_PROJECTION_STORE_NAME "LMDB projection store"
#include "contract/projection_store_contract.hpp"
