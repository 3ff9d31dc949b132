#pragma once

#include <cstddef>

namespace annals {

/// Whether the system gives this process `count` more threads at once. It tries that out: they are
/// started, and gone when this returns.
///
/// The actor framework does not survive a thread that cannot be started. Its scheduler keeps a
/// std::thread in each worker; those that run are never joined when a later one fails, which ends the
/// process, or they go on with a system that is destroyed below them. Where it fails after that, for
/// the printer or a detached actor, the system waits for ever for a thread that never was. There is no
/// way to hand it threads that were made before. So this is asked before it begins. What another
/// process of the same user starts in between is not seen.
[[nodiscard]] bool room_for_threads(std::size_t count);

} // namespace annals
