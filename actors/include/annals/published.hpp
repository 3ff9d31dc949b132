#pragma once

#include "annals/error.hpp"
#include "annals/stored_event.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

/// Reading a view from any thread without a message and without a lock: the view's actor publishes
/// immutable versions of it, readers pin the newest one. Readers never wait, not even for each other;
/// a version is deleted by the publisher when nobody pins it any more. Hazard pointers (M. Michael,
/// 2004), one for each reader.
namespace annals {

/// One immutable version of a view.
struct published_version {
    std::shared_ptr<const void> state; ///< the host's view value
    log_position position = 0;         ///< which it reflects
};

/// Where a view's versions are published. One thread publishes, any number of readers read.
class view_publisher {
public:
    view_publisher() = default;
    ~view_publisher();
    view_publisher(const view_publisher&) = delete;
    view_publisher& operator=(const view_publisher&) = delete;

    /// One reader's place. Cache-line sized, so that readers do not slow each other.
    struct alignas(64) slot {
        std::atomic<const published_version*> pinned{nullptr};
        std::atomic<bool> taken{false};
    };
    /// A free place, made if there is none. Locks; once for each reader.
    [[nodiscard]] slot& take_slot();
    static void give_back(slot& place) noexcept {
        place.pinned.store(nullptr, std::memory_order_release);
        place.taken.store(false, std::memory_order_release);
    }

    /// Pins the newest version. Lock-free: it looks again only if a newer one came meanwhile.
    [[nodiscard]] const published_version& pin(slot& place) const noexcept {
        const published_version* newest = newest_.load(std::memory_order_acquire);
        for (;;) {
            place.pinned.store(newest, std::memory_order_seq_cst);
            const published_version* again = newest_.load(std::memory_order_seq_cst);
            if (again == newest)
                return *newest;
            newest = again;
        }
    }

    /// The view's actor only: shows `version` to whoever pins from now on, and deletes old ones that
    /// nobody pins.
    void publish(published_version version);
    /// Readers may be made: there is a version.
    [[nodiscard]] bool ready() const noexcept { return newest_.load() != nullptr; }

private:
    std::atomic<const published_version*> newest_{nullptr};
    std::mutex mutex_; ///< guards slots_
    std::vector<std::unique_ptr<slot>> slots_;
    std::vector<std::unique_ptr<const published_version>> kept_; ///< the newest one is the last
};

/// A pinned version of view V: a pointer to it. Drop it soon: while it lives, so does the version.
template <class V>
class pinned_view {
public:
    pinned_view(view_publisher::slot* place, const published_version& version, std::uint32_t* depth)
        : place_(place),
          version_(&version),
          depth_(depth) {}
    pinned_view(pinned_view&& other) noexcept
        : place_(std::exchange(other.place_, nullptr)),
          version_(other.version_),
          depth_(other.depth_) {}
    pinned_view& operator=(pinned_view&&) = delete;
    ~pinned_view() {
        if (place_ != nullptr && --*depth_ == 0)
            place_->pinned.store(nullptr, std::memory_order_release);
    }

    const V& operator*() const noexcept { return *static_cast<const V*>(version_->state.get()); }
    const V* operator->() const noexcept { return static_cast<const V*>(version_->state.get()); }
    /// Everything up to here is reflected, nothing later.
    [[nodiscard]] log_position position() const noexcept { return version_->position; }

private:
    view_publisher::slot* place_;
    const published_version* version_;
    std::uint32_t* depth_;
};

/// Reads the published versions of view V. Cheap to read with, not quite as cheap to make: keep one
/// for each thread. One thread at a time; must outlive what it pins; may outlive the runtime, and then
/// shows the last version. While something is pinned, further reads show the same version.
template <class V>
class view_reader {
public:
    explicit view_reader(std::shared_ptr<view_publisher> from)
        : from_(std::move(from)),
          place_(&from_->take_slot()),
          depth_(std::make_unique<std::uint32_t>(0)) {}
    view_reader(view_reader&& other) noexcept = default;
    view_reader& operator=(view_reader&&) = delete;
    ~view_reader() {
        if (from_)
            view_publisher::give_back(*place_);
    }

    /// The newest version: neither a message nor a lock, some ten nanoseconds.
    [[nodiscard]] pinned_view<V> read() {
        if ((*depth_)++ == 0)
            current_ = &from_->pin(*place_);
        return pinned_view<V>(place_, *current_, depth_.get());
    }

private:
    std::shared_ptr<view_publisher> from_;
    view_publisher::slot* place_;
    std::unique_ptr<std::uint32_t> depth_;
    const published_version* current_ = nullptr;
};

} // namespace annals
