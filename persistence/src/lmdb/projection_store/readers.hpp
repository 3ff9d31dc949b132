#pragma once

#include "lmdb/projection_store/format.hpp"

#include <condition_variable>
#include <mutex>

namespace annals::lmdb {

/// A read transaction and cursors in it. None is good for anything between leaving and entering.
struct views_reader {
    txn_handle txn;
    cursor_handle cursor; ///< over the rows; closed before the transaction
    cursor_handle probe;  ///< likewise, for rows by their keys
};

/// Lets snapshots into the environment while it is open. Transactions are kept and renewed, which
/// costs far less than new ones. Unlike `read_gate`, one thread may enter and another one leave.
class views_readers {
public:
    views_readers(MDB_env* env, const views_tables& table) noexcept : env_(env), table_(table) {}

    /// A reader that sees what is stored now; `errc::closed`, or what LMDB says.
    [[nodiscard]] result<views_reader> enter();
    /// `reader` sees what is stored now; the same errors. On error it is still inside.
    [[nodiscard]] result<void> renew(views_reader& reader);
    void leave(views_reader reader);

    /// Lets nobody in any more, and waits until all are out. Idempotent.
    void close();

private:
    [[nodiscard]] bool closed();
    [[nodiscard]] int start(views_reader& reader) const noexcept;

    MDB_env* env_;
    views_tables table_;
    std::mutex mutex_;
    std::condition_variable all_out_;
    std::vector<views_reader> idle_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

} // namespace annals::lmdb
