#include "annals/error.hpp"

namespace annals {

std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::version_conflict:
        return "version_conflict";
    case errc::predecessor_failed:
        return "predecessor_failed";
    case errc::overloaded:
        return "overloaded";
    case errc::closed:
        return "closed";
    case errc::deadline_exceeded:
        return "deadline_exceeded";
    case errc::outcome_unknown:
        return "outcome_unknown";
    case errc::aborted:
        return "aborted";
    case errc::too_large:
        return "too_large";
    case errc::invalid_argument:
        return "invalid_argument";
    case errc::unknown_command:
        return "unknown_command";
    case errc::unknown_query:
        return "unknown_query";
    case errc::unknown_event:
        return "unknown_event";
    case errc::undecodable:
        return "undecodable";
    case errc::handler_failed:
        return "handler_failed";
    case errc::would_deadlock:
        return "would_deadlock";
    case errc::version_out_of_reach:
        return "version_out_of_reach";
    case errc::disk_full:
        return "disk_full";
    case errc::io_error:
        return "io_error";
    case errc::unavailable:
        return "unavailable";
    case errc::corrupt:
        return "corrupt";
    case errc::not_a_store:
        return "not_a_store";
    case errc::incompatible_format:
        return "incompatible_format";
    case errc::in_use:
        return "in_use";
    case errc::permission_denied:
        return "permission_denied";
    case errc::unsupported_filesystem:
        return "unsupported_filesystem";
    case errc::after_fork:
        return "after_fork";
    case errc::wait_refused:
        return "wait_refused";
    }
    return "unknown_error";
}

} // namespace annals
