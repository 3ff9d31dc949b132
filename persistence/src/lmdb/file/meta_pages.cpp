#include "lmdb/file/meta_pages.hpp"

#include "lmdb/file/crc32c.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace annals::lmdb {
namespace {

/// LMDB 0.9's own layout, on a machine of 64 bits.
constexpr std::size_t header_bytes = 16;
constexpr std::size_t used_bytes = header_bytes + 136;
constexpr std::size_t page_size_at = header_bytes + 24;
constexpr std::size_t flags_at = page_size_at + 4;
constexpr std::size_t last_page_at = header_bytes + 120;
constexpr std::size_t transaction_at = header_bytes + 128;

using page = std::array<std::byte, used_bytes>;

template <class T>
T number_at(const page& from, std::size_t at) noexcept {
    T number{};
    std::memcpy(&number, from.data() + at, sizeof number);
    return number;
}

bool read_page(int file, std::size_t page_bytes, std::size_t index, page& into) noexcept {
    return ::pread(file, into.data(), into.size(), static_cast<off_t>(index * page_bytes)) ==
           static_cast<ssize_t>(into.size());
}

/// One of them is of the commit after the other's. Commit n is written to page n modulo 2.
bool follow_each_other(const page& older, const page& newer, std::size_t newer_index) noexcept {
    const auto before = number_at<std::uint64_t>(older, transaction_at);
    const auto after = number_at<std::uint64_t>(newer, transaction_at);
    return after == before + 1 && after % 2 == newer_index &&
           // the file never becomes shorter
           number_at<std::uint64_t>(older, last_page_at) <=
               number_at<std::uint64_t>(newer, last_page_at) &&
           number_at<std::uint32_t>(older, page_size_at) ==
               number_at<std::uint32_t>(newer, page_size_at) &&
           number_at<std::uint16_t>(older, flags_at) == number_at<std::uint16_t>(newer, flags_at);
}

} // namespace

result<newest_meta> read_meta_pages(MDB_env* env) {
    int file = -1;
    mdb_env_get_fd(env, &file);
    MDB_stat stat{};
    mdb_env_stat(env, &stat);
    std::array<page, 2> pages;
    for (std::size_t i = 0; i != pages.size(); ++i)
        if (!read_page(file, stat.ms_psize, i, pages[i]))
            return lmdb_error(errno, "cannot read the store's first pages");
    const std::size_t newer = number_at<std::uint64_t>(pages[1], transaction_at) >
                                      number_at<std::uint64_t>(pages[0], transaction_at)
                                  ? 1
                                  : 0;
    if (!follow_each_other(pages[1 - newer], pages[newer], newer))
        return error{errc::corrupt,
                     "the store's first two pages do not fit together, so that its last commits "
                     "may be missing; restore the store from a backup"};
    return newest_meta{number_at<std::uint64_t>(pages[newer], transaction_at),
                       crc32c().add(pages[newer].data(), used_bytes).value()};
}

} // namespace annals::lmdb
