#pragma once

#include "lmdb/journal/stream_index.hpp"

#include <atomic>

namespace annals::lmdb {

/// The index in which the heads are that are not in memory. Safe from any thread; the writer alone
/// exchanges it. Ask the heads in memory first, then this, then begin the transaction that reads it:
/// a head that left memory meanwhile is in what this returns.
class index_handle {
public:
    explicit index_handle(const index_tables& tables) noexcept { exchange(tables); }

    [[nodiscard]] index_tables tables() const noexcept {
        const auto both = both_.load(std::memory_order_acquire);
        return {.heads = static_cast<MDB_dbi>(both >> 32), .sums = static_cast<MDB_dbi>(both)};
    }
    void exchange(const index_tables& tables) noexcept {
        both_.store(std::uint64_t{tables.heads} << 32 | tables.sums, std::memory_order_release);
        damaged_.store(false, std::memory_order_release);
        distrusted_.store(false, std::memory_order_release);
    }

    /// Somebody found damage; the writer makes another index.
    void report_damage() noexcept { damaged_.store(true, std::memory_order_release); }
    [[nodiscard]] bool damaged() const noexcept { return damaged_.load(std::memory_order_acquire); }

    /// Even what is sound in the index may be old: nothing of it is believed until the exchange.
    void distrust() noexcept { distrusted_.store(true, std::memory_order_release); }
    [[nodiscard]] bool distrusted() const noexcept {
        return distrusted_.load(std::memory_order_acquire);
    }

private:
    std::atomic<std::uint64_t> both_{0};
    std::atomic<bool> damaged_{false};
    std::atomic<bool> distrusted_{false};
};

/// What a call says that needs the damaged part of an index.
[[nodiscard]] error index_is_rebuilt(std::string_view stream);

/// What a call says that needs an index which is distrusted.
[[nodiscard]] error index_is_old(std::string_view stream);

} // namespace annals::lmdb
