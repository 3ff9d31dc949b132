#include "engine_core.hpp"

#include "aggregate_actor.hpp"
#include "joint_meeting.hpp"
#include "log_check.hpp"
#include "messages.hpp"
#include "progress_wait.hpp"
#include "projection_actor.hpp"
#include "query_actor.hpp"
#include "stored_query_actor.hpp"
#include "wait_actor.hpp"

#include "annals/hosting.hpp"

#include <algorithm>
#include <iterator>

namespace annals {

namespace {

/// Times beyond a century, such as `milliseconds::max()`, cannot be added to a clock's time.
engine_limits countable(engine_limits limits) {
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
    limits.idle_timeout = std::min(limits.idle_timeout, century);
    limits.query_timeout = std::min(limits.query_timeout, century);
    return limits;
}

/// One aggregate's share in the credits of all: at most half.
engine_limits fair(engine_limits limits) {
    const auto at_most_half = [](std::size_t& one, std::size_t of_all) {
        one = std::min(one, std::max<std::size_t>(of_all / 2, 1));
    };
    at_most_half(limits.max_commands_waiting_per_aggregate, limits.max_commands_in_flight);
    at_most_half(limits.max_command_bytes_waiting_per_aggregate,
                 limits.max_command_bytes_in_flight);
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

engine_parts complete(engine_parts with) {
    if (!with.answers)
        with.answers = with.feeds;
    return with;
}

} // namespace

engine_core::engine_core(engine_parts with, engine_limits within)
    : parts(complete(std::move(with))),
      limits(fair(countable(within))),
      admission(std::make_shared<annals::admission>(within)),
      most_metadata_(parts.journal->capabilities().max_metadata_bytes) {}

// --- hosting -------------------------------------------------------------------------------------

void engine_core::host_all(std::span<const hosted> types) {
    for (const hosted& one : types)
        if (one.aggregate != nullptr)
            host_aggregate(*one.aggregate);
        else
            host_projection(one);
    std::sort(projections_.begin(), projections_.end(), [](const auto& one, const auto& other) {
        return one.of->gauge->name() < other.of->gauge->name();
    });
    // The actors keep the core alive, so the core must not keep itself alive through the directory.
    directory_ = std::make_unique<aggregate_directory>(
        limits, admission->residents, [this](const std::shared_ptr<resident>& who) -> caf::actor {
            return parts.system->spawn<aggregate_actor>(shared_from_this(), who);
        });
}

void engine_core::host_aggregate(const aggregate_type& type) {
    std::size_t index = 0;
    for (const std::type_index command : type.commands())
        commands_.try_emplace(command, command_route{&type, index++});
}

void engine_core::host_projection(const hosted& what) {
    const projection_type& type = *what.projection;
    auto made = std::make_shared<hosted_projection>();
    made->what = what;
    made->gauge = std::make_shared<projection_gauge>(type, what.options);
    made->seat = std::make_shared<joint_seat>(joint_board_);
    if (type.kind() == projection_kind::reaction)
        made->activity = std::make_shared<reaction_activity>();
    projections_.push_back({std::move(made), {}, {}});
}

namespace {

/// What its actors find when they begin. Who looks right after opening is to know already that an
/// earlier version answers: its rows, or its saved copy.
void show_what_serves(hosted_projection& of) {
    const projection_record record = of.book->record();
    const projection_kind kind = of.what.projection->kind();
    if (kind == projection_kind::reaction)
        return;
    const bool in_memory = kind == projection_kind::view;
    if (!in_memory)
        of.serving_space.store(record.serving.space);
    const bool rebuilds = in_memory
                              ? record.serving.space != 0 &&
                                    !projection_book::same_make(record.serving, of.book->present())
                              : record.building.space != 0;
    if (!rebuilds)
        return;
    of.gauge->serves_version(record.serving.version);
    rebuild_status progress;
    progress.version = of.what.projection->version();
    progress.position = record.building.since;
    of.gauge->rebuilds(progress);
}

} // namespace

result<void> engine_core::open_projections() {
    if (!parts.projections)
        return {}; // nothing is hosted that would keep anything
    if (auto checked = check_against_log(*parts.projections, *parts.journal); !checked)
        return checked;
    if (projections_.empty())
        return {};
    const auto head = read_mark(*parts.journal, parts.journal->head());
    if (!head)
        return head.error();
    if (auto swept = catalog::sweep(*parts.projections); !swept)
        return swept;
    for (auto& each : projections_) {
        hosted_projection& of = *each.of;
        auto book = projection_book::open(of.what, parts.projections, *head);
        if (!book)
            return book.error();
        of.book = *std::move(book);
        show_what_serves(of);
        of.gauge->notes(of.book->note());
        of.gauge->set_aside.store(of.book->set_aside_count(projection_book::list::serving));
        if (of.book->record().paused)
            of.gauge->is(projection_gauge::mode::paused);
        if (of.what.publish) {
            of.publisher = std::make_shared<view_publisher>();
            try {
                std::shared_ptr<view_instance> empty =
                    static_cast<const view_type&>(*of.what.projection).make();
                const void* state = empty->state();
                of.publisher->publish({std::shared_ptr<const void>(std::move(empty), state), 0});
            } catch (...) { // the view fails when it begins, and has no readers until it does not
                of.gauge->failed_with("making the view threw: " + describe_current_exception());
            }
        }
    }
    return {};
}

result<void> engine_core::start_projections() {
    waits_ = parts.system->spawn<wait_actor>(shared_from_this());
    for (auto& each : projections_)
        each.of->gauge->on_reached([to = caf::actor_cast<caf::weak_actor_ptr>(waits_),
                                    gauge = std::weak_ptr(each.of->gauge)] {
            const auto reached = gauge.lock();
            if (const auto actor = caf::actor_cast<caf::actor>(to); actor && reached)
                caf::anon_send(actor, reached_message{reached});
        });
    for (auto& each : projections_) {
        hosted_projection& of = *each.of;
        std::vector<std::shared_ptr<reaction_type::handler>> handlers;
        switch (of.what.projection->kind()) {
        case projection_kind::view:
            each.queries =
                of.what.options.own_thread
                    ? parts.system->spawn<query_actor, caf::detached>(shared_from_this(), each.of)
                    : parts.system->spawn<query_actor>(shared_from_this(), each.of);
            break;
        case projection_kind::stored_view:
            of.threads.push_back(parts.new_thread());
            each.queries = parts.system->spawn<stored_query_actor>(shared_from_this(), each.of);
            break;
        case projection_kind::reaction: {
            auto made = static_cast<const reaction_type&>(*of.what.projection)
                            .handlers(of.what.options.partitions);
            if (!made)
                return made.error();
            for (auto& handler : *made) {
                handlers.push_back(std::move(handler));
                of.threads.push_back(parts.new_thread());
            }
        }
        }
        each.projection = parts.system->spawn<projection_actor>(shared_from_this(), each.of,
                                                                each.queries, std::move(handlers));
    }
    start_check();
    return {};
}

void engine_core::start_check() {
    struct owner {
        row_space space;
        std::shared_ptr<projection_gauge> gauge;
        caf::weak_actor_ptr projection;
    };
    std::vector<owner> owners;
    std::vector<row_space> spaces{catalog_space};
    for (const auto& each : projections_) {
        const projection_record record = each.of->book->record();
        for (const auto space : {catalog_space, record.serving.space, record.building.space}) {
            if (space != catalog_space)
                spaces.push_back(space);
            else if (!owners.empty() && owners.back().gauge == each.of->gauge)
                continue;
            owners.push_back(
                {space, each.of->gauge, caf::actor_cast<caf::weak_actor_ptr>(each.projection)});
        }
    }
    auto store = std::dynamic_pointer_cast<const row_checking>(parts.projections);
    if (owners.empty() || !store)
        return;
    check_ = std::make_shared<space_checking>(
        std::move(store), parts.feeds, std::move(spaces),
        [owners = std::move(owners)](row_space space, const error& why) {
            for (const owner& each : owners) {
                if (each.space != space)
                    continue;
                each.gauge->failed_with(why.message);
                if (auto actor = caf::actor_cast<caf::actor>(each.projection))
                    caf::anon_send(actor, damaged_message{space, why});
            }
        });
    check_->begin();
}

const running_projection* engine_core::find(std::string_view name) const {
    for (const auto& each : projections_)
        if (each.of->gauge->name() == name)
            return &each;
    return nullptr;
}

const running_projection* engine_core::find(std::type_index type) const {
    for (const auto& each : projections_)
        if (each.of->what.projection->type() == type)
            return &each;
    return nullptr;
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

result<const running_projection*> engine_core::view_for(std::type_index view,
                                                        std::type_index query) const {
    std::vector<std::string> known;
    const running_projection* found = find(view);
    if (found == nullptr) {
        for (const auto& each : projections_)
            if (each.of->what.projection->kind() != projection_kind::reaction)
                known.push_back(readable_name(each.of->what.projection->type()));
        return error{
            errc::unknown_query,
            "view " + readable_name(view) + " is not hosted, so " + readable_name(query) +
                " has no answer; pass it to runtime::open. Hosted views: " + list_of(known)};
    }
    if (found->of->gauge->query(query) != nullptr)
        return found;
    for (const auto& each : found->of->gauge->query_types())
        known.push_back(each.name());
    return error{errc::unknown_query, "view \"" + found->of->gauge->name() + "\" does not list " +
                                          readable_name(query) +
                                          " among its queries; add it to View::query. Queries it "
                                          "answers: " +
                                          list_of(known)};
}

/// Found here, no commit fails for it, and with it what its aggregate has decided on top.
std::optional<error> engine_core::check_metadata(const metadata& about) const {
    std::size_t size = about.actor.size();
    for (const auto& [name, value] : about.extra)
        size += name.size() + value.size();
    if (most_metadata_ == 0 || size <= most_metadata_)
        return std::nullopt;
    return error{errc::too_large, "metadata of " + std::to_string(size) +
                                      " bytes; the journal takes " +
                                      std::to_string(most_metadata_) + "; shorten it"};
}

void engine_core::send(std::shared_ptr<command_request> request) {
    // Before anything can fail: every error names the id by which the command may be repeated.
    request->named_ = !request->about.command_id.is_nil();
    if (!request->named_)
        request->about.command_id = parts.ids->next();
    request->charge_sent();
    if (auto refused = admission->admit_command(request->charged_bytes())) {
        // The limit that says what to do: metadata may be too large for the journal as well.
        if (refused->code == errc::too_large)
            if (auto wrong = check_metadata(request->about))
                refused = std::move(wrong);
        count(admission->count.failed);
        request->fail(*std::move(refused));
        return;
    }
    request->admission_ = admission;
    const auto where = commands_.find(request->type);
    std::optional<error> wrong =
        where == commands_.end() ? unknown_command(request->type) : check_id(request->aggregate_id);
    if (!wrong)
        wrong = check_metadata(request->about);
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
    auto place = directory_->reach(std::move(stream), category.size() + 1, *to.type,
                                   request->charged_bytes(), parts.clock->steady());
    if (!place.target) {
        if (place.closed)
            request->fail(closed_error());
        else
            request->fail(error{errc::overloaded, "too many commands, or too large ones, wait for "
                                                  "aggregate \"" +
                                                      request->aggregate_id +
                                                      "\"; wait for answers before sending more"});
        return;
    }
    request->waits_ = true;
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
    auto view = view_for(request->view, request->query);
    if (!view) {
        request->fail(view.error());
        return;
    }
    const hosted_projection& of = *(*view)->of;
    request->gauge_ = of.gauge;
    request->measured_ = of.gauge->query(request->query);
    request->clock_ = parts.clock;
    request->asked_ = parts.clock->steady();
    if (request->deadline == steady_time::max())
        request->deadline = request->asked_ + limits.query_timeout;
    if (request->as_of != steady_time::min() && of.gauge->last_at_head() <= request->as_of)
        request->at_least = std::max(request->at_least, parts.journal->head());
    caf::anon_send((*view)->queries, query_message{query_ref(std::move(request))});
}

void engine_core::watch(std::shared_ptr<live_request> request) {
    auto view = view_for(request->view, request->query);
    if (admission->closed()) {
        request->fail(closed_error());
        return;
    }
    if (!view) {
        request->fail(view.error());
        return;
    }
    live_request& itself = *request;
    std::shared_ptr<live_request> until_dropped(
        &itself, [request = std::move(request)](live_request*) { request->fail(closed_error()); });
    caf::anon_send((*view)->queries, live_message{std::move(until_dropped)});
}

void engine_core::ask_together(std::shared_ptr<joint_request> request) {
    std::vector<joint_meeting::participant> views;
    for (const auto& part : request->parts()) {
        auto view = view_for(part.view, part.query);
        if (view && (*view)->of->what.projection->kind() != projection_kind::view)
            view = error{errc::invalid_argument,
                         "view \"" + (*view)->of->gauge->name() +
                             "\" is stored; only views in memory are asked together"};
        if (!view) {
            request->fail(view.error());
            return;
        }
        views.push_back({(*view)->queries, (*view)->of->seat, (*view)->of->gauge});
    }
    if (request->deadline == steady_time::max())
        request->deadline = parts.clock->steady() + limits.query_timeout;
    if (auto refused = admission->admit_query()) {
        request->fail(*std::move(refused));
        return;
    }
    const auto meeting = std::make_shared<joint_meeting>(std::move(request), std::move(views),
                                                         joint_board_, admission);
    meeting->begin();
}

namespace {
/// As long as a view takes for the log, or until somebody resumes it. Closing does not wait for that.
bool may_take_long(control_request::action what) {
    return what == control_request::action::rebuild || what == control_request::action::replay;
}
} // namespace

void engine_core::control(std::string_view projection, std::shared_ptr<control_request> request) {
    if (admission->closed()) {
        request->complete(closed_error());
        return;
    }
    const running_projection* found = find(projection);
    if (found == nullptr) {
        request->complete(unknown_projection(projection));
        return;
    }
    std::shared_ptr<void> counted;
    if (!may_take_long(request->what)) {
        if (auto refused = admission->admit_order()) {
            request->complete(*std::move(refused));
            return;
        }
        counted = {static_cast<void*>(nullptr), [to = admission](void*) { to->release_order(); }};
    }
    caf::anon_send(found->projection, control_message{std::make_shared<control_duty>(
                                          std::move(request), std::move(counted))});
}

error engine_core::unknown_projection(std::string_view name) const {
    std::vector<std::string> known;
    for (const auto& each : projections_)
        known.push_back(each.of->gauge->name());
    return {errc::invalid_argument, "no hosted projection is called \"" + std::string(name) +
                                        "\". There are: " + list_of(known)};
}

result<std::shared_ptr<void>> engine_core::admit_wait() {
    if (waiting_->fetch_add(1) >= limits.max_waits) {
        waiting_->fetch_sub(1);
        return error{
            errc::overloaded,
            "more than " + std::to_string(limits.max_waits) +
                " wait for projections to reach a position; wait for answers before asking "
                "for more, or raise engine_limits::max_waits"};
    }
    return std::shared_ptr<void>(nullptr, [waiting = waiting_](void*) { waiting->fetch_sub(1); });
}

void engine_core::when_reached(std::span<const std::string> projections, log_position position,
                               steady_time deadline, std::function<void(result<void>)> then,
                               std::shared_ptr<void> credit) {
    if (admission->closed()) {
        then(closed_error());
        return;
    }
    std::vector<std::shared_ptr<projection_gauge>> gauges;
    for (const auto& name : projections) {
        const running_projection* found = find(name);
        if (found == nullptr) {
            then(unknown_projection(name));
            return;
        }
        if (std::find(gauges.begin(), gauges.end(), found->of->gauge) == gauges.end())
            gauges.push_back(found->of->gauge);
    }
    if (!credit) {
        auto admitted = admit_wait();
        if (!admitted) {
            then(admitted.error());
            return;
        }
        credit = *std::move(admitted);
    }
    if (deadline == steady_time::max())
        deadline = parts.clock->steady() + limits.query_timeout;
    caf::anon_send(
        waits_, wait_message{std::make_shared<progress_wait>(std::move(gauges), position, deadline,
                                                             std::move(then), std::move(credit))});
}

result<void> engine_core::is_projection(std::string_view name) const {
    if (find(name) == nullptr)
        return unknown_projection(name);
    return {};
}

std::shared_ptr<view_publisher> engine_core::publisher(std::type_index view) const {
    const running_projection* found = find(view);
    return found == nullptr ? nullptr : found->of->publisher;
}

std::string engine_core::projection_name(std::type_index type) const {
    const running_projection* found = find(type);
    return found == nullptr ? std::string() : found->of->gauge->name();
}

std::vector<std::pair<std::string, std::uint64_t>>
engine_core::recent_queries(std::chrono::seconds window) const {
    const auto longest = static_cast<std::int64_t>(query_gauge::longest_window);
    const auto seconds =
        static_cast<std::size_t>(std::clamp<std::int64_t>(window.count(), 0, longest));
    const steady_time now = parts.clock->steady();
    std::vector<std::pair<std::string, std::uint64_t>> made;
    for (const auto& each : projections_)
        for (const auto& query : each.of->gauge->query_types())
            made.emplace_back(query.name(), query.recently(now, seconds));
    return made;
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
    // Some at a time, so that commands do not wait for many that leave.
    constexpr std::size_t most = 256;
    constexpr std::chrono::milliseconds shortest{10};
    const bool more = directory_->ask_idle(now - limits.idle_timeout, most) == most;
    next_sweep_.store(
        now + (more ? shortest
                    : std::clamp<std::chrono::milliseconds>(limits.idle_timeout / 4, shortest,
                                                            std::chrono::seconds(10))));
}

engine_status engine_core::status() const {
    engine_status now;
    const counters& c = admission->count;
    now.head = parts.journal->head();
    now.journal = parts.journal->health();
    now.warnings = parts.journal->warnings();
    std::ranges::move(parts.projections->warnings(), std::back_inserter(now.warnings));
    now.resident_aggregates = directory_->size();
    now.commands_in_flight = admission->commands();
    now.command_bytes_in_flight = admission->command_bytes();
    now.queries_in_flight = admission->queries();
    now.waits = waiting_->load();
    now.commands_stored = c.stored.load();
    now.commands_already_stored = c.already_stored.load();
    now.commands_nothing = c.nothing.load();
    now.commands_rejected = c.rejected.load();
    now.commands_failed = c.failed.load();
    now.queries_failed = c.queries_failed.load();
    now.rehydrations = c.rehydrations.load();
    now.passivations = c.passivations.load();
    now.conflicts = c.conflicts.load();
    for (const auto& each : projections_) {
        now.projections.push_back(
            each.of->gauge->read(now.head, parts.clock->steady(), each.of->rows->told()));
        now.queries_answered += now.projections.back().queries;
    }
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

void engine_core::stop_reactions() {
    for (const auto& each : projections_)
        if (each.of->activity)
            each.of->activity->close();
}

bool engine_core::reactions_idle() const {
    return std::ranges::all_of(projections_, [](const auto& each) {
        return !each.of->activity || each.of->activity->idle();
    });
}

bool engine_core::wait_reactions_until(steady_time deadline) const {
    return std::ranges::all_of(projections_, [&](const auto& each) {
        return !each.of->activity || each.of->activity->wait_idle_until(deadline);
    });
}

void engine_core::stop_actors() {
    stop_reactions(); // before anything that they need is refused
    admission->close_intake();
    if (check_)
        check_->stop();
    for (const auto& actor : directory_->clear())
        end(actor);
    end(waits_);
    for (auto& each : projections_) {
        end(each.queries); // first: a dying lane would have it drop what it is to save
        end(each.projection);
    }
}

void engine_core::stop_threads() {
    // Handlers may wait for what will not come any more, and nobody looks at the clock now.
    admission->deadlines.fire(steady_time::max());
    for (auto& each : projections_)
        for (const auto& thread : each.of->threads)
            thread->stop();
}

} // namespace annals
