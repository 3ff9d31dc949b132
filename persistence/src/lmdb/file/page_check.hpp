#pragma once

#include "annals/error.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// LMDB trusts its pages: damaged ones make it abort, or read and write where it must not. This looks
/// at a file's pages before LMDB does, and reads nothing that is not there.
namespace annals::lmdb {

/// A table that a file of ours has, and LMDB's flags of it.
struct expected_table {
    std::string_view name;
    std::uint16_t flags;
    /// It and all whose names begin so can be made again from the others: damage in them is told of,
    /// and is no reason to refuse the file.
    bool derived = false;
};

/// A derived table that must be left alone: neither be written to nor freed, for its pages may be
/// those of others.
struct damaged_table {
    std::string name;
    std::string why; ///< with the page, without what to do
};

/// What the check found.
struct checked_pages {
    std::uint64_t last_txn = 0; ///< number of the last transaction
    std::uint64_t file_bytes =
        0;                 ///< what LMDB believes the file to have; the end may be missing where
                           ///< all its pages are free
    bool complete = false; ///< every page was looked at, not only those that lead to others
    std::vector<damaged_table> damaged_tables;
};

/// Looks at the pages of the LMDB file that is open as `file`, without changing it. No other process
/// may write to it meanwhile.
///
/// Always: both meta pages, every page that leads to others, the list of free pages, and that no page
/// is used twice, or used and free. Also each page that holds entries, and what overflows from it, if
/// they are no more than `most_pages` in all; derived tables are counted by themselves. These come
/// last, so that a page that such a table shares with another table or the free pages is damage of
/// the derived one. Errors: `corrupt` with the page, without what to do; `not_a_store` if it is an
/// LMDB file of another program; `incompatible_format` if another version of LMDB wrote it; `io_error`. A file that is no LMDB file at all passes: LMDB refuses
/// it by itself.
[[nodiscard]] result<checked_pages> check_pages(int file, const std::filesystem::path& path,
                                                std::span<const expected_table> tables,
                                                std::uint64_t most_pages);

} // namespace annals::lmdb
