#include "admission.hpp"

#include <algorithm>

namespace annals {

error closed_error() {
    return {errc::closed,
            "the runtime is closed; this request stored nothing. Open it again to go on"};
}

namespace {

/// Waiting for answers does not help: it is refused on an idle engine, too.
error never_fits(std::size_t charge, std::size_t most) {
    return {errc::too_large, "the command holds " + std::to_string(charge) +
                                 " bytes, and all commands in flight together may hold " +
                                 std::to_string(most) +
                                 "; make it smaller or raise "
                                 "engine_limits::max_command_bytes_in_flight"};
}

} // namespace

std::optional<error> admission::admit_command(std::size_t charge) {
    // Counted first and checked after, so that a closing engine sees either the count or nobody.
    const auto commands = commands_.fetch_add(1) + 1;
    const auto held = bytes_.fetch_add(charge) + charge;
    std::optional<error> refused;
    if (closed())
        refused = closed_error();
    else if (charge > limits_.max_command_bytes_in_flight)
        refused = never_fits(charge, limits_.max_command_bytes_in_flight);
    else if (commands > limits_.max_commands_in_flight)
        refused = error{errc::overloaded,
                        "more than " + std::to_string(limits_.max_commands_in_flight) +
                            " commands are in flight; wait for answers before sending more"};
    else if (held > limits_.max_command_bytes_in_flight)
        refused = error{errc::overloaded, "commands in flight hold more than " +
                                              std::to_string(limits_.max_command_bytes_in_flight) +
                                              " bytes; wait for answers before sending more"};
    if (refused) {
        release_bytes(charge);
        release_command();
    }
    return refused;
}

void admission::release_command() noexcept {
    if (commands_.fetch_sub(1) == 1)
        signal_if_idle();
}

std::optional<error> admission::admit_query() {
    const auto queries = queries_.fetch_add(1) + 1;
    std::optional<error> refused;
    if (closed())
        refused = closed_error();
    else if (queries > limits_.max_queries_in_flight)
        refused = error{errc::overloaded,
                        "more than " + std::to_string(limits_.max_queries_in_flight) +
                            " queries are in flight; wait for answers before asking more"};
    if (refused)
        release_query();
    return refused;
}

void admission::release_query() noexcept {
    if (queries_.fetch_sub(1) == 1)
        signal_if_idle();
}

std::optional<error> admission::admit_order() {
    ++orders_;
    if (!closed())
        return std::nullopt;
    release_order();
    return closed_error();
}

void admission::release_order() noexcept {
    if (--orders_ == 0)
        signal_if_idle();
}

void admission::signal_if_idle() noexcept {
    if (!someone_waits_.load())
        return;
    std::lock_guard lock(mutex_);
    idle_.notify_all();
}

bool admission::wait_idle(std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    someone_waits_.store(true);
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
    return idle_.wait_for(lock, std::min(timeout, century), [this] { return idle(); });
}

} // namespace annals
