#pragma once

#include "annals/lmdb_journal.hpp"

#include <functional>

namespace annals::lmdb {

/// Runs `body` in a forked child and returns what it returned, or `corrupt` if the child did not come
/// to an end: whatever damaged pages make of LMDB then, this process lives on. `body` opens what it
/// needs by itself, takes no lock that another thread may hold, and starts no thread. No destructor
/// runs in the child that `body` does not run, and the host's handlers at exit do not run either.
[[nodiscard]] result<store_report>
in_separate_process(const std::function<result<store_report>()>& body);

} // namespace annals::lmdb
