#include "lmdb/file/store_identity.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/varint.hpp"

#include <cstring>
#include <string>

namespace annals::lmdb {
namespace {

constexpr std::array<char, 8> magic = {'a', 'n', 'n', 'a', 'l', 's', '\r', '\n'};
constexpr std::size_t version_at = 8;
constexpr std::size_t crc_at = 12;
constexpr std::size_t id_at = 16;
constexpr std::size_t time_at = 32;

std::uint32_t identity_crc(const std::byte* identity) {
    return crc32c().add(identity + version_at, 4).add(identity + id_at, 24).value();
}

} // namespace

std::array<std::byte, identity_bytes> encode_identity(const store_identity& identity,
                                                      std::uint32_t version) {
    std::array<std::byte, identity_bytes> bytes{};
    std::memcpy(bytes.data(), magic.data(), magic.size());
    put_fixed(bytes.data() + version_at, version);
    std::memcpy(bytes.data() + id_at, identity.id.bytes.data(), identity.id.bytes.size());
    put_fixed(bytes.data() + time_at,
              static_cast<std::uint64_t>(identity.created.time_since_epoch().count()));
    put_fixed(bytes.data() + crc_at, identity_crc(bytes.data()));
    return bytes;
}

result<store_identity> decode_identity(bytes_view stored, std::uint32_t version) {
    if (stored.size() < crc_at || std::memcmp(stored.data(), magic.data(), magic.size()) != 0)
        return error{errc::not_a_store,
                     "the file was not written by annals; choose another directory"};
    const auto found = get_fixed<std::uint32_t>(stored.data() + version_at);
    if (found != version)
        return error{errc::incompatible_format,
                     "the store has format version " + std::to_string(found) +
                         ", this program reads version " + std::to_string(version) +
                         "; use a program of the store's version"};
    if (stored.size() != identity_bytes ||
        get_fixed<std::uint32_t>(stored.data() + crc_at) != identity_crc(stored.data()))
        return error{errc::corrupt,
                     "the store's identity is damaged; restore the store from a backup"};
    store_identity identity;
    std::memcpy(identity.id.bytes.data(), stored.data() + id_at, identity.id.bytes.size());
    identity.created = timestamp(std::chrono::microseconds(
        static_cast<std::int64_t>(get_fixed<std::uint64_t>(stored.data() + time_at))));
    return identity;
}

} // namespace annals::lmdb
