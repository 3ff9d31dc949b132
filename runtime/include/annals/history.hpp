#pragma once

#include "annals/runtime.hpp"

#include <string>

namespace annals {

template <aggregate A>
result<std::optional<A>> state_at(const journal& log, std::string_view id, stream_version last,
                                  timestamp until) {
    constexpr std::size_t page_events = 1'000;
    const std::string stream = std::string(A::name) + "-" + std::string(id);
    hosting::typed_aggregate<A> folded;
    stream_version reached = 0;
    for (bool more = true; more;) {
        auto page = log.read_stream(stream, reached + 1, page_events);
        if (!page)
            return page.error();
        more = !page->at_end && !page->events.empty();
        for (const auto& happened : page->events) {
            if (happened.version > last || happened.time > until) {
                more = false;
                break;
            }
            if (auto done = folded.apply(happened); !done)
                return done.error();
            reached = happened.version;
        }
    }
    if (reached == 0)
        return std::optional<A>();
    return std::optional<A>(folded.state());
}

} // namespace annals
