#pragma once

// What a test does with a projection store on disk, besides the verbs of support/row_verbs.hpp.

#include "lmdb_store_verbs.hpp"
#include "support/row_verbs.hpp"

#include "lmdb/file/env.hpp"

namespace annals::test {

inline const uuid the_log = uuid::of_name("the log");

/// Little address space: fit for sanitizers.
inline projection_store_options small_views() {
    return {.max_store_bytes = std::size_t{1} << 30};
}

inline std::shared_ptr<projection_store>
open_views(const std::filesystem::path& directory,
           const projection_store_options& options = small_views()) {
    return open_lmdb_projection_store(directory, the_log, options).value();
}

/// The code of an opening that fails; 0 if it succeeds.
inline errc refusal_to_open_views(const std::filesystem::path& directory,
                                  const projection_store_options& options = small_views()) {
    const auto opened = open_lmdb_projection_store(directory, the_log, options);
    return opened ? errc{} : opened.error().code;
}

/// Looks into, or changes, the closed file `views.mdb` by LMDB's own means.
inline void edit_views(const std::filesystem::path& directory,
                       const std::function<void(MDB_txn*)>& change) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    const lmdb::env_handle owner(env);
    mdb_env_set_maxdbs(env, 8);
    mdb_env_set_mapsize(env, std::size_t{1} << 28);
    REQUIRE(mdb_env_open(env, (directory / "views.mdb").c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600) ==
            0);
    lmdb::txn_handle txn;
    REQUIRE(lmdb::begin_txn(env, 0, txn) == 0);
    change(txn.get());
    REQUIRE(lmdb::commit_txn(txn) == 0);
}

inline void put_entry(MDB_txn* txn, const char* table, std::string_view key, bytes_view value) {
    MDB_dbi opened = 0;
    REQUIRE(mdb_dbi_open(txn, table, MDB_CREATE, &opened) == 0);
    auto k = lmdb::as_value(key);
    auto v = lmdb::as_value(value);
    REQUIRE(mdb_put(txn, opened, &k, &v, 0) == 0);
}

/// Key and value of every entry in a table of a closed store, as LMDB has them.
inline std::map<std::string, std::string> views_entries(const std::filesystem::path& directory,
                                                        const char* table) {
    std::map<std::string, std::string> all;
    edit_views(directory, [&](MDB_txn* txn) {
        MDB_dbi opened = 0;
        REQUIRE(mdb_dbi_open(txn, table, 0, &opened) == 0);
        lmdb::cursor_handle cursor;
        REQUIRE(lmdb::open_cursor(txn, opened, cursor) == 0);
        MDB_val key{};
        MDB_val value{};
        for (auto step = MDB_FIRST; mdb_cursor_get(cursor.get(), &key, &value, step) == 0;
             step = MDB_NEXT)
            all.emplace(lmdb::as_text(key), lmdb::as_text(value));
    });
    return all;
}

/// Puts `count` rows into `space`, in one change.
inline void fill_space(projection_store& to, row_space space, int count) {
    row_changes changes;
    for (int i = 0; i != count; ++i)
        changes.put(space, raw(std::to_string(i)), raw("a value of some length"));
    REQUIRE(apply_and_wait(to, std::move(changes)));
}

} // namespace annals::test
