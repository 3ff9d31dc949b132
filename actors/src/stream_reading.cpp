#include "stream_reading.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace annals {

void stream_reading::operator()() const {
    const stream_version newest = newest_version();
    const stream_version last = std::min(newest, from + limits.page_events - 1);
    if (newest < from || last - from + 1 < std::max<std::size_t>(limits.split_reads_from, 2)) {
        read(from, limits.page_events, 0);
        return;
    }
    const stream_version middle = from + (last - from) / 2;
    readers->post([*this, middle, last] { read(middle + 1, last - middle, 0); });
    read(from, middle - from + 1, middle + 1);
}

stream_version stream_reading::newest_version() const {
    const auto page =
        log->read_stream(aggregate->stream, ~stream_version{0}, 1, direction::backward);
    return page && !page->events.empty() ? page->events.front().version : 0;
}

void stream_reading::read(stream_version first, std::size_t count,
                          stream_version followed_by) const {
    auto page = std::make_shared<const result<event_page>>(
        log->read_stream(aggregate->stream, first, count));
    caf::anon_send(to, stretch_message{number, first, std::move(page), followed_by});
}

} // namespace annals
