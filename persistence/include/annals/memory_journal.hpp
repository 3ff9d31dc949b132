#pragma once

#include "annals/journal.hpp"

namespace annals {

/// A journal in this process's memory, for tests and for hosts that want no disk. It keeps the whole
/// contract except durability. It has no thread of its own: an append completes inside `append`, on
/// the caller's thread. Only while another completion is running, on another thread or further up
/// this one's stack, `append` returns first and that thread completes it next.
[[nodiscard]] std::shared_ptr<journal> make_memory_journal(std::size_t max_event_bytes = 1 << 20);

} // namespace annals
