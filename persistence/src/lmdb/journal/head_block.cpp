#include "lmdb/journal/head_block.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

namespace annals::lmdb {
namespace {

constexpr std::size_t crc_bytes = 4;

bytes_view bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string_view text_of(bytes_view bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append(bytes_view from, bytes& to) {
    to.insert(to.end(), from.begin(), from.end());
}

std::uint32_t block_crc(std::string_view low, bytes_view after_crc) noexcept {
    const auto size = static_cast<std::byte>(low.size());
    const auto name = bytes_of(low);
    return crc32c()
        .add(&size, 1)
        .add(name.data(), name.size())
        .add(after_crc.data(), after_crc.size())
        .value();
}

} // namespace

std::optional<block_entry> block_entries::next() noexcept {
    if (rest_.empty())
        return std::nullopt;
    const auto name_size = static_cast<std::size_t>(rest_[0]);
    varint_reader numbers(rest_.data() + 1, rest_.data() + rest_.size());
    const auto head_size = numbers.next();
    const auto* const at = numbers.position();
    const auto left = static_cast<std::size_t>(rest_.data() + rest_.size() - at);
    ok_ = numbers.ok() && name_size <= left && head_size <= left - name_size;
    if (!ok_)
        return std::nullopt;
    rest_ = {at + name_size + head_size, left - name_size - static_cast<std::size_t>(head_size)};
    return block_entry{text_of({at, name_size}),
                       {at + name_size, static_cast<std::size_t>(head_size)}};
}

void append_entry(std::string_view name, bytes_view head, bytes& to) {
    std::array<std::byte, 1 + max_varint_bytes> sizes;
    auto* const end =
        put_varint(put_fixed(sizes.data(), static_cast<std::uint8_t>(name.size())), head.size());
    append({sizes.data(), static_cast<std::size_t>(end - sizes.data())}, to);
    append(bytes_of(name), to);
    append(head, to);
}

std::uint32_t encode_block(std::string_view low, std::string_view high, bytes_view entries,
                           bytes& to) {
    to.resize(crc_bytes);
    to.push_back(static_cast<std::byte>(high.size()));
    append(bytes_of(high), to);
    append(entries, to);
    const auto crc = block_crc(low, bytes_view(to).subspan(crc_bytes));
    put_fixed(to.data(), crc);
    return crc;
}

std::optional<head_block> parse_block(std::string_view low, bytes_view stored) {
    if (stored.size() < crc_bytes + 1)
        return std::nullopt;
    const auto rest = stored.subspan(crc_bytes);
    const auto crc = get_fixed<std::uint32_t>(stored.data());
    const auto high_size = static_cast<std::size_t>(rest[0]);
    if (crc != block_crc(low, rest) || high_size > rest.size() - 1)
        return std::nullopt;
    return head_block{low, text_of(rest.subspan(1, high_size)), rest.subspan(1 + high_size), crc};
}

} // namespace annals::lmdb
