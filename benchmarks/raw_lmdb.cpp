#include "raw_lmdb.hpp"

#include "scratch.hpp"
#include "timing.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace bench {

namespace {

void require(int rc, const char* call) {
    if (rc != MDB_SUCCESS)
        throw std::runtime_error(std::string(call) + ": " + mdb_strerror(rc));
}

struct abort_txn {
    void operator()(MDB_txn* txn) const noexcept { mdb_txn_abort(txn); }
};
using transaction = std::unique_ptr<MDB_txn, abort_txn>;

struct close_cursor {
    void operator()(MDB_cursor* at) const noexcept { mdb_cursor_close(at); }
};
using cursor = std::unique_ptr<MDB_cursor, close_cursor>;

transaction begin(MDB_env* env, unsigned flags) {
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env, nullptr, flags, &txn), "mdb_txn_begin");
    return transaction(txn);
}

void commit(transaction txn) {
    require(mdb_txn_commit(txn.release()), "mdb_txn_commit");
}

cursor open_cursor(MDB_txn* txn, MDB_dbi table) {
    MDB_cursor* at = nullptr;
    require(mdb_cursor_open(txn, table, &at), "mdb_cursor_open");
    return cursor(at);
}

std::uint64_t first_byte(const MDB_val& value) {
    return *static_cast<const unsigned char*>(value.mv_data);
}

} // namespace

raw_store::raw_store(const std::filesystem::path& directory) {
    MDB_env* env = nullptr;
    require(mdb_env_create(&env), "mdb_env_create");
    env_.reset(env);
    require(mdb_env_set_mapsize(env, std::size_t{1} << 40), "mdb_env_set_mapsize");
    require(mdb_env_open(env, directory.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0644), "mdb_env_open");
    auto txn = begin(env, 0);
    require(mdb_dbi_open(txn.get(), nullptr, MDB_INTEGERKEY, &log_), "mdb_dbi_open");
    commit(std::move(txn));
}

void raw_store::append(std::size_t count, std::size_t per_commit) {
    std::array<char, value_bytes> payload{};
    payload.fill('x');
    while (count > 0) {
        const std::size_t now = std::min(count, per_commit);
        auto txn = begin(env_.get(), 0);
        {
            const auto at = open_cursor(txn.get(), log_);
            for (std::size_t i = 0; i != now; ++i) {
                std::uint64_t position = ++last_;
                MDB_val key{sizeof position, &position};
                MDB_val value{payload.size(), payload.data()};
                require(mdb_cursor_put(at.get(), &key, &value, MDB_APPEND), "mdb_cursor_put");
            }
        }
        commit(std::move(txn));
        count -= now;
    }
}

std::uint64_t raw_store::scan() const {
    const auto txn = begin(env_.get(), MDB_RDONLY);
    const auto at = open_cursor(txn.get(), log_);
    std::uint64_t seen = 0;
    MDB_val key{};
    MDB_val value{};
    for (int rc = mdb_cursor_get(at.get(), &key, &value, MDB_FIRST); rc != MDB_NOTFOUND;
         rc = mdb_cursor_get(at.get(), &key, &value, MDB_NEXT)) {
        require(rc, "mdb_cursor_get");
        seen += first_byte(value);
    }
    return seen;
}

std::uint64_t raw_store::get(const std::vector<std::uint64_t>& positions) const {
    const auto txn = begin(env_.get(), MDB_RDONLY);
    std::uint64_t seen = 0;
    for (std::uint64_t position : positions) {
        MDB_val key{sizeof position, &position};
        MDB_val value{};
        require(mdb_get(txn.get(), log_, &key, &value), "mdb_get");
        seen += first_byte(value);
    }
    return seen;
}

void put_rows(const std::filesystem::path& directory, std::size_t count,
              const std::function<std::size_t(std::size_t)>& account_of, std::size_t per_commit) {
    MDB_env* opened = nullptr;
    require(mdb_env_create(&opened), "mdb_env_create");
    const std::unique_ptr<MDB_env, decltype(&mdb_env_close)> env(opened, mdb_env_close);
    require(mdb_env_set_mapsize(opened, std::size_t{1} << 40), "mdb_env_set_mapsize");
    require(mdb_env_open(opened, directory.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0644),
            "mdb_env_open");
    std::array<char, 32> row{};
    for (std::size_t i = 0; i < count;) {
        auto txn = begin(opened, 0);
        MDB_dbi table = 0;
        require(mdb_dbi_open(txn.get(), nullptr, 0, &table), "mdb_dbi_open");
        for (const std::size_t end = std::min(count, i + per_commit); i != end; ++i) {
            std::string account = std::to_string(account_of(i));
            MDB_val key{account.size(), account.data()};
            MDB_val value{row.size(), row.data()};
            require(mdb_put(txn.get(), table, &key, &value, 0), "mdb_put");
        }
        commit(std::move(txn));
    }
}

double raw_commit_p50_us(const setting& how) {
    const scratch place(how.directory, "raw");
    raw_store store(place.path());
    store.append(how.pick(100'000, 1'000), 1'000);
    latencies commits;
    for (std::size_t i = 0; i != how.pick(2'000, 50); ++i)
        commits.time([&] { store.append(1, 1); });
    return commits.percentile_us(0.5);
}

void raw_limit::sample(std::size_t per_commit) {
    const std::size_t events = how_.pick(1'000'000, 4'000);
    const scratch place(how_.directory, "raw");
    raw_store store(place.path());
    const stopwatch since;
    store.append(events, per_commit);
    rates_.push_back(since.rate(events));
}

double raw_limit::events_per_second() const {
    return median(rates_);
}

} // namespace bench
