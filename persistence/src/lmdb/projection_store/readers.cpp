#include "lmdb/projection_store/readers.hpp"

#include "lmdb/projection_store/queue.hpp"

namespace annals::lmdb {

result<views_reader> views_readers::enter() {
    views_reader reader;
    {
        const std::lock_guard lock(mutex_);
        if (closed_)
            return views_closed();
        ++inside_;
        if (!idle_.empty()) {
            reader = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (const auto rc = start(reader); rc != 0) {
        leave({});
        return views_error(rc, "cannot read the projection store");
    }
    return reader;
}

result<void> views_readers::renew(views_reader& reader) {
    if (closed())
        return views_closed();
    if (reader.txn)
        mdb_txn_reset(reader.txn.get());
    if (const auto rc = start(reader); rc != 0) {
        reader = {};
        return views_error(rc, "cannot read the projection store");
    }
    return {};
}

int views_readers::start(views_reader& reader) const noexcept {
    const auto rc =
        reader.txn ? mdb_txn_renew(reader.txn.get()) : begin_txn(env_, MDB_RDONLY, reader.txn);
    if (rc != 0)
        return rc;
    for (auto* each : {&reader.cursor, &reader.probe})
        if (const auto ready = *each ? mdb_cursor_renew(reader.txn.get(), each->get())
                                     : open_cursor(reader.txn.get(), table_.rows, *each);
            ready != 0)
            return ready;
    return 0;
}

void views_readers::leave(views_reader reader) {
    if (reader.txn)
        mdb_txn_reset(reader.txn.get());
    const std::lock_guard lock(mutex_);
    if (reader.txn && reader.cursor && reader.probe)
        idle_.push_back(std::move(reader));
    if (--inside_ == 0)
        all_out_.notify_all(); // under the lock: whoever waits may destroy this
}

bool views_readers::closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
}

void views_readers::close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    all_out_.wait(lock, [this] { return inside_ == 0; });
    idle_.clear();
}

} // namespace annals::lmdb
