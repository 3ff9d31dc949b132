#include "lmdb/journal/page_builder.hpp"

#include <algorithm>
#include <cstring>

namespace annals::lmdb {
namespace {

/// What `view` is of `from`, of the copy `to`.
template <class View>
View moved(View view, bytes_view from, const std::byte* to) noexcept {
    const auto* const begin = reinterpret_cast<const std::byte*>(view.data());
    using element = typename View::value_type;
    return View(reinterpret_cast<const element*>(to + (begin - from.data())), view.size());
}

/// The event of `found`, whose bytes were copied to `to`.
stored_event moved_event(const stored_record& found, const std::byte* to) noexcept {
    auto event = found.event.as_event();
    event.stream = moved(event.stream, found.bytes, to);
    event.type = moved(event.type, found.bytes, to);
    event.payload = moved(event.payload, found.bytes, to);
    event.more_metadata = moved(event.more_metadata, found.bytes, to);
    return event;
}

} // namespace

void page_builder::keep() {
    if (noted_.empty())
        return;
    memory_.push_back(std::make_unique_for_overwrite<std::byte[]>(noted_bytes_));
    page_.events.reserve(page_.events.size() + noted_.size());
    auto* to = memory_.back().get();
    for (const auto& found : noted_) {
        std::memcpy(to, found.bytes.data(), found.bytes.size());
        page_.events.push_back(moved_event(found, to));
        to += found.bytes.size();
    }
    kept_bytes_ += noted_bytes_;
    drop();
}

std::size_t page_builder::keep_backwards(std::size_t max_bytes) {
    std::ranges::reverse(noted_);
    while (noted_.size() > 1 && size_bytes() > max_bytes) {
        noted_bytes_ -= noted_.back().bytes.size();
        noted_.pop_back();
    }
    const auto count = noted_.size();
    keep();
    return count;
}

void page_builder::drop() noexcept {
    noted_.clear();
    noted_bytes_ = 0;
}

event_page page_builder::finish(log_position through, bool at_end) && {
    page_.through = through;
    page_.at_end = at_end;
    if (!memory_.empty())
        page_.memory = std::make_shared<blocks>(std::move(memory_));
    return std::move(page_);
}

} // namespace annals::lmdb
