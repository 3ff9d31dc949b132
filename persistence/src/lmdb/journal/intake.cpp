#include "lmdb/journal/intake.hpp"

#include "lmdb/file/read_gate.hpp"

namespace annals::lmdb {
namespace {

/// What an operation, a commit and an event count for besides their bytes.
constexpr std::size_t overhead_bytes = 64;

std::size_t bytes_of(const append_operation& operation) noexcept {
    std::size_t bytes = overhead_bytes;
    for (const auto& commit : operation.commits()) {
        bytes += overhead_bytes;
        for (const auto& event : commit.events)
            bytes += overhead_bytes + event.payload.size();
    }
    return bytes;
}

} // namespace

result<void> intake::push(std::shared_ptr<append_operation>& operation) {
    const auto bytes = bytes_of(*operation);
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        // A barrier asks for no room, and overtaking would make it meaningless.
        const bool barrier = operation->commits().empty();
        if (ended_ || (closed_ && !barrier))
            return journal_closed();
        if (!barrier && queued_bytes_.load(std::memory_order_relaxed) >= max_bytes_)
            return error{errc::overloaded, "too much is waiting for the disk; repeat later"};
        queued_bytes_.fetch_add(bytes, std::memory_order_relaxed);
        queue_.push_back({std::move(operation), bytes});
        wake = std::exchange(writer_waits_, false);
    }
    if (wake)
        not_empty_.notify_one();
    return {};
}

void intake::take(std::vector<queued_operation>& into) {
    const std::lock_guard lock(mutex_);
    queue_.swap(into);
}

bool intake::wait_and_take(std::vector<queued_operation>& into,
                           std::optional<std::chrono::milliseconds> patience) {
    const auto ready = [this] {
        // Whoever waits again says so again: `push` takes it back.
        writer_waits_ = queue_.empty() && !closed_ && !nudged_;
        return !writer_waits_;
    };
    std::unique_lock lock(mutex_);
    if (patience)
        not_empty_.wait_for(lock, *patience, ready);
    else
        not_empty_.wait(lock, ready);
    writer_waits_ = false;
    nudged_ = false;
    queue_.swap(into);
    ended_ = into.empty() && closed_; // everything before is complete
    return !ended_;
}

void intake::nudge() {
    {
        const std::lock_guard lock(mutex_);
        nudged_ = true;
    }
    not_empty_.notify_one();
}

void intake::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    not_empty_.notify_one();
}

} // namespace annals::lmdb
