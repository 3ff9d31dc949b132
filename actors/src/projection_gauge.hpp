#pragma once

#include "annals/engine.hpp"
#include "query_gauge.hpp"
#include "recent_counts.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace annals {

/// Where a projection is: for status, for error messages, and for those who wait for a position.
/// Written by its actors, read by anyone. Thread-safe.
class projection_gauge : public std::enable_shared_from_this<projection_gauge> {
public:
    using state = projection_status::state;

    projection_gauge(const projection_type& type, const projection_options& options);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] log_position position() const noexcept { return position_.load(); }
    [[nodiscard]] state now() const noexcept {
        const mode is = mode_.load();
        if (is != mode::running)
            return static_cast<state>(is);
        return at_head_.load() ? state::live : state::catching_up;
    }
    [[nodiscard]] std::size_t max_waiting() const noexcept { return max_waiting_; }

    // --- written by the projection's actors -------------------------------------------------------
    /// Everything up to `position` has taken effect; `events` more than before did. `read_at`: it was
    /// all there was at that time.
    void reached(log_position position, std::uint64_t events, std::optional<steady_time> read_at,
                 steady_time at);
    /// It stands somewhere else: at its start, after a reset, after a swap.
    void stands_at(log_position position);
    /// How it is run. While it is `running`, its state depends on whether it has caught up.
    enum class mode : std::uint8_t {
        running = 255,
        retrying = static_cast<std::uint8_t>(state::retrying),
        paused = static_cast<std::uint8_t>(state::paused),
        failed = static_cast<std::uint8_t>(state::failed),
        stopped = static_cast<std::uint8_t>(state::stopped),
    };
    void is(mode now) noexcept { mode_.store(now); }
    void failed_with(const std::string& why);
    void notes(std::string what);
    void serves_version(std::uint32_t version) noexcept { version_.store(version); }
    void rebuilds(std::optional<rebuild_status> what);
    void rebuilt_up_to(log_position position, steady_time at);

    std::atomic<std::uint64_t> set_aside{0};
    std::atomic<std::uint64_t> queries{0};
    std::atomic<std::size_t> queries_waiting{0};
    /// A live query that the view's actor has taken; it counts until it is over.
    void is_watched_by(const std::shared_ptr<const live_request>& query);

    /// What is measured of its queries of the type with this index; null if there is none.
    [[nodiscard]] query_gauge* query(std::type_index type) noexcept;
    [[nodiscard]] const std::deque<query_gauge>& query_types() const noexcept { return queries_; }

    // --- waiting -------------------------------------------------------------------------------------
    /// `wake` runs once everything up to the position of `wake_at` has taken effect, on the thread that
    /// brings it about, which it must not hold up. Set it once, before the projection runs.
    void on_reached(std::function<void()> wake) { wake_ = std::move(wake); }
    /// Replaces the position before. True if it has been reached: then nothing runs.
    [[nodiscard]] bool wake_at(log_position position);

    /// `told`: an answer has told this position already.
    [[nodiscard]] projection_status read(log_position head, steady_time at,
                                         log_position told = 0) const;

    /// The latest moment of which it is known that all durable by then has taken effect.
    [[nodiscard]] steady_time last_at_head() const noexcept { return last_at_head_.load(); }

private:
    void wake_if_reached(log_position position);
    static constexpr log_position nowhere = ~log_position{0};
    static constexpr std::size_t rate_seconds = 10;

    const std::string name_;
    const projection_kind kind_;
    const std::size_t max_waiting_;
    std::atomic<std::uint32_t> version_;
    std::atomic<log_position> position_{0};
    std::atomic<std::uint64_t> events_{0};
    std::atomic<mode> mode_{mode::running};
    std::atomic<bool> at_head_{false};
    std::atomic<steady_time> last_at_head_{steady_time::min()};
    recent_counts<rate_seconds + 2> rate_;
    std::atomic<steady_time> first_event_{steady_time::max()};
    std::atomic<log_position> first_position_{0}; ///< where it stood before that
    std::deque<query_gauge> queries_;

    mutable std::mutex mutex_; ///< guards what follows
    std::string last_error_;
    std::string note_;
    std::optional<rebuild_status> rebuilding_;
    log_position rebuild_from_ = 0;
    steady_time rebuild_since_{};
    std::vector<std::weak_ptr<const live_request>> live_queries_; ///< also such as are over
    std::size_t prune_at_ = 64;                                   ///< so many of them

    std::atomic<log_position> wake_at_{nowhere};
    std::function<void()> wake_;
};

} // namespace annals
