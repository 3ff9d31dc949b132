#include "annals/engine.hpp"

#include "engine_core.hpp"
#include "opening_check.hpp"

#include <algorithm>
#include <system_error>

namespace annals {

std::string_view to_string(projection_status::state state) noexcept {
    switch (state) {
    case projection_status::state::catching_up:
        return "catching up";
    case projection_status::state::live:
        return "live";
    case projection_status::state::retrying:
        return "retrying";
    case projection_status::state::paused:
        return "paused";
    case projection_status::state::failed:
        return "failed";
    case projection_status::state::stopped:
        return "stopped";
    }
    return "?";
}

engine::engine(std::shared_ptr<engine_core> core) : core_(std::move(core)) {}

engine::~engine() {
    core_->stop_actors();
}

result<void> engine::check(const engine_limits& limits, std::span<const hosted> types) {
    if (auto checked = check_limits(limits); !checked)
        return checked;
    return check_hosted(types);
}

result<std::unique_ptr<engine>> engine::start(engine_parts parts, engine_limits limits,
                                              std::span<const hosted> types) {
    if (auto checked = check(limits, types); !checked)
        return checked.error();
    auto core = std::make_shared<engine_core>(std::move(parts), limits);
    core->host_all(types);
    if (auto opened = core->open_projections(); !opened)
        return opened.error();
    // The engine's destructor stops those that run, should a later one fail to start.
    std::unique_ptr<engine> made(new engine(core));
    result<void> started;
    try {
        started = core->start_projections();
    } catch (const std::system_error& why) { // a thread that cannot be started
        started = error{errc::unavailable, std::string("a projection cannot be started: ") +
                                               why.what() + "; raise the limit on threads " +
                                               "(ulimit -u), then open again"};
    }
    if (!started) {
        core->stop_actors();
        core->wait_stopped();
        core->stop_threads();
        return started.error();
    }
    return made;
}

void engine::send(std::shared_ptr<command_request> request) {
    if (!request->answers_inline)
        request->continue_on(core_->parts.callbacks);
    core_->send(std::move(request));
}

void engine::ask(std::shared_ptr<query_request> request) {
    core_->ask(std::move(request));
}

void engine::control(std::string_view projection, std::shared_ptr<control_request> request) {
    core_->control(projection, std::move(request));
}

void engine::watch(std::shared_ptr<live_request> request) {
    core_->watch(std::move(request));
}

void engine::ask_together(std::shared_ptr<joint_request> request) {
    core_->ask_together(std::move(request));
}

void engine::when_reached(std::span<const std::string> projections, log_position position,
                          steady_time deadline, std::function<void(result<void>)> then,
                          std::shared_ptr<void> credit) {
    core_->when_reached(projections, position, deadline, std::move(then), std::move(credit));
}

result<std::shared_ptr<void>> engine::admit_wait() {
    return core_->admit_wait();
}

result<void> engine::is_projection(std::string_view name) const {
    return core_->is_projection(name);
}

std::shared_ptr<view_publisher> engine::publisher(std::type_index view) const {
    return core_->publisher(view);
}

std::string engine::projection_name(std::type_index type) const {
    return core_->projection_name(type);
}

std::vector<std::pair<std::string, std::uint64_t>>
engine::recent_queries(std::chrono::seconds window) const {
    return core_->recent_queries(window);
}

void engine::stop_threads() {
    core_->stop_threads();
}

steady_time engine::tick() {
    return core_->tick();
}

void engine::on_earlier_deadline(std::function<void()> changed) {
    core_->admission->deadlines.on_earlier(std::move(changed));
}

engine_status engine::status() const {
    return core_->status();
}

void engine::stop_reactions() {
    core_->stop_reactions();
}

bool engine::reactions_idle() const {
    return core_->reactions_idle();
}

bool engine::wait_reactions(std::chrono::milliseconds timeout) const {
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
    return core_->wait_reactions_until(std::chrono::steady_clock::now() +
                                       std::min(timeout, century));
}

void engine::stop_intake() {
    core_->admission->close_intake();
}

bool engine::drained() const {
    return core_->admission->idle();
}

bool engine::wait_drained(std::chrono::milliseconds timeout) const {
    return core_->admission->wait_idle(timeout);
}

void engine::stop_actors() {
    core_->stop_actors();
}

std::size_t engine::live_actors() const {
    return core_->live_actors();
}

void engine::wait_stopped() const {
    core_->wait_stopped();
}

} // namespace annals
