#include "lmdb/file/read_gate.hpp"

namespace annals::lmdb {

error journal_closed() {
    return {errc::closed, "the journal is closed; open it again"};
}

result<read_gate::snapshot> read_gate::enter() {
    // Looked at first, so that a stream of readers cannot keep `close` waiting.
    if (closed())
        return journal_closed();
    std::shared_lock inside(inside_);
    if (closed())
        return journal_closed();
    txn_handle txn;
    {
        const std::lock_guard lock(idle_mutex_);
        if (!idle_.empty()) {
            txn = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    const auto rc = txn ? mdb_txn_renew(txn.get()) : begin_txn(env_, MDB_RDONLY, txn);
    if (rc != 0)
        return lmdb_error(rc, "cannot read the store");
    return snapshot(*this, std::move(inside), std::move(txn));
}

read_gate::snapshot::~snapshot() {
    if (!txn_)
        return;
    mdb_txn_reset(txn_.get());
    const std::lock_guard lock(gate_->idle_mutex_);
    gate_->idle_.push_back(std::move(txn_));
}

void read_gate::close() {
    closed_.store(true, std::memory_order_release);
    const std::unique_lock alone(inside_);
    idle_.clear();
}

} // namespace annals::lmdb
