#include "lmdb/file/reader_table.hpp"

#include "lmdb/file/file_system.hpp"
#include "lmdb/file/store_file.hpp"
#include "lmdb/file/varint.hpp"

#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

/// The head of the table's file: magic and format, u32 each; the mutex of readers; then the number of
/// the last transaction, u64.
constexpr std::uint32_t table_magic = 0xBEEFC0DE;
constexpr std::size_t last_txn_offset = 8 + sizeof(pthread_mutex_t);
constexpr std::size_t head_bytes = last_txn_offset + 8;

/// The file grows by this many pages between two looks for dead readers.
constexpr std::size_t pages_between_sweeps = 64;
/// A reader that is this many commits behind is worth a word.
constexpr std::size_t old_reader_commits = 1'000;

result<void> catch_up(int file, const std::filesystem::path& table, std::size_t last_txn) {
    std::array<std::byte, head_bytes> head{};
    if (::pread(file, head.data(), head.size(), 0) != static_cast<ssize_t>(head.size()))
        return system_error(errno, "cannot read", table);
    if (get_fixed<std::uint32_t>(head.data()) != table_magic ||
        get_fixed<std::uint64_t>(head.data() + last_txn_offset) + 1 != last_txn)
        return {};
    std::array<std::byte, 8> now{};
    put_fixed(now.data(), std::uint64_t{last_txn});
    if (::pwrite(file, now.data(), now.size(), last_txn_offset) != static_cast<ssize_t>(now.size()))
        return system_error(errno, "cannot write", table);
    return {};
}

struct reader_entry {
    int process = 0;
    std::size_t txn = 0; ///< of its snapshot
};

/// For mdb_reader_list: keeps the oldest of the readers that have a snapshot.
int keep_oldest(const char* line, void* into) {
    auto& oldest = *static_cast<std::optional<reader_entry>*>(into);
    reader_entry each;
    if (std::sscanf(line, "%d %*x %zu", &each.process, &each.txn) == 2 &&
        (!oldest || each.txn < oldest->txn))
        oldest = each;
    return 0;
}

} // namespace

result<void> prepare_reader_table(const std::filesystem::path& table, std::size_t last_txn) {
    const auto file = open_own_file(table, O_RDWR | O_CREAT);
    if (file < 0)
        return own_file_error(errno, "cannot open", table);
    auto done = reserve_file(file, table, lmdb_lock_bytes);
    if (done)
        done = catch_up(file, table, last_txn);
    ::close(file);
    return done;
}

std::size_t last_txn_of(MDB_env* env) noexcept {
    MDB_envinfo info{};
    mdb_env_info(env, &info);
    return info.me_last_txnid;
}

reader_sweep::reader_sweep(MDB_env* env) noexcept : env_(env) {
    sweep();
}

void reader_sweep::committed() noexcept {
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    if (info.me_last_pgno >= sweep_at_page_)
        sweep();
}

void reader_sweep::sweep() noexcept {
    int dead = 0;
    static_cast<void>(mdb_reader_check(env_, &dead)); // a failed one is repeated soon
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    sweep_at_page_ = info.me_last_pgno + pages_between_sweeps;
}

std::optional<std::string> warn_of_old_reader(MDB_env* env, const std::filesystem::path& file) {
    std::optional<reader_entry> oldest;
    mdb_reader_list(env, keep_oldest, &oldest);
    const auto last = last_txn_of(env);
    if (!oldest || oldest->txn + old_reader_commits > last)
        return std::nullopt;
    const auto who = oldest->process == static_cast<int>(::getpid())
                         ? std::string("this process holds a snapshot")
                         : "process " + std::to_string(oldest->process) + " has a snapshot";
    return who + " of \"" + file.string() + "\" that is " + std::to_string(last - oldest->txn) +
           " commits old, and the file grows with each commit until it ends; if it is a backup, "
           "let "
           "it finish, if it is stopped or hangs, end it";
}

} // namespace annals::lmdb
