#pragma once

#include "lmdb/projection_store/notes.hpp"

namespace annals::lmdb {

/// The rows as one write transaction changes them: with their links, and what is noted about their
/// spaces. Finds damage beside what it changes. Dropped before the transaction ends.
class row_writer {
public:
    /// LMDB's error number, here and below. `notes` outlives it.
    [[nodiscard]] int open(MDB_txn* txn, const views_tables& table, space_notes& notes);

    /// `damaged` besides LMDB's errors.
    [[nodiscard]] int put(row_space space, bytes_view key, bytes_view value);
    [[nodiscard]] int erase(row_space space, bytes_view key);

    /// What is beside the row does not fit: rows are missing there, or links are damaged. No number of
    /// LMDB's or the system's.
    static constexpr int damaged = -31'000;

private:
    struct neighbour {
        bool there = false;
        row_place place{0, {}};
        std::uint32_t link = 0; ///< as stored
        MDB_val stored{};

        [[nodiscard]] bytes_view bytes() const noexcept {
            return there ? place.bytes() : bytes_view();
        }
    };
    /// Where a row is, or would be.
    struct spot {
        bool found = false;
        neighbour before, after; ///< rows of the same space
        MDB_val stored{};        ///< if found
    };

    [[nodiscard]] int look(row_space space, const row_place& place, bool want_after, spot& at);
    [[nodiscard]] static int neighbour_at(int rc, row_space space, const MDB_val& key,
                                          const MDB_val& value, neighbour& into);
    [[nodiscard]] int link(row_space space, const neighbour& before, std::uint32_t link);

    const views_tables* table_ = nullptr;
    space_notes* notes_ = nullptr;
    cursor_handle cursor_;
    bytes moving_; ///< a row while LMDB gives it another place
};

} // namespace annals::lmdb
