#pragma once

// What a test says of a reaction's events, in a few words.

#include "reaction_process.hpp"

#include "stream_partition.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

using positions = std::vector<log_position>;

inline std::shared_ptr<projection_store> disk() {
    return make_memory_projection_store();
}

/// Events of one stream at these positions.
inline std::vector<logged_event> sold(const positions& at, const std::string& stream = "order-1") {
    std::vector<logged_event> made;
    for (const auto position : at)
        made.push_back({position, stream});
    return made;
}

inline positions range(log_position first, log_position last) {
    positions made;
    for (auto i = first; i <= last; ++i)
        made.push_back(i);
    return made;
}

inline positions sorted(positions some) {
    std::ranges::sort(some);
    return some;
}

/// A stream in each of two partitions.
inline std::pair<std::string, std::string> two_streams() {
    std::string other = "order-1";
    for (int i = 2; partition_of(other, 2) == partition_of("order-1", 2); ++i)
        other = "order-" + std::to_string(i);
    return {"order-1", other};
}

inline result<void> failing(const std::string& why = "the mail server is down") {
    return error{errc::handler_failed, why};
}

inline std::function<result<void>(log_position, const delivery_terms&)>
fails_at(std::set<log_position> which) {
    return [which = std::move(which)](log_position at, const delivery_terms&) {
        return which.contains(at) ? failing() : result<void>();
    };
}

} // namespace annals::test
