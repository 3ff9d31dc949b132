#pragma once

// What every projection store promises, as tests. An implementation's whole test is this:
//
//     struct projection_store_under_test {
//         std::shared_ptr<annals::projection_store> open();
//     };
//     #define ANNALS_PROJECTION_STORE_NAME "memory projection store"
//     #include "contract/projection_store_contract.hpp"
//
// A new `projection_store_under_test` is an empty store. If it is durable, `open` is called again
// after it was closed, and finds what was applied.

#ifndef ANNALS_PROJECTION_STORE_NAME
#error "define ANNALS_PROJECTION_STORE_NAME, a string, before including the contract"
#endif

#define ANNALS_PROJECTION_STORE_PROMISE(text)                                                      \
    TEST_CASE(ANNALS_PROJECTION_STORE_NAME ": " text, "[contract]")

#include "contract/row_contract.hpp"

#include "contract/space_contract.hpp"

#include "contract/apply_contract.hpp"

#include "contract/row_model_contract.hpp"
