#pragma once

#include "lmdb/file/env.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace annals::lmdb {

/// What every call says once the journal is closed.
[[nodiscard]] error journal_closed();

/// Lets readers into the environment while it is open, each with a read transaction of its own.
/// Transactions are kept and renewed, which costs far less than new ones. Safe from any thread.
class read_gate {
public:
    explicit read_gate(MDB_env* env) noexcept : env_(env) {}

    /// A snapshot of the store. Keep it short: pages that it can see are not used again meanwhile.
    class snapshot {
    public:
        snapshot(read_gate& gate, std::shared_lock<std::shared_mutex> inside, txn_handle txn)
            : gate_(&gate),
              inside_(std::move(inside)),
              txn_(std::move(txn)) {}
        snapshot(snapshot&&) noexcept = default;
        snapshot& operator=(snapshot&&) = delete;
        ~snapshot();
        [[nodiscard]] MDB_txn* txn() const noexcept { return txn_.get(); }

    private:
        read_gate* gate_;
        std::shared_lock<std::shared_mutex> inside_;
        txn_handle txn_;
    };

    /// `errc::closed`, or what LMDB says.
    [[nodiscard]] result<snapshot> enter();

    /// Lets nobody in any more, and waits until all are out. Idempotent.
    void close();
    [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

private:
    MDB_env* env_;
    std::atomic<bool> closed_{false};
    std::shared_mutex inside_; ///< held shared by each reader
    std::mutex idle_mutex_;
    std::vector<txn_handle> idle_;
};

} // namespace annals::lmdb
