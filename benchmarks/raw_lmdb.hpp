#pragma once

#include "setting.hpp"

#include <cstdint>
#include <functional>
#include <lmdb.h>
#include <memory>
#include <vector>

namespace bench {

/// LMDB alone, with the flags that annals uses: a log of integer keys and 120-byte values. What it
/// does here is the limit of what any journal on top of it can do. Throws on any LMDB error.
class raw_store {
public:
    static constexpr std::size_t value_bytes = 120;

    explicit raw_store(const std::filesystem::path& directory);

    /// Appends `count` values, durably, `per_commit` with one sync.
    void append(std::size_t count, std::size_t per_commit);
    /// Touches every value in order; the sum of their first bytes.
    [[nodiscard]] std::uint64_t scan() const;
    /// Reads the values at `positions` (from 1) in one read transaction; the sum of their first bytes.
    [[nodiscard]] std::uint64_t get(const std::vector<std::uint64_t>& positions) const;

private:
    struct close_env {
        void operator()(MDB_env* env) const noexcept { mdb_env_close(env); }
    };
    std::unique_ptr<MDB_env, close_env> env_;
    MDB_dbi log_ = 0;
    std::uint64_t last_ = 0;
};

/// Puts one row under the key of `account_of(i)` for each i below `count`, `per_commit` with one sync,
/// into a new store: what a stored view that changes one row with each event cannot beat.
void put_rows(const std::filesystem::path& directory, std::size_t count,
              const std::function<std::size_t(std::size_t)>& account_of, std::size_t per_commit);

/// Median time of a durable commit of one event, sampled now.
[[nodiscard]] double raw_commit_p50_us(const setting& how);

/// The rate of `raw_log_append`, sampled beside what is compared with it: the machine and its disk
/// may be shared, so that a rate of some minutes ago says little.
class raw_limit {
public:
    explicit raw_limit(const setting& how) : how_(how) {}

    /// Fills a fresh store, `per_commit` events with one sync.
    void sample(std::size_t per_commit = 1'000);
    /// Median of the samples.
    [[nodiscard]] double events_per_second() const;

private:
    const setting& how_;
    std::vector<double> rates_;
};

} // namespace bench
