#include "lmdb/file/env.hpp"

#include <cerrno>
#include <system_error>

namespace annals::lmdb {
namespace {

errc code_of(int number) noexcept {
    switch (number) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return errc::disk_full;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_BAD_VALSIZE:
    case MDB_INCOMPATIBLE:
        return errc::corrupt;
    case MDB_INVALID:
        return errc::not_a_store;
    case MDB_VERSION_MISMATCH:
        return errc::incompatible_format;
    case MDB_PANIC:
    case MDB_DBS_FULL: // as many new indexes as one opening can make
        return errc::unavailable;
    case MDB_READERS_FULL:
        return errc::overloaded;
    case EACCES:
    case EPERM:
    case EROFS:
        return errc::permission_denied;
    case EINVAL:
    case ENAMETOOLONG:
        return errc::invalid_argument;
    default:
        return errc::io_error;
    }
}

std::string_view advice(int number, errc code) noexcept {
    switch (number) {
    case MDB_MAP_FULL:
        return "; open the store with a larger max_store_bytes";
    case ENOSPC:
        return "; free space on the disk, then try again";
    case EDQUOT:
        return "; free space in this user's quota, or raise it, then try again";
    case EFBIG:
        return "; raise the limit on the size of files (ulimit -f), or use a file system that "
               "takes "
               "larger ones, then try again";
    case EMFILE:
        return "; raise the limit on open files of a process (ulimit -n), or close some, then open "
               "the store again";
    case ENFILE:
        return "; raise the limit on open files of the system (fs.file-max), or close some, then "
               "open the store again";
    default:
        break;
    }
    switch (code) {
    case errc::corrupt:
        return "; restore the store from a backup";
    case errc::unavailable:
        return "; close the store and open it again";
    case errc::overloaded:
        return "; too many reads run at once, repeat later";
    case errc::permission_denied:
        return "; give this user read and write rights to the directory";
    case errc::not_a_store:
        return "; choose another directory";
    case errc::incompatible_format:
        return "; use a program with the LMDB version that wrote the store";
    case errc::invalid_argument:
        return "; correct the path or the options";
    default:
        return "; look at the system log, then open the store again";
    }
}

} // namespace

void page_contradicts_itself(MDB_env* /*env*/, const char* /*text*/) {
    throw failed_assertion();
}

error lmdb_error(int rc, std::string_view doing) {
    const auto code = code_of(rc);
    return {code, std::string(doing) + ": " + mdb_strerror(rc) + std::string(advice(rc, code))};
}

error system_error(int number, std::string_view doing, const std::filesystem::path& path) {
    const auto code = code_of(number);
    return {code, std::string(doing) + " \"" + path.string() + "\": " +
                      std::generic_category().message(number) + std::string(advice(number, code))};
}

int begin_txn(MDB_env* env, unsigned flags, txn_handle& txn) noexcept {
    MDB_txn* raw = nullptr;
    const auto rc = mdb_txn_begin(env, nullptr, flags, &raw);
    if (rc == MDB_SUCCESS)
        txn.reset(raw);
    return rc;
}

int commit_txn(txn_handle& txn) noexcept {
    return mdb_txn_commit(txn.release());
}

int open_cursor(MDB_txn* txn, MDB_dbi table, cursor_handle& cursor) noexcept {
    MDB_cursor* raw = nullptr;
    const auto rc = mdb_cursor_open(txn, table, &raw);
    if (rc == MDB_SUCCESS)
        cursor.reset(raw);
    return rc;
}

int open_tables(MDB_txn* txn, unsigned flags, tables& into) noexcept {
    auto rc = mdb_dbi_open(txn, "log", flags | MDB_INTEGERKEY, &into.log);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "meta", flags, &into.meta);
    return rc;
}

} // namespace annals::lmdb
