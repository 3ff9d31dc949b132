#pragma once

#include "annals/hosted.hpp"
#include "references.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

/// What the actors tell each other. These never leave the process, so none is serialisable.
namespace annals {

// To an aggregate.
struct command_message {
    command_ref command;
};
struct returned_message { ///< the journal did not store what this command decided
    command_ref command;
};
struct repeated_message { ///< what this command repeats is durable
    command_ref command;
};
struct settled_message {}; ///< everything appended before the recovery began is complete
/// A stretch of the aggregate's stream. Long streams are read by two readers at once, so the second
/// half may come first.
struct stretch_message {
    std::uint64_t reading = 0; ///< which reading it belongs to
    stream_version first = 0;
    std::shared_ptr<const result<event_page>> page;
    stream_version followed_by = 0; ///< where the stretch begins that is being read beside it, or 0
};
struct passivate_message {};

// To a projection.
struct page_message {
    std::shared_ptr<const result<event_page>> page;
};
struct wake_message {};
struct folded_message {};

// To a query actor.
struct slice_message {
    std::shared_ptr<const decoded_events> events;
};
struct projection_failed_message {
    std::shared_ptr<const error> why;
};
struct query_message {
    query_ref query;
};

} // namespace annals

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::command_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::returned_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::repeated_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::settled_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::page_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::stretch_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::passivate_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::wake_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::folded_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::slice_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::projection_failed_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::query_message)
