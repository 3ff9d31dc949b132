#include "lmdb/file/store_lock.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/file/file_system.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

/// Between two attempts to lock a file.
constexpr std::chrono::milliseconds longest_pause{16};

/// The stores this process has open. A file lock alone would not do: some file systems let one
/// process lock a file twice.
class open_stores {
public:
    struct entry {
        dev_t device;
        ino_t inode;
        int file;
    };

    static open_stores& of_this_process() {
        static auto* const stores = new open_stores; // house_style: statics may outlive statics
        return *stores;
    }

    [[nodiscard]] bool add(const entry& store) {
        const std::lock_guard lock(mutex_);
        if (std::ranges::any_of(stores_, [&](const entry& other) {
                return other.device == store.device && other.inode == store.inode;
            }))
            return false;
        stores_.push_back(store);
        return true;
    }

    void remove(int file) {
        const std::lock_guard lock(mutex_);
        std::erase_if(stores_, [file](const entry& store) { return store.file == file; });
    }

    [[nodiscard]] std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_relaxed);
    }

private:
    open_stores() { ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

    // The mutex is held across the fork, so that the child finds the list whole.
    static void before_fork() { of_this_process().mutex_.lock(); }
    static void after_fork_in_parent() { of_this_process().mutex_.unlock(); }
    static void after_fork_in_child() {
        auto& stores = of_this_process();
        stores.generation_.fetch_add(1, std::memory_order_relaxed);
        for (const auto& store : stores.stores_)
            ::close(store.file);
        stores.stores_.clear();
        stores.mutex_.unlock();
    }

    std::mutex mutex_;
    std::vector<entry> stores_;
    std::atomic<std::uint64_t> generation_{0};
};

class file_handle {
public:
    explicit file_handle(int file) noexcept : file_(file) {}
    ~file_handle() {
        if (file_ >= 0)
            ::close(file_);
    }
    file_handle(const file_handle&) = delete;
    file_handle& operator=(const file_handle&) = delete;
    [[nodiscard]] int get() const noexcept { return file_; }
    int release() noexcept { return std::exchange(file_, -1); }

private:
    int file_;
};

error in_use(const std::filesystem::path& path, const std::filesystem::path& owner) {
    const file_handle file(open_own_file(owner, O_RDONLY));
    char text[32] = {};
    const auto size = file.get() < 0 ? -1 : ::pread(file.get(), text, sizeof text - 1, 0);
    std::string who(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!who.empty() && who.back() == '\n')
        who.pop_back();
    return {errc::in_use, "the store is open already (\"" + path.string() + "\", process " +
                              (who.empty() ? "unknown" : who) +
                              "); close it there, or open another directory"};
}

/// Returns the descriptor, or -1 with errno.
int open_file(const std::filesystem::path& path, file_lock::access how, bool& created) {
    if (how == file_lock::access::read)
        return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const auto existing = open_own_file(path, O_RDWR);
    if (existing >= 0 || errno != ENOENT)
        return existing;
    const auto made = open_own_file(path, O_RDWR | O_CREAT | O_EXCL);
    created = made >= 0;
    return made >= 0 || errno != EEXIST ? made : open_own_file(path, O_RDWR);
}

/// True if `path` still names the file that is open as `file`.
bool is_current(const std::filesystem::path& path, const struct stat& file) {
    struct stat named {};
    return ::stat(path.c_str(), &named) == 0 && named.st_dev == file.st_dev &&
           named.st_ino == file.st_ino;
}

} // namespace

std::uint64_t fork_generation() noexcept {
    return open_stores::of_this_process().generation();
}

error after_fork_error() {
    return {errc::after_fork, "the store was opened before this process was forked; open it after "
                              "the fork, in one process only"};
}

bool lock_wait::again() noexcept {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin_);
    if (spent >= longest_)
        return false;
    const auto pause = std::min(pause_, longest_ - spent);
    static_cast<void>(::poll(nullptr, 0, static_cast<int>(pause.count())));
    pause_ = std::min(2 * pause_, longest_pause);
    return true;
}

result<std::unique_ptr<file_lock>> file_lock::take(const std::filesystem::path& path, access how,
                                                   const std::filesystem::path& owner,
                                                   lock_wait& wait) {
    for (;;) {
        bool created = false;
        file_handle file(open_file(path, how, created));
        if (file.get() < 0)
            return own_file_error(errno, "cannot open to lock it", path);
        auto lock = std::unique_ptr<file_lock>(new file_lock(path, -1, created));
        struct stat status {};
        if (::fstat(file.get(), &status) != 0)
            return system_error(errno, "cannot look at", path);
        if (!S_ISREG(status.st_mode))
            return error{errc::not_a_store,
                         "\"" + path.string() +
                             "\" is not a regular file; choose another directory"};
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK)
                return system_error(errno, "cannot lock", path);
        } else if (!is_current(path, status)) {
            lock->keep();
            continue; // removed by a failed opening elsewhere; lock the file that took its place
        } else if (open_stores::of_this_process().add({status.st_dev, status.st_ino, file.get()})) {
            lock->file_ = file.release();
            return lock;
        }
        lock->keep(); // another one has it now
        if (!wait.again())
            return in_use(path, owner);
    }
}

void file_lock::write_owner() const noexcept {
    const auto text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file_, 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(file_, text.data(), text.size(), 0);
}

file_lock::~file_lock() {
    if (created_)
        ::unlink(path_.c_str());
    if (file_ < 0)
        return;
    open_stores::of_this_process().remove(file_);
    ::close(file_);
}

} // namespace annals::lmdb
