#pragma once

#include <lmdb.h>

/// LMDB's functions that look at pages, by their own names. Where LMDB meets a page that contradicts
/// itself it would end the process (an assertion); called by these names, inside this namespace, it
/// returns MDB_CORRUPTED instead. The pages of a store are checked when it is opened (page_check.hpp),
/// so this is for what is damaged later. A writing transaction that met it must not be committed, and
/// its store not be written to any more.
namespace annals::lmdb {

/// Thrown through LMDB by `page_contradicts_itself`, and caught by the functions below.
struct failed_assertion {};

/// For mdb_env_set_assert. LMDB ends the process if this returns, so it does not.
[[noreturn]] void page_contradicts_itself(MDB_env* env, const char* text);

/// A function of LMDB's as an object, which is what makes its name stand before LMDB's own.
template <auto Function>
struct guarded_call;
template <class... Parameters, int (*Function)(Parameters...)>
struct guarded_call<Function> {
    int operator()(Parameters... arguments) const noexcept {
        try {
            return Function(arguments...);
        } catch (const failed_assertion&) {
            return MDB_CORRUPTED;
        }
    }
};

inline constexpr guarded_call<::mdb_get> mdb_get;
inline constexpr guarded_call<::mdb_put> mdb_put;
inline constexpr guarded_call<::mdb_del> mdb_del;
inline constexpr guarded_call<::mdb_stat> mdb_stat;
inline constexpr guarded_call<::mdb_dbi_open> mdb_dbi_open;
inline constexpr guarded_call<::mdb_cursor_open> mdb_cursor_open;
inline constexpr guarded_call<::mdb_cursor_renew> mdb_cursor_renew;
inline constexpr guarded_call<::mdb_cursor_get> mdb_cursor_get;
inline constexpr guarded_call<::mdb_cursor_put> mdb_cursor_put;
inline constexpr guarded_call<::mdb_cursor_del> mdb_cursor_del;
inline constexpr guarded_call<::mdb_txn_commit> mdb_txn_commit;

} // namespace annals::lmdb
