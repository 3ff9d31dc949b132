#pragma once

#include "annals/uuid.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace annals {

/// What went wrong, for programs. The sentence for people is in `error::message`.
///
/// Five groups matter to a caller:
/// - nothing was stored and the same call may succeed later: `version_conflict`,
///   `predecessor_failed`, `overloaded`, `disk_full`, `aborted`, `deadline_exceeded`; and after
///   opening again: `unavailable`, `closed`;
/// - nothing was stored and repeating the call will not help: `too_large`, `invalid_argument`,
///   `unknown_command`, `unknown_query`, `handler_failed`, `would_deadlock`;
/// - it is not known whether it was stored: `outcome_unknown`. Repeat with the same command id,
///   which is `error::command_id`;
/// - it is stored: `version_out_of_reach`, to a command that was to wait for projections. Do not repeat;
/// - the call goes on, and only waiting for its answer was refused: `wait_refused`. Do not repeat.
enum class errc : std::uint8_t {
    version_conflict = 1, ///< the stream is not at the expected version; see `error::actual`
    predecessor_failed,   ///< decided on top of a commit that was not stored
    overloaded,           ///< a limit on queued work is reached; slow down and repeat
    closed,               ///< the runtime or journal is closing or closed
    deadline_exceeded, ///< a command: not started in time, so not stored; a query: the view was too busy;
                       ///< `close`: not everything was done in time
    outcome_unknown,  ///< may or may not be stored; repeat with the same command id
    aborted,          ///< dropped before it was decided; certainly not stored
    too_large,        ///< larger than a configured limit
    invalid_argument, ///< an argument breaks a documented precondition
    unknown_command,  ///< no hosted aggregate handles this command type
    unknown_query,    ///< no hosted view answers this query type
    unknown_event,    ///< a stored event has a name the reader does not know
    undecodable,      ///< a stored event's payload is not what its type says
    handler_failed,   ///< the host's own decide, evolve or answer threw
    would_deadlock,   ///< it would wait for the handler that calls it, so nothing of it was done
    version_out_of_reach, ///< a view did not reach the asked position in time; see `error::actual`
    disk_full,            ///< the disk, a quota or the store's maximum size is reached
    io_error,             ///< the operating system failed a read or write
    unavailable, ///< the store stopped after an error (open it again), or a projection (resume it)
    corrupt,     ///< stored bytes fail their checksum or their format
    not_a_store, ///< the path holds something that annals did not write
    incompatible_format,    ///< the store was written by another format version
    in_use,                 ///< another process, or this one, has the store open
    permission_denied,      ///< the operating system refuses access to the path
    unsupported_filesystem, ///< the path is on a file system that cannot hold a store safely
    after_fork,             ///< used in a child process; only the process that opened it may use it
    wait_refused, ///< `future::get` on a thread that must not block; what was asked goes on
};

/// The stable, lower-case name of `code`, as written in logs and JSON ("version_conflict").
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// An expected failure of the world: a code for programs and a sentence that says what to do.
struct error {
    errc code;
    std::string message;
    /// The stream's version for `version_conflict`; for `version_out_of_reach` the view's position, or,
    /// of a command that was to wait for projections, its own; the event's log position for `corrupt`,
    /// `undecodable` and `unknown_event`; otherwise 0.
    std::uint64_t actual = 0;
    /// Of a command that a runtime has taken: its id, whether the caller chose it or the runtime did.
    /// Send the command again with it, and it takes effect once. Otherwise nil.
    uuid command_id{};

    friend bool operator==(const error&, const error&) = default;
};

/// Thrown only by `result::value()` and `outcome::value()` on a value that is not there.
class bad_result : public std::runtime_error {
public:
    explicit bad_result(annals::error e)
        : std::runtime_error(std::string(to_string(e.code)) + ": " + e.message),
          error_(std::move(e)) {}
    [[nodiscard]] const annals::error& error() const noexcept { return error_; }

private:
    annals::error error_;
};

/// A value, or the error that kept it from being made.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    result(annals::error e) : state_(std::in_place_index<1>, std::move(e)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Precondition: has_value().
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T operator*() && { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    /// Precondition: !has_value().
    [[nodiscard]] const annals::error& error() const noexcept { return *std::get_if<1>(&state_); }

    /// The value, or throws `bad_result`.
    const T& value() const& {
        require();
        return **this;
    }
    /// By value, so that a loop over a temporary's value is over something that lives.
    T value() && {
        require();
        return *std::move(*this);
    }

private:
    void require() const {
        if (!has_value())
            throw bad_result(error());
    }
    std::variant<T, annals::error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() = default;
    result(annals::error e) : state_(std::move(e)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] const annals::error& error() const noexcept { return *std::get_if<1>(&state_); }
    void value() const {
        if (!has_value())
            throw bad_result(error());
    }

private:
    std::variant<std::monostate, annals::error> state_;
};

} // namespace annals
