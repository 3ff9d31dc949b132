#include "command_recall.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace annals {

namespace {

result<std::vector<recalled_command>> recall(const command_recall& what) {
    std::vector<recalled_command> found;
    stream_version next = ~stream_version{0};
    while (found.size() < what.window && next != 0) {
        const auto page = what.log->read_stream(what.aggregate->stream, next, what.page_events,
                                                direction::backward);
        if (!page)
            return page.error();
        if (page->events.empty())
            break;
        for (const stored_event& each : page->events) {
            if (!each.ends_commit || each.command_named)
                continue;
            found.push_back({each.command_id, each.version, each.fingerprint()});
            if (found.size() == what.window)
                break;
        }
        next = page->events.back().version - 1;
    }
    std::reverse(found.begin(), found.end());
    return found;
}

} // namespace

void command_recall::operator()() const {
    auto commands = std::make_shared<const result<std::vector<recalled_command>>>(recall(*this));
    caf::anon_send(to, recalled_message{number, std::move(commands)});
}

} // namespace annals
