#pragma once

#include "lmdb/file/env.hpp"
#include "lmdb/file/page_check.hpp"
#include "lmdb/file/store_lock.hpp"

#include <optional>

/// A file of ours: an LMDB environment that says what it is.
namespace annals::lmdb {

/// What makes a file one of its kind: the journal, or the projection store.
class file_kind {
public:
    virtual ~file_kind() = default;

    [[nodiscard]] virtual const char* file_name() const noexcept = 0;
    /// Of the file whose lock says who has the store open.
    [[nodiscard]] virtual const char* lock_file_name() const noexcept = 0;

    /// What to do about a damaged file, to end a sentence.
    [[nodiscard]] virtual std::string_view remedy() const noexcept = 0;
    [[nodiscard]] virtual std::span<const expected_table> tables() const noexcept = 0;

    /// Whether a new file of this kind may be made in `directory`, where there is none.
    [[nodiscard]] virtual result<void>
    check_missing(const std::filesystem::path& directory) const = 0;
    /// Whether `env` is of this kind and may be used.
    [[nodiscard]] virtual result<void> check(MDB_env* env) const = 0;
    /// Makes an empty environment one of this kind.
    [[nodiscard]] virtual result<void> fill(MDB_txn* txn) const = 0;
};

/// What LMDB 0.9 maps of its lock file, beside the data file.
extern const std::size_t lmdb_lock_bytes;

/// Opens `file` with the flags that every store needs and `flags`.
[[nodiscard]] result<env_handle> open_env(const std::filesystem::path& file, std::size_t map_bytes,
                                          unsigned flags);

/// `invalid_argument` if this process cannot map so many bytes more.
[[nodiscard]] result<void> check_address_space(std::size_t bytes);

/// Where the data file is: `path` itself, or where a link there leads; nothing if there is no file.
/// Errors: it is no regular file, or a link that leads nowhere.
[[nodiscard]] result<std::optional<std::filesystem::path>>
find_store(const std::filesystem::path& path);

/// Looks whether `file`, which is open and locked as `descriptor`, is a store of this kind that this
/// version can open. Changes nothing.
[[nodiscard]] result<checked_pages> inspect(const std::filesystem::path& file, int descriptor,
                                            const file_kind& kind, std::size_t map_bytes);

/// Makes an empty store in `directory`, under another name first, so that it is either whole or not
/// there. Returns its lock, taken before it has its name.
[[nodiscard]] result<std::unique_ptr<file_lock>>
create_store(const std::filesystem::path& directory, const file_kind& kind, bool sync,
             lock_wait& wait);

/// As `inspect`, but looks at every page, and at nothing else.
[[nodiscard]] result<checked_pages> inspect_every_page(const std::filesystem::path& file,
                                                       const file_kind& kind);

/// "path" and why it is no store.
[[nodiscard]] error not_a_store(const std::filesystem::path& path, std::string_view why);

} // namespace annals::lmdb
