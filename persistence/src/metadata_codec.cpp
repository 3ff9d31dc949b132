#include "metadata_codec.hpp"

namespace annals {

void encode_more_metadata(const metadata& about, bytes& out) {
    const bool correlation =
        !about.correlation_id.is_nil() && about.correlation_id != about.command_id;
    const bool causation = !about.causation_id.is_nil();
    const bool actor = !about.actor.empty();
    const bool extra = !about.extra.empty();
    const std::size_t fields = std::size_t{correlation} + causation + actor + extra;
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

} // namespace annals
