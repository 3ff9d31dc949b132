#include "annals/stored_event.hpp"

#include "codec/metadata_codec.hpp"

#include <algorithm>
#include <cstring>

namespace annals {

std::string_view category_of(std::string_view stream) noexcept {
    return stream.substr(0, stream.find('-'));
}

std::string_view stored_event::category() const noexcept {
    return category_of(stream);
}

uuid stored_event::event_id() const noexcept {
    // Hash of the stream's name, command id, version: of one size each, so that no two events'
    // descriptions run into each other.
    std::array<char, 40> description{};
    const uuid stream_id = uuid::of_name(stream);
    std::memcpy(description.data(), stream_id.bytes.data(), 16);
    std::memcpy(description.data() + 16, command_id.bytes.data(), 16);
    for (std::size_t i = 0; i != 8; ++i)
        description[32 + i] = static_cast<char>((version >> (8 * i)) & 0xff);
    return uuid::of_name({description.data(), description.size()});
}

command_fingerprint stored_event::fingerprint() const noexcept {
    return decode_fingerprint(more_metadata);
}

result<metadata> stored_event::read_metadata() const {
    metadata about;
    about.command_id = command_id;
    about.correlation_id = command_id;
    about.time = time;
    if (auto read = decode_more_metadata(more_metadata, about); !read)
        return error{read.error().code, read.error().message, position};
    return about;
}

bool event_filter::matches(std::string_view stream, std::string_view type) const noexcept {
    const auto wants = [](const std::vector<std::string>& list, std::string_view value) {
        return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
    };
    return wants(types, type) && wants(categories, category_of(stream));
}

} // namespace annals
