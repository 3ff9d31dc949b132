#include "engine_core.hpp"

#include "aggregate_actor.hpp"
#include "projection_actor.hpp"
#include "query_actor.hpp"

#include <caf/send.hpp>

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>

namespace annals {

namespace {

std::string readable_name(std::type_index type) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : type.name();
}

/// Times beyond a century, such as `milliseconds::max()`, cannot be added to a clock's time.
engine_limits countable(engine_limits limits) {
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
    limits.idle_timeout = std::min(limits.idle_timeout, century);
    limits.query_timeout = std::min(limits.query_timeout, century);
    return limits;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? "none" : all;
}

/// Ends an actor ahead of what waits in its mailbox, which is then dropped.
void end(const caf::actor& actor) {
    if (actor)
        actor->enqueue(
            nullptr, caf::make_message_id(caf::message_priority::high),
            caf::make_message(caf::exit_msg{actor->address(), caf::exit_reason::user_shutdown}),
            nullptr);
}

} // namespace

engine_core::engine_core(engine_parts with, engine_limits within)
    : parts(std::move(with)),
      limits(countable(within)),
      admission(std::make_shared<annals::admission>(within)) {}

// --- hosting -------------------------------------------------------------------------------------

result<void> engine_core::host_all(std::span<const hosted> types) {
    for (const hosted& one : types) {
        auto done =
            one.aggregate != nullptr ? host_aggregate(*one.aggregate) : host_view(*one.view);
        if (!done)
            return done;
    }
    // The actors keep the core alive, so the core must not keep itself alive through the directory.
    directory_ = std::make_unique<aggregate_directory>(
        limits, [this](const std::shared_ptr<resident>& who) -> caf::actor {
            return parts.system->spawn<aggregate_actor>(shared_from_this(), who);
        });
    return {};
}

result<void> engine_core::host_aggregate(const aggregate_type& type) {
    for (const auto* other : aggregates_)
        if (other->name() == type.name())
            return error{errc::invalid_argument, "two hosted aggregates have the name \"" +
                                                     std::string(type.name()) +
                                                     "\"; rename one of them"};
    std::size_t index = 0;
    for (const std::type_index command : type.commands()) {
        const auto [at, added] = commands_.try_emplace(command, command_route{&type, index++});
        if (!added)
            return error{errc::invalid_argument,
                         "command " + readable_name(command) + " is handled by both \"" +
                             std::string(at->second.type->name()) + "\" and \"" +
                             std::string(type.name()) + "\"; give each its own command type"};
    }
    aggregates_.push_back(&type);
    return {};
}

result<void> engine_core::host_view(const view_type& type) {
    for (const auto& [key, other] : views_)
        if (other.type->name() == type.name())
            return error{errc::invalid_argument, "two hosted views have the name \"" +
                                                     std::string(type.name()) +
                                                     "\"; rename one of them"};
    views_[type.type()] = {&type, std::make_shared<view_gauge>(type.name()), {}, {}};
    return {};
}

void engine_core::start_views() {
    for (auto& [key, view] : views_) {
        view.queries = parts.system->spawn<query_actor>(shared_from_this(), *view.type, view.gauge);
        view.projection = parts.system->spawn<projection_actor>(shared_from_this(), *view.type,
                                                                view.gauge, view.queries);
    }
}

// --- requests ------------------------------------------------------------------------------------

std::optional<error> engine_core::check_id(std::string_view id) const {
    if (id.empty())
        return error{errc::invalid_argument, "the aggregate id is empty; name the aggregate"};
    if (id.size() > limits.max_id_bytes)
        return error{errc::invalid_argument,
                     "the aggregate id has " + std::to_string(id.size()) + " bytes, more than " +
                         std::to_string(limits.max_id_bytes) +
                         "; shorten it or raise engine_limits::max_id_bytes"};
    return std::nullopt;
}

error engine_core::unknown_command(std::type_index type) const {
    std::vector<std::string> known;
    for (const auto& [command, where] : commands_)
        known.push_back(readable_name(command));
    std::sort(known.begin(), known.end());
    return {errc::unknown_command,
            "no hosted aggregate handles " + readable_name(type) +
                "; host one that lists it. Known commands: " + list_of(known)};
}

error engine_core::unknown_query(const query_request& request) const {
    std::vector<std::string> known;
    for (const auto& [type, view] : views_)
        known.push_back(readable_name(type));
    std::sort(known.begin(), known.end());
    return {errc::unknown_query,
            "view " + readable_name(request.view) + " is not hosted, so " +
                readable_name(request.query) +
                " has no answer; pass it to runtime::open. Hosted views: " + list_of(known)};
}

void engine_core::send(std::shared_ptr<command_request> request) {
    if (auto refused = admission->admit_command(request->charged_bytes)) {
        count(admission->count.failed);
        request->fail(*std::move(refused));
        return;
    }
    request->admission_ = admission;
    const auto where = commands_.find(request->type);
    std::optional<error> wrong =
        where == commands_.end() ? unknown_command(request->type) : check_id(request->aggregate_id);
    if (!wrong) {
        route(std::move(request), where->second);
        return;
    }
    request->fail(*std::move(wrong));
}

void engine_core::route(std::shared_ptr<command_request> request, const command_route& to) {
    const std::string_view category = to.type->name();
    std::string stream;
    stream.reserve(category.size() + 1 + request->aggregate_id.size());
    stream.append(category).append(1, '-').append(request->aggregate_id);
    if (auto valid = check_stream_name(stream); !valid) {
        request->fail(valid.error());
        return;
    }
    request->command_index_ = to.index;
    request->named_ = !request->about.command_id.is_nil();
    auto place =
        directory_->reach(std::move(stream), category.size() + 1, *to.type, parts.clock->steady());
    if (!place.target) {
        if (place.closed)
            request->fail(closed_error());
        else
            request->fail(error{errc::overloaded, "too many commands wait for aggregate \"" +
                                                      request->aggregate_id +
                                                      "\"; wait for answers before sending more"});
        return;
    }
    request->aggregate_ = std::move(place.target);
    if (request->deadline != steady_time::max())
        admission->deadlines.add(request->deadline, request);
    caf::anon_send(place.actor, command_message{command_ref(std::move(request))});
}

void engine_core::ask(std::shared_ptr<query_request> request) {
    if (auto refused = admission->admit_query()) {
        count(admission->count.queries_failed);
        request->fail(*std::move(refused));
        return;
    }
    request->admission_ = admission;
    const auto view = views_.find(request->view);
    if (view == views_.end()) {
        count(admission->count.queries_failed);
        request->fail(unknown_query(*request));
        return;
    }
    if (request->deadline == steady_time::max())
        request->deadline = parts.clock->steady() + limits.query_timeout;
    request->gauge_ = view->second.gauge;
    caf::anon_send(view->second.queries, query_message{query_ref(std::move(request))});
}

// --- time and state ------------------------------------------------------------------------------

steady_time engine_core::tick() {
    const steady_time now = parts.clock->steady();
    const steady_time due = admission->deadlines.fire(now);
    if (now >= next_sweep_.load())
        sweep(now);
    return std::min(due, next_sweep_.load());
}

void engine_core::sweep(steady_time now) {
    for (const auto& actor : directory_->candidates(now - limits.idle_timeout))
        caf::anon_send(actor, passivate_message{});
    const auto pause = std::clamp<std::chrono::milliseconds>(
        limits.idle_timeout / 4, std::chrono::milliseconds(10), std::chrono::seconds(10));
    next_sweep_.store(now + pause);
}

engine_status engine_core::status() const {
    engine_status now;
    const counters& c = admission->count;
    now.head = parts.journal->head();
    now.resident_aggregates = directory_->size();
    now.commands_in_flight = admission->commands();
    now.command_bytes_in_flight = admission->command_bytes();
    now.queries_in_flight = admission->queries();
    now.commands_stored = c.stored.load();
    now.commands_already_stored = c.already_stored.load();
    now.commands_nothing = c.nothing.load();
    now.commands_rejected = c.rejected.load();
    now.commands_failed = c.failed.load();
    now.queries_failed = c.queries_failed.load();
    now.rehydrations = c.rehydrations.load();
    now.passivations = c.passivations.load();
    now.conflicts = c.conflicts.load();
    for (const auto& [type, view] : views_) {
        now.views.push_back(view.gauge->read(now.head));
        now.queries_answered += now.views.back().queries;
    }
    std::sort(now.views.begin(), now.views.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return now;
}

// --- stopping ------------------------------------------------------------------------------------

void engine_core::actor_ended() noexcept {
    std::lock_guard lock(mutex_);
    if (live_.fetch_sub(1) == 1)
        stopped_.notify_all();
}

void engine_core::wait_stopped() const {
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, [this] { return live_.load() == 0; });
}

void engine_core::stop_actors() {
    admission->close_intake();
    for (const auto& actor : directory_->clear())
        end(actor);
    for (auto& [type, view] : views_) {
        end(view.projection);
        end(view.queries);
    }
}

} // namespace annals
