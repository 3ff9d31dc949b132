#include "annals/own_state.hpp"

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

namespace annals {

namespace {

/// Where msgpack-c puts the few bytes before a value's content, to be appended in one go.
class header {
public:
    void write(const char* from, std::size_t count) noexcept {
        std::memcpy(room_ + size_, from, count);
        size_ += count;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {room_, size_}; }

private:
    char room_[16];
    std::size_t size_ = 0;
};

/// A first allocation that holds most events, instead of 1, 2, 4, 8, ... bytes.
constexpr std::size_t smallest_capacity = 128;

void append(bytes& out, std::string_view head, std::string_view content = {}) {
    const std::size_t needed = out.size() + head.size() + content.size();
    if (needed > out.capacity())
        out.reserve(std::max({needed, 2 * out.capacity(), smallest_capacity}));
    const auto add = [&](std::string_view part) {
        const auto* from = reinterpret_cast<const std::byte*>(part.data());
        out.insert(out.end(), from, from + part.size());
    };
    add(head);
    if (!content.empty())
        add(content);
}

template <class Write>
void pack(bytes& out, std::string_view content, Write write) {
    header head;
    msgpack::packer<header> packer(head);
    write(packer);
    append(out, head.view(), content);
}

/// msgpack counts with 32 bits.
std::uint32_t counted(std::size_t count) {
    if (count > std::numeric_limits<std::uint32_t>::max())
        throw unreadable_value("a value of more than 4294967295 bytes cannot be stored");
    return static_cast<std::uint32_t>(count);
}

/// msgpack-c would write whole numbers as integers, which loses -0.0 and what kind it was.
template <class Bits, class Real>
void append_real(bytes& out, char tag, Real value) {
    const auto bits = std::bit_cast<Bits>(value);
    char head[1 + sizeof(Bits)] = {tag};
    for (std::size_t i = 0; i != sizeof(Bits); ++i)
        head[1 + i] = static_cast<char>((bits >> (8 * (sizeof(Bits) - 1 - i))) & 0xff);
    append(out, {head, sizeof head});
}

} // namespace

namespace {
thread_local unsigned own_state_scopes = 0;
} // namespace

own_state_scope::own_state_scope() noexcept {
    ++own_state_scopes;
}
own_state_scope::~own_state_scope() {
    --own_state_scopes;
}
bool own_state_scope::entered() noexcept {
    return own_state_scopes != 0;
}

void encoder::value_written() noexcept {
    while (depth_ != 0 && --missing_[depth_ - 1] == 0)
        --depth_; // the container is complete, and a value itself
}

void encoder::open_container(std::size_t elements, std::size_t values) {
    constexpr parse_limits limits;
    if (elements > limits.max_elements && !own_state_scope::entered())
        throw unreadable_value("a list or map of " + std::to_string(elements) +
                               " elements is more than can be read again (" +
                               std::to_string(limits.max_elements) + "); use several events");
    if (depth_ == limits.max_depth)
        throw unreadable_value("values nested deeper than " + std::to_string(limits.max_depth) +
                               " cannot be read again; use a flatter event");
    if (values == 0)
        value_written();
    else
        missing_[depth_++] = values;
}

void encoder::nil() {
    pack(*out_, {}, [](auto& to) { to.pack_nil(); });
    value_written();
}

void encoder::boolean(bool value) {
    pack(*out_, {}, [&](auto& to) { value ? to.pack_true() : to.pack_false(); });
    value_written();
}

void encoder::integer(std::int64_t value) {
    pack(*out_, {}, [&](auto& to) { to.pack_int64(value); });
    value_written();
}

void encoder::natural(std::uint64_t value) {
    pack(*out_, {}, [&](auto& to) { to.pack_uint64(value); });
    value_written();
}

void encoder::real(float value) {
    append_real<std::uint32_t>(*out_, '\xca', value);
    value_written();
}

void encoder::real(double value) {
    append_real<std::uint64_t>(*out_, '\xcb', value);
    value_written();
}

void encoder::text(std::string_view value) {
    pack(*out_, value, [&](auto& to) { to.pack_str(counted(value.size())); });
    value_written();
}

void encoder::binary(bytes_view value) {
    pack(*out_, {reinterpret_cast<const char*>(value.data()), value.size()},
         [&](auto& to) { to.pack_bin(counted(value.size())); });
    value_written();
}

void encoder::list(std::size_t count) {
    open_container(count, count);
    pack(*out_, {}, [&](auto& to) { to.pack_array(counted(count)); });
}

void encoder::map(std::size_t count) {
    open_container(count, 2 * count);
    pack(*out_, {}, [&](auto& to) { to.pack_map(counted(count)); });
}

} // namespace annals
