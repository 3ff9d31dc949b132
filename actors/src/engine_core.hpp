#pragma once

#include "admission.hpp"
#include "aggregate_directory.hpp"
#include "hosted_projection.hpp"
#include "space_checking.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace annals {

/// One hosted projection and its actors; a reaction has no query actor.
struct running_projection {
    std::shared_ptr<hosted_projection> of;
    caf::actor projection;
    caf::actor queries;
};

/// What the engine's actors share. Each holds it alive until it ends.
class engine_core : public std::enable_shared_from_this<engine_core> {
public:
    engine_core(engine_parts with, engine_limits within);

    /// What `check_hosted` has let pass.
    void host_all(std::span<const hosted> types);
    /// Reads the catalog; blocks.
    [[nodiscard]] result<void> open_projections();
    [[nodiscard]] result<void> start_projections();

    void send(std::shared_ptr<command_request> request);
    void ask(std::shared_ptr<query_request> request);
    void control(std::string_view projection, std::shared_ptr<control_request> request);
    void watch(std::shared_ptr<live_request> request);
    void ask_together(std::shared_ptr<joint_request> request);
    void when_reached(std::span<const std::string> projections, log_position position,
                      steady_time deadline, std::function<void(result<void>)> then,
                      std::shared_ptr<void> credit);
    [[nodiscard]] result<std::shared_ptr<void>> admit_wait();
    [[nodiscard]] result<void> is_projection(std::string_view name) const;
    [[nodiscard]] std::shared_ptr<view_publisher> publisher(std::type_index view) const;
    [[nodiscard]] std::string projection_name(std::type_index type) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>>
    recent_queries(std::chrono::seconds window) const;
    /// Sends `message` to `whom` at `due`, by the engine's clock. What is returned is in the deadline
    /// queue until then.
    template <class Message>
    std::shared_ptr<expirable> remind(steady_time due, const caf::actor& whom, Message message);

    steady_time tick();
    [[nodiscard]] engine_status status() const;
    /// No event is given to a reaction any more; handlers that run are asked to stop.
    void stop_reactions();
    [[nodiscard]] bool reactions_idle() const;
    [[nodiscard]] bool wait_reactions_until(steady_time deadline) const;
    void stop_actors();
    void stop_threads();

    /// Each actor calls these when it begins and ends.
    void actor_began() noexcept { live_.fetch_add(1); }
    void actor_ended() noexcept;
    [[nodiscard]] std::size_t live_actors() const noexcept { return live_.load(); }
    void wait_stopped() const;

    const engine_parts parts;
    const engine_limits limits;
    const std::shared_ptr<annals::admission> admission;

    aggregate_directory& directory() noexcept { return *directory_; }

private:
    struct command_route {
        const aggregate_type* type;
        std::size_t index; ///< in aggregate_type::commands
    };

    void host_aggregate(const aggregate_type& type);
    void host_projection(const hosted& what);
    [[nodiscard]] const running_projection* find(std::string_view name) const;
    [[nodiscard]] const running_projection* find(std::type_index type) const;
    /// Checks that the view is hosted and answers the query.
    [[nodiscard]] result<const running_projection*> view_for(std::type_index view,
                                                             std::type_index query) const;
    [[nodiscard]] std::optional<error> check_id(std::string_view id) const;
    [[nodiscard]] std::optional<error> check_metadata(const metadata& about) const;
    [[nodiscard]] error unknown_projection(std::string_view name) const;
    [[nodiscard]] error unknown_command(std::type_index type) const;
    void route(std::shared_ptr<command_request> request, const command_route& to);
    void sweep(steady_time now);
    /// The rows of every projection, and the catalog, are compared with what was noted about them.
    void start_check();

    const std::size_t most_metadata_; ///< 0: no limit
    std::unordered_map<std::type_index, command_route> commands_;
    std::vector<running_projection> projections_; ///< by name; does not change once it runs
    const std::shared_ptr<joint_board> joint_board_ = std::make_shared<joint_board>();
    caf::actor waits_;
    /// Shared with those who wait, who may outlive this.
    const std::shared_ptr<std::atomic<std::size_t>> waiting_ =
        std::make_shared<std::atomic<std::size_t>>(0);
    std::unique_ptr<aggregate_directory> directory_;
    std::shared_ptr<space_checking> check_;
    std::atomic<steady_time> next_sweep_{steady_time::min()};

    std::atomic<std::size_t> live_{0};
    mutable std::mutex mutex_;
    mutable std::condition_variable stopped_;
};

/// Sends a message when its time has come.
class reminder final : public expirable {
public:
    explicit reminder(std::function<void()> send) : send_(std::move(send)) {}
    void expire() noexcept override { send_(); }

private:
    const std::function<void()> send_;
};

template <class Message>
std::shared_ptr<expirable> engine_core::remind(steady_time due, const caf::actor& whom,
                                               Message message) {
    auto made = std::make_shared<reminder>(
        [to = caf::actor_cast<caf::weak_actor_ptr>(whom), message = std::move(message)] {
            if (auto actor = caf::actor_cast<caf::actor>(to))
                caf::anon_send(actor, message);
        });
    admission->deadlines.add(due, made);
    return made;
}

} // namespace annals
