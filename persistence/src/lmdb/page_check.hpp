#pragma once

#include "annals/error.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

/// LMDB trusts its pages: damaged ones make it abort, or read and write where it must not. This looks
/// at a file's pages before LMDB does, and reads nothing that is not there.
namespace annals::lmdb {

/// A table that a file of ours has, and LMDB's flags of it.
struct expected_table {
    std::string_view name;
    std::uint16_t flags;
};

/// What the check found.
struct checked_pages {
    std::uint64_t last_txn = 0; ///< number of the last transaction
    std::uint64_t file_bytes =
        0;                 ///< what LMDB believes the file to have; the end may be missing where
                           ///< all its pages are free
    bool complete = false; ///< every page was looked at, not only those that lead to others
};

/// Looks at the pages of the LMDB file that is open as `file`, without changing it. No other process
/// may write to it meanwhile.
///
/// Always: both meta pages, every page that leads to others, the list of free pages, and that no page
/// is used twice, or used and free. Also each page that holds entries, and what overflows from it, if
/// they are no more than `most_pages` in all. Errors: `corrupt` with the page, without what to do; `not_a_store` if it is
/// an LMDB file of another program; `io_error`. A file that is no LMDB file at all passes: LMDB
/// refuses it by itself.
[[nodiscard]] result<checked_pages> check_pages(int file, const std::filesystem::path& path,
                                                std::span<const expected_table> tables,
                                                std::uint64_t most_pages);

} // namespace annals::lmdb
