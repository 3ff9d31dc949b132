#include "codec/metadata_codec.hpp"

#include <algorithm>
#include <array>

namespace annals {
namespace {

/// The name of the fingerprint, and the head of its 8 bytes, in msgpack.
constexpr std::string_view fingerprint_head("\xa7"
                                            "command"
                                            "\xc4\x08");
constexpr std::size_t fingerprint_bytes = 8;

std::array<std::byte, fingerprint_bytes> bytes_of(command_fingerprint print) noexcept {
    std::array<std::byte, fingerprint_bytes> all{};
    for (std::size_t i = 0; i != 4; ++i) {
        all[i] = static_cast<std::byte>(print.type >> (8 * i));
        all[i + 4] = static_cast<std::byte>(print.fields >> (8 * i));
    }
    return all;
}

} // namespace

void encode_more_metadata(const metadata& about, bytes& out, command_fingerprint fingerprint) {
    const bool correlation =
        !about.correlation_id.is_nil() && about.correlation_id != about.command_id;
    const bool causation = !about.causation_id.is_nil();
    const bool actor = !about.actor.empty();
    const bool extra = !about.extra.empty();
    const bool command = fingerprint.known();
    const std::size_t fields = std::size_t{command} + correlation + causation + actor + extra;
    if (fields == 0)
        return;
    encoder to(out);
    to.map(fields);
    const auto field = [&](bool present, std::string_view name, const auto& value) {
        if (!present)
            return;
        to.text(name);
        encode(to, value);
    };
    if (command) { // first, where it is found without parsing
        to.text("command");
        to.binary(bytes_of(fingerprint));
    }
    field(correlation, "correlation", about.correlation_id);
    field(causation, "causation", about.causation_id);
    field(actor, "actor", about.actor);
    field(extra, "extra", about.extra);
}

result<void> decode_more_metadata(bytes_view more, metadata& about) {
    if (more.empty())
        return {};
    const borrowed_parser parser;
    const auto parsed = parser->parse(more);
    if (!parsed)
        return error{errc::undecodable, "metadata: " + parsed.error().message};
    decode_error why;
    if (parsed->kind() != node_kind::map)
        why.expected("map", *parsed);
    const auto field = [&](const node& value, std::string_view name, auto& out) {
        const bool decoded = decode(value, out, why);
        if (!decoded)
            why.within_field(name);
        return decoded;
    };
    bool decoded = parsed->kind() == node_kind::map;
    for (std::size_t i = 0; decoded && i != parsed->size(); ++i) {
        const node value = parsed->value_at(i);
        std::string_view name;
        if (!parsed->key_at(i).get(name))
            continue;
        if (name == "correlation")
            decoded = field(value, name, about.correlation_id);
        else if (name == "causation")
            decoded = field(value, name, about.causation_id);
        else if (name == "actor")
            decoded = field(value, name, about.actor);
        else if (name == "extra")
            decoded = field(value, name, about.extra);
    }
    if (!decoded)
        return error{errc::undecodable, "metadata: " + why.message()};
    return {};
}

command_fingerprint decode_fingerprint(bytes_view more) noexcept {
    constexpr std::size_t at = 1 + fingerprint_head.size(); // after the head of the map
    command_fingerprint print;
    if (more.size() < at + fingerprint_bytes ||
        !std::ranges::equal(more.subspan(1, fingerprint_head.size()), fingerprint_head, {}, {},
                            [](char c) { return static_cast<std::byte>(c); }))
        return print;
    for (std::size_t i = 0; i != 4; ++i) {
        print.type |= std::to_integer<std::uint32_t>(more[at + i]) << (8 * i);
        print.fields |= std::to_integer<std::uint32_t>(more[at + i + 4]) << (8 * i);
    }
    return print;
}

} // namespace annals
