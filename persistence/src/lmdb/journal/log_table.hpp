#pragma once

#include "lmdb/file/env.hpp"
#include "lmdb/journal/record_format.hpp"
#include "lmdb/journal/stream_head.hpp"

/// Looking things up in the table `log` within one transaction. Everything returned
/// points into LMDB's pages: valid until the transaction ends or writes.
namespace annals::lmdb {

/// A record together with its bytes.
struct stored_record {
    record event;
    bytes_view bytes;
};

class log_table {
public:
    /// Within `txn`, which must outlive it.
    log_table(MDB_txn* txn, const tables& table) noexcept : txn_(txn), table_(table) {}

    /// The record at `position`, checked. `errc::corrupt` if there is none.
    [[nodiscard]] result<stored_record> at(log_position position) const;

    /// The same, and it must be event `version` of `stream`, as a link to it says.
    [[nodiscard]] result<stored_record> at(log_position position, std::string_view stream,
                                           stream_version version) const;

    /// Event `version` of `stream`, in O(log n) steps from its head.
    /// Precondition: 0 < version <= head.version().
    [[nodiscard]] result<stored_record> find(std::string_view stream, const stream_head& head,
                                             stream_version version) const;

    /// Position of the last record; 0 if there is none.
    [[nodiscard]] result<log_position> last() const;

private:
    MDB_txn* txn_;
    tables table_;
};

/// The position that a key of the table `log` says; 0 if it is none.
[[nodiscard]] log_position position_of(const MDB_val& key) noexcept;

} // namespace annals::lmdb
