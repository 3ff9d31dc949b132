#include "codec/payload_slot.hpp"

#include "annals/stored_event.hpp"

#include <nlohmann/json.hpp>

namespace annals {

namespace {

using json = nlohmann::ordered_json;

std::string base64(std::string_view data) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((data.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < data.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, data.size() - i);
        std::uint32_t bits = 0;
        for (std::size_t byte = 0; byte != 3; ++byte)
            bits = (bits << 8) | (byte < count ? static_cast<unsigned char>(data[i + byte]) : 0U);
        for (std::size_t digit = 0; digit != 4; ++digit)
            text += digit <= count ? digits[(bits >> (18 - 6 * digit)) & 0x3f] : '=';
    }
    return text;
}

/// Bytes that are not UTF-8 become U+FFFD, so that the result is JSON whatever the payload holds.
std::string write(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// As deep as the parser's limit at most.
json to_json(const node& from);

json list_to_json(const node& from) {
    json list = json::array();
    for (std::size_t i = 0; i != from.size(); ++i)
        list.push_back(to_json(from.at(i)));
    return list;
}

/// Pairs go in as they are stored, equal keys too: looking for an equal one before each would take
/// quadratic time, and hide what the payload holds.
json map_to_json(const node& from) {
    json map = json::object();
    json::object_t::Container& pairs = map.get_ref<json::object_t&>();
    pairs.reserve(from.size());
    for (std::size_t i = 0; i != from.size(); ++i) {
        std::string_view text;
        const node key = from.key_at(i);
        pairs.emplace_back(key.get(text) ? std::string(text) : write(to_json(key)),
                           to_json(from.value_at(i)));
    }
    return map;
}

json to_json(const node& from) {
    const payload_slot& slot = slot_of(from);
    switch (slot.what) {
    case payload_slot::kind::nil:
        return nullptr;
    case payload_slot::kind::boolean:
        return slot.boolean;
    case payload_slot::kind::natural:
        return slot.natural;
    case payload_slot::kind::negative:
        return slot.negative;
    case payload_slot::kind::real:
        return slot.real;
    case payload_slot::kind::text:
        return std::string(slot.data, slot.size);
    case payload_slot::kind::binary:
        return json::object({{"$binary", base64({slot.data, slot.size})}});
    case payload_slot::kind::extension:
        return json::object(
            {{"$extension", slot.extension_type}, {"data", base64({slot.data, slot.size})}});
    case payload_slot::kind::list:
        return list_to_json(from);
    case payload_slot::kind::map:
        return map_to_json(from);
    }
    return nullptr;
}

result<json> parse_to_json(bytes_view payload) {
    payload_parser parser;
    const auto parsed = parser.parse(payload);
    if (!parsed)
        return parsed.error();
    return to_json(*parsed);
}

json to_json(const metadata& about) {
    json out = json::object({{"correlation_id", about.correlation_id.to_string()}});
    if (!about.causation_id.is_nil())
        out["causation_id"] = about.causation_id.to_string();
    if (!about.actor.empty())
        out["actor"] = about.actor;
    if (!about.extra.empty())
        out["extra"] = about.extra;
    return out;
}

} // namespace

result<std::string> payload_as_json(bytes_view payload) {
    auto value = parse_to_json(payload);
    if (!value)
        return value.error();
    return write(*value);
}

result<std::string> event_as_json(const stored_event& event) {
    const auto about = event.read_metadata();
    if (!about)
        return about.error();
    auto payload = parse_to_json(event.payload);
    if (!payload)
        return error{payload.error().code, payload.error().message, event.position};
    return write({{"position", event.position},
                  {"stream", event.stream},
                  {"version", event.version},
                  {"type", event.type},
                  {"time", to_string(event.time)},
                  {"event_id", event.event_id().to_string()},
                  {"command_id", event.command_id.to_string()},
                  {"command_named", event.command_named},
                  {"metadata", to_json(*about)},
                  {"payload", *std::move(payload)}});
}

} // namespace annals
