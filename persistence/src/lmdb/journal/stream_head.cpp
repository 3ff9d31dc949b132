#include "lmdb/journal/stream_head.hpp"

#include "lmdb/file/varint.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace annals::lmdb {
namespace {

/// The largest 2^k - 1 that is at most `count`. Precondition: count > 0.
std::uint64_t largest_tree(std::uint64_t count) noexcept {
    return count == ~std::uint64_t{0} ? count : std::bit_floor(count + 1) - 1;
}

} // namespace

stream_version jump_version(stream_version version) noexcept {
    // A version is a sum of trees, largest first, of which only the two smallest may be equal. The
    // jump pointer passes over the smallest.
    for (auto rest = version;;) {
        const auto tree = largest_tree(rest);
        if (rest == tree || rest == 2 * tree)
            return version - tree;
        rest -= tree;
    }
}

std::size_t tree_count(stream_version version) noexcept {
    std::size_t count = 0;
    for (; version != 0; version = jump_version(version))
        ++count;
    return count;
}

void stream_head::release() noexcept {
    if (capacity_ != inline_roots)
        delete[] many_; // house_style: in a union, to keep a head small
    capacity_ = inline_roots;
    count_ = 0;
}

stream_head& stream_head::operator=(const stream_head& other) {
    if (this == &other)
        return *this;
    reserve(other.count_);
    std::memcpy(roots(), other.roots(), other.count_ * sizeof(log_position));
    count_ = other.count_;
    version_ = other.version_;
    return *this;
}

stream_head& stream_head::operator=(stream_head&& other) noexcept {
    if (this == &other)
        return *this;
    release();
    version_ = other.version_;
    count_ = other.count_;
    capacity_ = other.capacity_;
    if (capacity_ == inline_roots)
        few_ = other.few_;
    else
        many_ = other.many_;
    other.version_ = 0;
    other.count_ = 0;
    other.capacity_ = inline_roots;
    return *this;
}

void stream_head::reserve(std::uint8_t capacity) {
    if (capacity <= capacity_)
        return;
    // A stream of 2^64 events has 65 trees at most.
    const auto larger = static_cast<std::uint8_t>(std::max<unsigned>(capacity, 2U * capacity_));
    auto memory = std::make_unique_for_overwrite<log_position[]>(larger);
    std::memcpy(memory.get(), roots(), count_ * sizeof(log_position));
    if (capacity_ != inline_roots)
        delete[] many_; // house_style: in a union, to keep a head small
    many_ = memory.release();
    capacity_ = larger;
}

bool stream_head::next_joins() const noexcept {
    if (count_ < 2)
        return false;
    const auto second = jump_version(version_);
    return version_ - second == second - jump_version(second);
}

log_position stream_head::next_jump() const noexcept {
    if (!next_joins())
        return last();
    return count_ == 2 ? 0 : roots()[count_ - 3U];
}

void stream_head::push(log_position position) {
    if (next_joins())
        count_ = static_cast<std::uint8_t>(count_ - 2);
    reserve(static_cast<std::uint8_t>(count_ + 1));
    roots()[count_++] = position;
    ++version_;
}

stream_head::place stream_head::nearest(stream_version version) const noexcept {
    auto index = count_ - 1U;
    auto at = version_;
    for (auto below = jump_version(at); below >= version; below = jump_version(at)) {
        at = below;
        --index;
    }
    return {at, roots()[index]};
}

stream_head stream_head::of(stream_version version, std::span<const log_position> positions) {
    stream_head head;
    head.reserve(static_cast<std::uint8_t>(positions.size()));
    std::copy(positions.begin(), positions.end(), head.roots());
    head.count_ = static_cast<std::uint8_t>(positions.size());
    head.version_ = version;
    return head;
}

bool operator==(const stream_head& a, const stream_head& b) noexcept {
    return a.version_ == b.version_ && std::ranges::equal(a.positions(), b.positions());
}

std::size_t encode_head(const stream_head& head, std::byte* to) noexcept {
    const auto positions = head.positions();
    auto* at = put_varint(to, head.version());
    log_position later = 0;
    for (auto i = positions.size(); i-- != 0; later = positions[i])
        at = put_varint(at, later == 0 ? positions[i] : later - positions[i]);
    return static_cast<std::size_t>(at - to);
}

std::optional<stream_head> decode_head(bytes_view stored) {
    varint_reader numbers(stored.data(), stored.data() + stored.size());
    const auto version = numbers.next();
    std::array<log_position, 80> positions{};
    const auto count = tree_count(version);
    const auto begin = positions.size() - count;
    log_position later = 0;
    for (auto i = positions.size(); i-- != begin; later = positions[i]) {
        const auto number = numbers.next();
        if (!numbers.ok() || number == 0 || (later != 0 && number >= later))
            return std::nullopt;
        positions[i] = later == 0 ? number : later - number;
    }
    if (version == 0 || numbers.position() != stored.data() + stored.size())
        return std::nullopt;
    return stream_head::of(version, std::span(positions).subspan(begin));
}

} // namespace annals::lmdb
