#include "annals/projection_store.hpp"

namespace {

struct projection_store_under_test {
    std::shared_ptr<annals::projection_store> open() {
        return annals::make_memory_projection_store();
    }
};

} // namespace

#define ANNALS_PROJECTION_STORE_NAME "memory projection store"
#include "contract/projection_store_contract.hpp"
