#include "lmdb/store_lock.hpp"

#include "lmdb/env.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

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

error in_use(const std::filesystem::path& path, int file) {
    char text[32] = {};
    const auto size = ::pread(file, text, sizeof text - 1, 0);
    std::string who(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!who.empty() && who.back() == '\n')
        who.pop_back();
    return {errc::in_use, "the store is open already (lock file \"" + path.string() +
                              "\", process " + (who.empty() ? "unknown" : who) +
                              "); close it there, or open another directory"};
}

/// Writes the process id for people who look; the lock does not depend on it.
void write_owner(int file) {
    const auto text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file, 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(file, text.data(), text.size(), 0);
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

result<std::unique_ptr<store_lock>> store_lock::acquire(const std::filesystem::path& path) {
    for (;;) {
        const bool existed = ::access(path.c_str(), F_OK) == 0;
        file_handle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
        if (file.get() < 0)
            return system_error(errno, "cannot open the lock file", path);
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
            return errno == EWOULDBLOCK ? in_use(path, file.get())
                                        : system_error(errno, "cannot lock", path);
        struct stat status {};
        if (::fstat(file.get(), &status) != 0)
            return system_error(errno, "cannot look at", path);
        if (!is_current(path, status))
            continue; // removed by a failed opening elsewhere; lock the file that took its place
        if (!open_stores::of_this_process().add({status.st_dev, status.st_ino, file.get()}))
            return in_use(path, file.get());
        write_owner(file.get());
        return std::unique_ptr<store_lock>(new store_lock(path, file.release(), !existed));
    }
}

store_lock::~store_lock() {
    if (remove_)
        ::unlink(path_.c_str());
    open_stores::of_this_process().remove(file_);
    ::close(file_);
}

} // namespace annals::lmdb
