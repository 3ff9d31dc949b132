#pragma once

#include <cstddef>

namespace annals {

/// What the system gives this process.
enum class room {
    enough,
    no_address_space, ///< not for the maps
    too_few_threads   ///< beside the maps
};

/// Whether the system gives this process `threads` more threads at once, beside maps of `mapped_bytes`,
/// as the stores will have them. It tries that out: the threads are started, the maps made, and both
/// gone when this returns. A thread takes address space, too: for its stack, and for what it allocates.
///
/// The actor framework does not survive a thread that cannot be started. Its scheduler keeps a
/// std::thread in each worker; those that run are never joined when a later one fails, which ends the
/// process, or they go on with a system that is destroyed below them. Where it fails after that, for
/// the printer or a detached actor, the system waits for ever for a thread that never was. There is no
/// way to hand it threads that were made before. So this is asked before it begins. What another
/// process of the same user starts in between is not seen.
[[nodiscard]] room look_for_room(std::size_t threads, std::size_t mapped_bytes);

} // namespace annals
