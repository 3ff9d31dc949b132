#pragma once

#include "annals/engine.hpp"

#include <memory>
#include <string>
#include <vector>

namespace annals {

/// Operates one projection: `rt.projection("demand").rebuild().get()`. Futures answer with the position
/// at which the projection then stands; errors: `invalid_argument` if there is none of this name,
/// `closed`, `aborted`, and what the store says. Cheap to copy, thread-safe; may outlive the runtime.
class projection_control {
public:
    class access;
    projection_control(std::shared_ptr<access> to, std::string name)
        : to_(std::move(to)),
          name_(std::move(name)) {}

    /// It takes no more events; answered when nothing is on its way any more, so after a handler that
    /// is running. A paused view goes on answering queries. It stays paused also across openings; a
    /// view in memory then answers from its saved copy or, without one, from an empty state. Called by
    /// code of this very projection (`evolve`, `answer`, `react`) it is `would_deadlock`, and does
    /// nothing: that code would wait for its own end. Let another thread call it.
    [[nodiscard]] future<log_position> pause() const;
    /// Goes on. A projection that has failed begins again at its checkpoint and tries the event again;
    /// one that waits to retry does so now.
    [[nodiscard]] future<log_position> resume() const;
    /// Begins anew with the first event after `position`, as if there had been none before. A view
    /// loses what it has and is behind for a while: see `rebuild`. A reaction does again what it did
    /// (flagged as redelivered), or, forwards, never does what it passes. Events set aside leave the
    /// list: those after `position` are met again, others never. A rebuild on its way is `aborted`.
    /// Answered when it begins anew, not when it has caught up. `invalid_argument` beyond the log's
    /// end.
    [[nodiscard]] future<log_position> reset(log_position position = 0) const;
    /// Builds a view again from the log, beside the one that answers; answered when the new one has
    /// caught up and has taken its place; while it is paused, that is after `resume`. A second call
    /// joins the first. If the new one fails, the answer is its error, and the old one goes on. Events
    /// that are set aside are tried again. A reaction is not rebuilt: `invalid_argument`.
    [[nodiscard]] future<log_position> rebuild() const;

    /// Events that were set aside, by position, at most `max` after `after`. Blocks on the disk.
    [[nodiscard]] result<std::vector<set_aside_event>> set_aside(log_position after = 0,
                                                                 std::size_t max = 1'000) const;
    /// Tries an event that was set aside again; answered when it has taken effect and has left the
    /// list. A stored view and a reaction take it behind what they have taken; a view in memory is
    /// rebuilt with it in its place. Called by code of this very projection: as `pause`.
    [[nodiscard]] future<log_position> replay(log_position position) const;
    /// Takes an event from the list for good. Not for views in memory, which meet it in the log.
    [[nodiscard]] future<log_position> give_up(log_position position) const;

    /// Answered when everything up to `position` has taken effect: `version_out_of_reach` if not in
    /// time. Called by code of this very projection it is `would_deadlock`.
    [[nodiscard]] future<log_position>
    reaches(log_position position,
            std::chrono::milliseconds timeout = std::chrono::seconds(30)) const;

    [[nodiscard]] result<projection_status> status() const;
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    [[nodiscard]] future<log_position> send(control_request::action what, log_position at) const;

    std::shared_ptr<access> to_;
    std::string name_;
};

} // namespace annals
