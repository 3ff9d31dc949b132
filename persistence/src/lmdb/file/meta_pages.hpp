#pragma once

#include "lmdb/file/env.hpp"

/// LMDB's two meta pages, read as they lie in the file. Each commit overwrites the older of them; the
/// one with the higher transaction counts. LMDB compares nothing else, so a flipped bit in them
/// silently shows the commit before the last.
namespace annals::lmdb {

/// The meta page that counts.
struct newest_meta {
    std::uint64_t transaction = 0;
    std::uint32_t crc = 0; ///< CRC-32C over the page's header and everything that LMDB keeps in it
};

/// Reads both pages of the file that `env` has open. `errc::corrupt` if they cannot be of two commits
/// of which one follows the other.
[[nodiscard]] result<newest_meta> read_meta_pages(MDB_env* env);

} // namespace annals::lmdb
