#include "annals/hosted.hpp"

namespace annals {

result<void> encoded_events::check(const limits& within) const {
    for (const entry& each : entries_)
        if (each.size > within.event_bytes)
            return error{errc::too_large, "an event of " + std::to_string(each.size) + " bytes (" +
                                              std::string(each.type) + "); the journal takes " +
                                              std::to_string(within.event_bytes) +
                                              "; split it, or raise the store's max_event_bytes"};
    if (buffer_.size() > within.commit_bytes)
        return error{errc::too_large, "a commit of " + std::to_string(buffer_.size()) +
                                          " bytes; the journal takes " +
                                          std::to_string(within.commit_bytes) +
                                          "; split it, or raise the store's max_batch_bytes"};
    return {};
}

} // namespace annals
