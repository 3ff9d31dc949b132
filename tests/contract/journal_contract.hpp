#pragma once

// What every journal promises, as tests. An adapter's whole test is this:
//
//     struct journal_under_test {
//         std::shared_ptr<annals::journal> open();
//     };
//     #define ANNALS_JOURNAL_NAME "memory journal"
//     #include "contract/journal_contract.hpp"
//
// A new `journal_under_test` is an empty store. If the journal is durable, `open` is called again
// after it was closed, and finds what was stored.

#ifndef ANNALS_JOURNAL_NAME
#error "define ANNALS_JOURNAL_NAME, a string, before including the contract"
#endif

#define ANNALS_JOURNAL_PROMISE(text) TEST_CASE(ANNALS_JOURNAL_NAME ": " text, "[contract]")

#include "contract/identity_contract.hpp"

#include "contract/append_contract.hpp"

#include "contract/pipeline_contract.hpp"

#include "contract/read_contract.hpp"

#include "contract/subscribe_contract.hpp"

#include "contract/close_contract.hpp"
