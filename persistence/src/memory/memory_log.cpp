#include "memory/memory_log.hpp"

#include "codec/metadata_codec.hpp"
#include "journal/commit_check.hpp"

#include <algorithm>
#include <cstring>

namespace annals {

namespace {

/// Events looked at for one page, so that a rare filter does not hold the lock for long.
constexpr std::size_t most_looks = 16'384;

} // namespace

bytes_view memory_log::arena::keep(bytes_view value) {
    constexpr std::size_t block_bytes = std::size_t{256} << 10;
    if (value.empty())
        return {};
    if (value.size() > free_) {
        const std::size_t size = std::max(block_bytes, value.size());
        blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
        next_ = blocks_.back().get();
        free_ = size;
    }
    std::memcpy(next_, value.data(), value.size());
    const bytes_view kept{next_, value.size()};
    next_ += value.size();
    free_ -= value.size();
    return kept;
}

const memory_log::stream_positions&
memory_log::positions_of(std::string_view stream) const noexcept {
    static const stream_positions none;
    const auto found = streams_.find(stream);
    return found == streams_.end() ? none : found->second;
}

std::string_view memory_log::interned(std::string_view type) {
    const auto found = types_.find(type);
    return found == types_.end() ? *types_.emplace(type).first : *found;
}

stream_version memory_log::version_of(std::string_view stream) const noexcept {
    return positions_of(stream).size();
}

stream_info memory_log::describe(std::string_view stream) const noexcept {
    const auto& positions = positions_of(stream);
    if (positions.empty())
        return {};
    return {.version = positions.size(),
            .first_position = positions.front(),
            .last_position = positions.back(),
            .first_time = at(positions.front()).time,
            .last_time = at(positions.back()).time};
}

append_receipt memory_log::store(const commit& candidate) {
    auto found = streams_.find(candidate.stream);
    if (found == streams_.end())
        found = streams_.try_emplace(std::string(candidate.stream)).first;
    auto& [stream, positions] = *found;
    scratch_.clear();
    encode_more_metadata(*candidate.about, scratch_, candidate.fingerprint);
    const bytes_view more = memory_.keep(scratch_);
    for (const auto& event : candidate.events) {
        positions.push_back(head() + 1);
        events_.push_back({.position = head() + 1,
                           .version = positions.size(),
                           .stream = stream,
                           .type = interned(event.type),
                           .payload = memory_.keep(event.payload),
                           .time = candidate.about->time,
                           .command_id = candidate.about->command_id,
                           .command_named = candidate.command_named,
                           .ends_commit = &event == &candidate.events.back(),
                           .more_metadata = more});
    }
    return {.position = head(), .version = positions.size()};
}

append_result memory_log::find_commit(const commit& candidate) const {
    const auto& positions = positions_of(candidate.stream);
    const stream_version version = candidate.expected.version();
    if (version >= positions.size() ||
        at(positions[version]).command_id != candidate.about->command_id)
        return version_conflict(candidate, positions.size());
    // A commit begins where another ended; in the middle of one the command did not expect this.
    if (version > 0 && !at(positions[version - 1]).ends_commit)
        return version_conflict(candidate, positions.size());
    commit_comparison same(candidate);
    stream_version last = version;
    while (same.takes(at(positions[last])) && !at(positions[last]).ends_commit)
        ++last;
    if (!same.holds())
        return other_commit(candidate, positions.size());
    return append_receipt{.position = positions[last], .version = last + 1, .already_stored = true};
}

event_page memory_log::read_stream(std::string_view stream, stream_version from, std::size_t max,
                                   direction way) const {
    const auto& positions = positions_of(stream);
    const bool forward = way == direction::forward;
    // Versions still to read, in (0, size]: `next` upwards to size, or downwards to 1.
    stream_version next = forward ? std::max<stream_version>(from, 1)
                                  : std::min<stream_version>(from, positions.size());
    const auto left = [&] { return forward ? next <= positions.size() : next >= 1; };
    event_page page;
    for (; left() && page.events.size() < max; forward ? ++next : --next) {
        page.events.push_back(at(positions[next - 1]));
        page.through = page.events.back().position;
    }
    page.at_end = !left();
    return page;
}

event_page memory_log::read_all(log_position after, std::size_t max,
                                const event_filter& filter) const {
    event_page page;
    page.through = after;
    for (std::size_t looks = 0;
         page.through < head() && page.events.size() < max && looks < most_looks; ++looks) {
        const auto& event = at(++page.through);
        if (filter.matches(event.stream, event.type))
            page.events.push_back(event);
    }
    page.at_end = page.through >= head();
    return page;
}

} // namespace annals
