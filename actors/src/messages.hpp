#pragma once

#include "control_duty.hpp"
#include "feed.hpp"
#include "joint_meeting.hpp"
#include "lane_start.hpp"
#include "progress_wait.hpp"
#include "references.hpp"
#include "remembered_commands.hpp"
#include "sink.hpp"

#include "annals/hosted.hpp"
#include "annals/live.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

/// What the actors tell each other. These never leave the process, so none is serialisable.
namespace annals {

// To an aggregate.
struct command_message {
    /// The one receiver takes it out: whoever has decided it is the last that holds it.
    mutable command_ref command;
};
struct returned_message { ///< the journal did not store what this command decided
    command_ref command;
};
struct repeated_message { ///< what this command repeats is durable
    command_ref command;
};
struct settled_message { ///< everything appended before this barrier is complete
    std::uint64_t barrier = 0;
};
/// The ids that annals gave to stored commands, oldest first.
struct recalled_message {
    std::uint64_t reading = 0;
    std::shared_ptr<const result<std::vector<recalled_command>>> commands;
};
/// A stretch of the aggregate's stream. Long streams are read by two readers at once, so the second
/// half may come first.
struct stretch_message {
    std::uint64_t reading = 0; ///< which reading it belongs to
    stream_version first = 0;
    std::shared_ptr<const result<event_page>> page;
    stream_version followed_by = 0; ///< where the stretch begins that is being read beside it, or 0
};
struct passivate_message {};
struct rested_message {}; ///< it has no work, and there are too many aggregates

// To a projection. `lane` says for which generation of the projection.
struct fed_message {
    std::uint64_t lane = 0;
    std::uint64_t feed = 0; ///< which of the lane's feeds, one after the other
    std::shared_ptr<const result<fed_events>> came;
};
struct report_message {
    std::uint64_t lane = 0;
    sink_report report;
};
struct opened_message { ///< where the lane begins was read
    std::uint64_t lane = 0;
    std::uint64_t opening = 0;
    std::shared_ptr<result<lane_start>> start;
};
struct retry_message {
    std::uint64_t lane = 0;
    std::uint64_t timer = 0;
};
struct set_aside_message { ///< an event is in the list, or could not be put there
    std::uint64_t lane = 0;
    std::uint64_t epoch = 0;
    log_position position = 0;
    result<void> stored;
};
struct control_message {
    std::shared_ptr<control_duty> duty;
};
struct stored_message { ///< a change of the catalog is durable, or has failed
    std::function<void(result<void>)> then;
    result<void> stored;
};
struct swapped_message { ///< this lane answers queries from now on
    std::uint64_t lane = 0;
};
struct damaged_message { ///< rows of this space are not what they were
    row_space space = 0;
    error why;
};
struct swap_again_message {}; ///< the store had refused; it may not now
struct replay_message {       ///< an event that had been set aside was read
    std::shared_ptr<control_duty> duty;
    bool listed = true; ///< as the catalog says
    std::shared_ptr<const result<fed_events>> came;
};

// To a query actor.
struct install_message { ///< a lane begins, or begins again, with this state
    std::uint64_t lane = 0;
    std::shared_ptr<std::unique_ptr<view_instance>> state;
    log_position position = 0;
    std::uint64_t epoch = 0; ///< slices up to this epoch are not for this state
    bool serves = false;
    bool from_scratch = false; ///< after a reset: answers may be older than those before
    log_position saved = 0;    ///< where its saved copy stands
    log_position since = 0;    ///< it reflects only what came after
    std::uint64_t era = 0;     ///< in which it may be saved; see projection_book
    std::shared_ptr<const slice_marks> marks; ///< of the slices to come
};
struct slice_message {
    std::uint64_t lane = 0;
    slice what;
};
struct swap_message { ///< as soon as that lane is where the serving one is, it takes its place
    std::uint64_t lane = 0;
    std::uint64_t era = 0; ///< in which it may be saved, and what it reflects
    log_position since = 0;
};
struct copies_message { ///< what serves is saved again, in this era
    std::uint64_t era = 0;
    log_position since = 0;
};
struct drop_message { ///< that lane is not wanted any more
    std::uint64_t lane = 0;
};
struct projection_failed_message {
    std::shared_ptr<const error> why;
};
struct projection_resumed_message {};
struct advanced_message { ///< the rows that serve have reached this position
    log_position position = 0;
};
struct query_message {
    query_ref query;
};
struct live_message {
    std::shared_ptr<live_request> query; ///< dropping the last copy ends it with `closed`
};
struct looked_message { ///< live queries have seen the rows, or could not
    result<void> how;
};
struct publish_message {};
struct joint_message { ///< say where you are, and go on
    std::shared_ptr<joint_call> call;
};
struct go_on_message {}; ///< a joint query knows where its views meet

// To the actor that keeps those who wait for projections.
struct wait_message {
    std::shared_ptr<progress_wait> what; ///< dropping the last copy answers `closed`
};
struct reached_message { ///< the position that it was asked to tell
    std::shared_ptr<projection_gauge> gauge;
};
struct waits_due_message {}; ///< a deadline has passed

} // namespace annals

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::command_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::returned_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::repeated_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::settled_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::recalled_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::stretch_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::passivate_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::rested_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::fed_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::report_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::opened_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::retry_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::set_aside_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::control_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::stored_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::swapped_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::damaged_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::swap_again_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::replay_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::install_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::slice_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::swap_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::copies_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::drop_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::projection_failed_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::projection_resumed_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::advanced_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::query_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::live_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::looked_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::publish_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::joint_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::go_on_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::wait_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::reached_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::waits_due_message)
