#pragma once

#include "admission.hpp"
#include "aggregate_directory.hpp"
#include "view_gauge.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace annals {

/// One hosted view and its two actors.
struct hosted_view {
    const view_type* type = nullptr;
    std::shared_ptr<view_gauge> gauge;
    caf::actor projection;
    caf::actor queries;
};

/// What the engine's actors share. Each holds it alive until it ends.
class engine_core : public std::enable_shared_from_this<engine_core> {
public:
    engine_core(engine_parts with, engine_limits within);

    [[nodiscard]] result<void> host_all(std::span<const hosted> types);
    void start_views();

    void send(std::shared_ptr<command_request> request);
    void ask(std::shared_ptr<query_request> request);
    steady_time tick();
    [[nodiscard]] engine_status status() const;
    void stop_actors();

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

    [[nodiscard]] result<void> host_aggregate(const aggregate_type& type);
    [[nodiscard]] result<void> host_view(const view_type& type);
    [[nodiscard]] std::optional<error> check_id(std::string_view id) const;
    [[nodiscard]] error unknown_command(std::type_index type) const;
    [[nodiscard]] error unknown_query(const query_request& request) const;
    void route(std::shared_ptr<command_request> request, const command_route& to);
    void sweep(steady_time now);

    std::unordered_map<std::type_index, command_route> commands_;
    std::vector<const aggregate_type*> aggregates_;
    std::unordered_map<std::type_index, hosted_view> views_;
    std::unique_ptr<aggregate_directory> directory_;
    std::atomic<steady_time> next_sweep_{steady_time::min()};

    std::atomic<std::size_t> live_{0};
    mutable std::mutex mutex_;
    mutable std::condition_variable stopped_;
};

} // namespace annals
