#pragma once

#include "annals/journal.hpp"
#include "lmdb/journal/head_table.hpp"
#include "lmdb/journal/index_handle.hpp"
#include "lmdb/journal/log_table.hpp"

#include <optional>
#include <vector>

namespace annals::lmdb {

/// Commits on their way into the log within one transaction.
///
/// Each is checked against the stream's tentative head: the durable one and what this batch added
/// to it. Readers see nothing of the batch until `publish`.
class batch {
public:
    batch(head_table& heads, const tables& table, index_handle& index,
          const journal_capabilities& limits)
        : heads_(heads),
          table_(table),
          index_(index),
          limits_(limits) {}

    /// Begins anew within `txn`, after the log's last position `head`.
    [[nodiscard]] int start(MDB_txn* txn, log_position head);

    /// Stores `candidate`, or says why not. A failed one breaks its pipeline from its place on. Once
    /// `fault` is set, the whole batch has failed and what this returns means nothing.
    [[nodiscard]] append_result store(const commit& candidate);

    /// LMDB's error number of a failed write; 0 if there was none.
    [[nodiscard]] int fault() const noexcept { return fault_; }
    [[nodiscard]] std::size_t events() const noexcept { return next_ - 1 - start_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
    /// Position of the last event in the log, with this batch.
    [[nodiscard]] log_position head() const noexcept { return next_ - 1; }

    /// The CRC-32C of the last record that this batch wrote.
    [[nodiscard]] std::uint32_t last_crc() const noexcept { return last_crc_; }

    /// Ends the use of the transaction, which must come before it is committed or aborted.
    void close() noexcept { log_cursor_.reset(); }
    /// The transaction was committed: shows the new heads, calling `changed` for each.
    template <class Changed>
    void publish(Changed changed) {
        for (auto& each : tentative_) {
            each.entry->batch_index = cached_head::not_in_batch;
            heads_.publish(*each.entry, std::move(each.head));
            changed(*each.entry);
        }
        tentative_.clear();
    }
    /// The transaction was not committed: forgets the new heads.
    void discard();

private:
    struct tentative_head {
        cached_head* entry;
        stream_head head;
    };

    [[nodiscard]] append_result check_and_store(const commit& candidate);
    /// The stream's entry, read from the index if it is not in memory. `errc::unavailable` if the
    /// index is damaged there.
    [[nodiscard]] result<cached_head*> entry_of(std::string_view stream);
    [[nodiscard]] const stream_head& head_of(const cached_head& entry) const noexcept;
    [[nodiscard]] stream_head& tentative(cached_head& entry);
    /// The receipt of `candidate` if it is stored already where it expects to be, or the conflict.
    [[nodiscard]] append_result find_commit(const commit& candidate, const stream_head& head) const;
    [[nodiscard]] append_result write(const commit& candidate, cached_head& entry);
    [[nodiscard]] int put(const record& event);

    head_table& heads_;
    tables table_;
    index_handle& index_;
    journal_capabilities limits_;

    MDB_txn* txn_ = nullptr;
    cursor_handle log_cursor_;
    std::vector<tentative_head> tentative_;
    bytes metadata_;
    log_position start_ = 0; ///< the log's last position before the batch
    log_position next_ = 1;
    std::size_t size_bytes_ = 0;
    std::uint32_t last_crc_ = 0;
    int fault_ = 0;
};

} // namespace annals::lmdb
