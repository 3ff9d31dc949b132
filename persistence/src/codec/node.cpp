#include "codec/payload_slot.hpp"

namespace annals {

namespace {

using kind = payload_slot::kind;

} // namespace

std::string_view to_string(node_kind kind) noexcept {
    switch (kind) {
    case node_kind::nil:
        return "nil";
    case node_kind::boolean:
        return "boolean";
    case node_kind::integer:
        return "integer";
    case node_kind::real:
        return "real";
    case node_kind::text:
        return "text";
    case node_kind::binary:
        return "binary";
    case node_kind::list:
        return "list";
    case node_kind::map:
        return "map";
    case node_kind::extension:
        return "extension";
    }
    return "unknown";
}

node_kind node::kind() const noexcept {
    switch (slot_of(*this).what) {
    case kind::nil:
        return node_kind::nil;
    case kind::boolean:
        return node_kind::boolean;
    case kind::natural:
    case kind::negative:
        return node_kind::integer;
    case kind::real:
        return node_kind::real;
    case kind::text:
        return node_kind::text;
    case kind::binary:
        return node_kind::binary;
    case kind::list:
        return node_kind::list;
    case kind::map:
        return node_kind::map;
    case kind::extension:
        return node_kind::extension;
    }
    return node_kind::nil;
}

bool node::get(bool& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what != kind::boolean)
        return false;
    out = slot.boolean;
    return true;
}

bool node::get(std::int64_t& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what == kind::negative)
        out = slot.negative;
    else if (slot.what == kind::natural && std::in_range<std::int64_t>(slot.natural))
        out = static_cast<std::int64_t>(slot.natural);
    else
        return false;
    return true;
}

bool node::get(std::uint64_t& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what != kind::natural)
        return false;
    out = slot.natural;
    return true;
}

bool node::get(double& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what == kind::real)
        out = slot.real;
    else if (slot.what == kind::natural)
        out = static_cast<double>(slot.natural);
    else if (slot.what == kind::negative)
        out = static_cast<double>(slot.negative);
    else
        return false;
    return true;
}

bool node::get(std::string_view& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what != kind::text)
        return false;
    out = {slot.data, slot.size};
    return true;
}

bool node::get(bytes_view& out) const noexcept {
    const auto& slot = slot_of(*this);
    if (slot.what != kind::binary)
        return false;
    out = {reinterpret_cast<const std::byte*>(slot.data), slot.size};
    return true;
}

std::size_t node::size() const noexcept {
    const auto& slot = slot_of(*this);
    return slot.what == kind::list || slot.what == kind::map ? slot.size : 0;
}

node node::at(std::size_t index) const noexcept {
    const auto& slot = slot_of(*this);
    return node(&slot + slot.offset + index);
}

node node::key_at(std::size_t index) const noexcept {
    return at(2 * index);
}

node node::value_at(std::size_t index) const noexcept {
    return at(2 * index + 1);
}

} // namespace annals
