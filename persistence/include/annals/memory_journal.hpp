#pragma once

#include "annals/journal.hpp"

namespace annals {

/// A journal in this process's memory, for tests and for hosts that want no disk. It keeps the whole
/// contract except durability. Appends complete inside `append`, on the caller's thread.
[[nodiscard]] std::shared_ptr<journal> make_memory_journal(std::size_t max_event_bytes = 1 << 20);

} // namespace annals
