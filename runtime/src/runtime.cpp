#include "annals/runtime.hpp"

#include "actor_system.hpp"
#include "control_access.hpp"
#include "fork_guard.hpp"
#include "thread_room.hpp"
#include "ticker.hpp"

#include "annals/lmdb_stores.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace annals {

class runtime::state : public std::enable_shared_from_this<runtime::state> {
public:
    explicit state(config with) : with_(std::move(with)) {}
    ~state() { (void)close(); }

    [[nodiscard]] result<void> start(std::span<const hosted> types);
    void leave_to_host();
    result<void> close();
    void send(std::shared_ptr<command_request> request, send_options options);
    void ask(std::shared_ptr<query_request> request, ask_options options);
    void ask(std::shared_ptr<joint_request> request, ask_options options);
    void watch(std::shared_ptr<live_request> request);
    void control(std::string_view projection, std::shared_ptr<control_request> request);
    [[nodiscard]] future<receipt> wait_for(std::vector<std::string> projections,
                                           std::shared_ptr<command_request> request,
                                           future<receipt> stored, send_options options);
    [[nodiscard]] future<log_position> reaches(const std::string& projection, log_position position,
                                               std::chrono::milliseconds timeout);
    [[nodiscard]] engine& running() const noexcept { return *engine_; }
    [[nodiscard]] projection_store& projections() const noexcept { return *projections_; }

    [[nodiscard]] std::shared_ptr<runtime_door> door();
    [[nodiscard]] std::shared_ptr<projection_control::access> access();
    /// This is a fork's child: the threads that all this needs are in the parent.
    [[nodiscard]] bool forked() const noexcept { return forks_so_far() != forks_; }
    [[nodiscard]] annals::journal& journal() const noexcept { return *journal_; }
    [[nodiscard]] engine_status status() const;
    [[nodiscard]] const std::shared_ptr<blocking_executor>& callbacks() const noexcept {
        return callbacks_;
    }

private:
    class weak_door;
    class weak_access;
    [[nodiscard]] result<void> check(std::span<const hosted> types) const;
    /// Threads that are started with the actor system and after it.
    [[nodiscard]] std::size_t last_threads(std::span<const hosted> types) const;
    /// Address space that the stores will take.
    [[nodiscard]] std::size_t mapped_bytes() const noexcept;
    [[nodiscard]] std::size_t most_views_bytes() const noexcept;
    /// All that are started.
    [[nodiscard]] std::size_t all_threads(std::span<const hosted> types) const;
    [[nodiscard]] result<void> open_stores();
    [[nodiscard]] result<void> open_both();
    /// A timeout beyond a century, such as `milliseconds::max()`, is a century: no overflow.
    [[nodiscard]] steady_time deadline_in(std::chrono::milliseconds timeout) const {
        constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
        return with_.clock->steady() + std::clamp(timeout, -century, century);
    }
    void stop_everything();

    const std::uint64_t forks_ = forks_so_far();
    config with_;
    std::mutex closing_;
    bool closed_ = false;
    std::shared_ptr<annals::journal> journal_;
    std::shared_ptr<projection_store> projections_;
    std::shared_ptr<blocking_executor> readers_;
    std::shared_ptr<blocking_executor> feeds_;
    std::shared_ptr<blocking_executor> answers_;
    std::shared_ptr<blocking_executor> callbacks_;
    std::unique_ptr<own_actor_system> own_system_;
    std::unique_ptr<engine> engine_;
    std::unique_ptr<ticker> ticker_;
};

// --- starting ------------------------------------------------------------------------------------

/// Opening has failed: what the host gave stays open, so that it may try again with it.
void runtime::state::leave_to_host() {
    if (with_.journal)
        journal_.reset();
    if (with_.projections)
        projections_.reset();
}

result<void> runtime::state::open_stores() {
    journal_ = with_.journal;
    projections_ = with_.projections;
    if (!journal_ && !projections_)
        return open_both();
    if (!projections_)
        projections_ = make_memory_projection_store();
    if (journal_)
        return {};
    auto opened = open_lmdb_journal(with_.directory, with_.store);
    if (!opened)
        return opened.error();
    journal_ = *std::move(opened);
    return {};
}

std::size_t runtime::state::most_views_bytes() const noexcept {
    return std::min(with_.views.max_store_bytes, with_.store.max_store_bytes);
}

std::size_t runtime::state::mapped_bytes() const noexcept {
    if (with_.journal)
        return 0;
    const auto log = with_.store.max_store_bytes;
    const auto views = with_.projections ? 0 : most_views_bytes();
    return log + std::min(views, std::numeric_limits<std::size_t>::max() - log);
}

result<void> runtime::state::open_both() {
    auto views = with_.views;
    views.max_store_bytes = most_views_bytes();
    views.wait_for_lock = std::max(views.wait_for_lock, with_.store.wait_for_lock);
    views.unsafe_no_sync = views.unsafe_no_sync || with_.store.unsafe_no_sync;
    auto opened = open_lmdb_stores(with_.directory, with_.store, views);
    if (!opened)
        return opened.error();
    journal_ = std::move(opened->journal);
    projections_ = std::move(opened->projections);
    return {};
}

/// What can be refused without the disk is refused before the disk is touched.
result<void> runtime::state::check(std::span<const hosted> types) const {
    if (auto checked = engine::check(with_.limits, types); !checked)
        return checked;
    if (with_.journal || with_.projections)
        return {}; // no options of a store on disk count, or those of the journal alone
    if (with_.views.max_batch_bytes < (std::size_t{16} << 20))
        return error{errc::invalid_argument,
                     "config::views.max_batch_bytes must be at least 16 MiB, which one slice of a "
                     "stored view may change"};
    return {};
}

namespace {
error no_threads() {
    return {errc::unavailable,
            "the system gives this process too few threads, or too little address space for them; "
            "raise the limit on threads (ulimit -u) or on address space (ulimit -v), or lower "
            "config::actor_threads and its like, then open the store again"};
}
error no_address_space(std::size_t bytes) {
    return {errc::invalid_argument,
            "there is not enough address space for max_store_bytes of config::store and of "
            "config::views (" +
                std::to_string(bytes) +
                " in all); lower them, or raise the limit on address space (ulimit -v)"};
}
result<void> check_room(std::size_t threads, std::size_t mapped_bytes) {
    switch (look_for_room(threads, mapped_bytes)) {
    case room::no_address_space:
        return no_address_space(mapped_bytes);
    case room::too_few_threads:
        return no_threads();
    case room::enough:
        break;
    }
    return {};
}
std::size_t at_least_one(std::size_t threads) {
    return std::max<std::size_t>(1, threads);
}
constexpr std::size_t callback_threads = 1;
} // namespace

std::size_t runtime::state::last_threads(std::span<const hosted> types) const {
    std::size_t sum = 1; // the ticker
    if (with_.system == nullptr)
        sum += own_actor_system::threads_started(with_.actor_threads);
    for (const hosted& each : types) {
        if (each.aggregate != nullptr)
            continue;
        switch (each.projection->kind()) {
        case projection_kind::view:
            sum += each.options.own_thread ? 1 : 0;
            break;
        case projection_kind::stored_view:
            sum += 1;
            break;
        case projection_kind::reaction:
            sum += each.options.partitions;
        }
    }
    return sum;
}

std::size_t runtime::state::all_threads(std::span<const hosted> types) const {
    const std::size_t writers = with_.journal ? 0 : with_.projections ? 1 : 2;
    return writers + at_least_one(with_.reader_threads) + at_least_one(with_.feed_threads) +
           at_least_one(with_.answer_threads) + callback_threads + last_threads(types);
}

result<void> runtime::state::start(std::span<const hosted> types) {
    if (auto checked = check(types); !checked)
        return checked;
    if (auto looked = check_room(all_threads(types), mapped_bytes()); !looked)
        return looked;
    if (!with_.clock)
        with_.clock = system_clock();
    if (!with_.ids)
        with_.ids = random_ids();
    if (auto opened = open_stores(); !opened)
        return opened;
    readers_ = thread_executor(at_least_one(with_.reader_threads));
    feeds_ = thread_executor(at_least_one(with_.feed_threads));
    answers_ = thread_executor(at_least_one(with_.answer_threads));
    callbacks_ = thread_executor(callback_threads);
    // Once more: opening may have taken long.
    if (auto looked = check_room(last_threads(types), 0); !looked)
        return looked;
    if (with_.system == nullptr) {
        own_system_ = std::make_unique<own_actor_system>(with_.actor_threads);
        with_.system = &own_system_->get();
    }
    engine_parts parts;
    parts.journal = journal_;
    parts.clock = with_.clock;
    parts.ids = with_.ids;
    parts.projections = projections_;
    parts.readers = readers_;
    parts.feeds = feeds_;
    parts.answers = answers_;
    parts.callbacks = callbacks_;
    parts.new_thread = [] { return thread_executor(1); };
    parts.system = with_.system;
    auto started = engine::start(std::move(parts), with_.limits, types);
    if (!started)
        return started.error();
    engine_ = *std::move(started);
    ticker_ = std::make_unique<ticker>(*engine_, with_.clock);
    return {};
}

// --- requests ------------------------------------------------------------------------------------

namespace {
error after_fork() {
    return {errc::after_fork, "this process is a fork of the one that opened the runtime; use it "
                              "there, or open another store here"};
}
} // namespace

void runtime::state::send(std::shared_ptr<command_request> request, send_options options) {
    request->about = std::move(options.about);
    if (forked()) {
        request->fail(after_fork());
        return;
    }
    if (!options.wait_for.empty()) {
        request->fail(
            {errc::invalid_argument,
             "send_options::wait_for is for runtime::send; here, wait for the receipt and then "
             "for projection_control::reaches. Nothing was sent"});
        return;
    }
    request->chain = std::move(options.chain);
    if (options.timeout)
        request->deadline = deadline_in(*options.timeout);
    engine_->send(std::move(request));
}

void runtime::state::ask(std::shared_ptr<query_request> request, ask_options options) {
    if (forked()) {
        request->fail(after_fork());
        return;
    }
    request->at_least = options.at_least;
    if (options.at_most_old)
        request->as_of = with_.clock->steady() -
                         std::clamp(*options.at_most_old, std::chrono::milliseconds(0),
                                    std::chrono::milliseconds(std::chrono::hours(24 * 365)));
    if (options.timeout)
        request->deadline = deadline_in(*options.timeout);
    engine_->ask(std::move(request));
}

void runtime::state::ask(std::shared_ptr<joint_request> request, ask_options options) {
    if (forked()) {
        request->fail(after_fork());
        return;
    }
    request->at_least = options.at_least;
    if (options.at_most_old)
        request->at_least = std::max(request->at_least, journal_->head());
    if (options.timeout)
        request->deadline = deadline_in(*options.timeout);
    engine_->ask_together(std::move(request));
}

void runtime::state::watch(std::shared_ptr<live_request> request) {
    if (forked())
        request->fail(after_fork());
    else if (request->options.buffer == 0)
        request->fail({errc::invalid_argument, "live_options::buffer is at least 1"});
    else
        engine_->watch(std::move(request));
}

// --- waiting for projections -----------------------------------------------------------------------

namespace {
error waits_for_itself(std::string_view projection) {
    return {errc::would_deadlock,
            "this code of \"" + std::string(projection) + "\" would wait for \"" +
                std::string(projection) +
                "\", which waits for that code to end; nothing was sent. Ask for it on another "
                "thread"};
}
/// Whether this thread runs code of `projection`. Where it runs no projection's, no name fits.
bool is_handled_here(std::string_view projection) {
    const auto here = projection_handled_here();
    return !here.empty() && here == projection;
}
/// Whether an order is answered only when a handler that is running has ended.
bool waits_for_handlers(control_request::action what) {
    return what == control_request::action::pause || what == control_request::action::replay;
}
} // namespace

void runtime::state::control(std::string_view projection,
                             std::shared_ptr<control_request> request) {
    request->continue_on(callbacks_);
    if (forked())
        request->complete(after_fork());
    else if (waits_for_handlers(request->what) && is_handled_here(projection))
        request->complete(waits_for_itself(projection));
    else
        engine_->control(projection, std::move(request));
}

future<receipt> runtime::state::wait_for(std::vector<std::string> projections,
                                         std::shared_ptr<command_request> request,
                                         future<receipt> stored, send_options options) {
    if (forked())
        return future<receipt>::ready(after_fork());
    for (const auto& each : projections) {
        if (is_handled_here(each))
            return future<receipt>::ready(waits_for_itself(each));
        if (auto known = engine_->is_projection(each); !known)
            return future<receipt>::ready(known.error());
    }
    auto credit = engine_->admit_wait();
    if (!credit) {
        error refused = credit.error();
        refused.message += "; nothing was sent";
        return future<receipt>::ready(std::move(refused));
    }
    const auto answer = std::make_shared<reply_state<receipt>>();
    answer->continue_on(callbacks_);
    const auto deadline = options.timeout ? deadline_in(*options.timeout) : steady_time::max();
    stored.then([answer, deadline, projections = std::move(projections),
                 credit = *std::move(credit), weak = weak_from_this()](outcome<receipt> came) {
        const auto here = weak.lock();
        if (!came || !here) {
            answer->complete(std::move(came));
            return;
        }
        here->engine_->when_reached(
            projections, came->position, deadline,
            [answer, came](const result<void>& reached) {
                if (reached)
                    answer->complete(came);
                else
                    answer->complete(error{
                        errc::version_out_of_reach,
                        "the command is stored, up to position " + std::to_string(came->position) +
                            "; but not every projection was seen to have taken it: " +
                            (reached.error().code == errc::closed ? "the runtime closes"
                                                                  : reached.error().message),
                        came->position, came->command_id});
            },
            credit);
    });
    options.wait_for.clear();
    request->answers_inline = true; // where the host waits, the callback thread may be waiting, too
    send(std::move(request), std::move(options));
    return future<receipt>(answer);
}

future<log_position> runtime::state::reaches(const std::string& projection, log_position position,
                                             std::chrono::milliseconds timeout) {
    if (forked())
        return future<log_position>::ready(after_fork());
    if (is_handled_here(projection))
        return future<log_position>::ready(waits_for_itself(projection));
    const auto answer = std::make_shared<reply_state<log_position>>();
    answer->continue_on(callbacks_);
    engine_->when_reached({&projection, 1}, position, deadline_in(timeout),
                          [answer, position](const result<void>& reached) {
                              if (reached)
                                  answer->complete(position);
                              else
                                  answer->complete(reached.error());
                          });
    return future<log_position>(answer);
}

engine_status runtime::state::status() const {
    return engine_->status();
}

// --- stopping ------------------------------------------------------------------------------------

result<void> runtime::state::close() {
    if (forked())
        return after_fork();
    if (this_thread_must_not_block() || !projection_handled_here().empty())
        return error{errc::would_deadlock,
                     "close waits for actors and callbacks; call it from a thread of the host"};
    std::lock_guard lock(closing_);
    if (closed_)
        return {};
    closed_ = true;
    bool drained = true;
    bool reacted = true;
    if (engine_) {
        // A handler that does not end leaves some of the time to what was accepted.
        const auto for_reactions = with_.close_timeout - with_.close_timeout / 10;
        const auto began = std::chrono::steady_clock::now();
        const auto left = [&](std::chrono::milliseconds at_most) {
            return with_.close_timeout -
                   std::min(at_most, std::chrono::duration_cast<std::chrono::milliseconds>(
                                         std::chrono::steady_clock::now() - began));
        };
        engine_->stop_reactions();
        (void)engine_->wait_reactions(for_reactions);
        engine_->stop_intake();
        drained = engine_->wait_drained(left(for_reactions));
        reacted = engine_->wait_reactions(left(with_.close_timeout));
    }
    stop_everything();
    if (drained && reacted)
        return {};
    std::string what;
    if (!drained)
        what = "not every accepted command, query and order to a projection was done in time; what "
               "had not begun when the time was over was answered with an error. ";
    if (!reacted)
        what += "Not every handler of a reaction had ended, with what it returned answered; those "
                "events are delivered again at the next opening. ";
    return error{errc::deadline_exceeded, what + "Raise config::close_timeout to wait longer"};
}

/// From the outside in: no new work, then the actors, then what they stand on. The engine object
/// stays, so that late calls are answered `closed`.
void runtime::state::stop_everything() {
    ticker_.reset();
    if (engine_)
        engine_->stop_actors();
    if (journal_)
        journal_->close();
    if (engine_)
        engine_->wait_stopped();
    if (readers_)
        readers_->stop();
    if (feeds_)
        feeds_->stop();
    if (answers_)
        answers_->stop();
    if (engine_)
        engine_->stop_threads();
    if (projections_)
        projections_->close();
    if (callbacks_)
        callbacks_->stop();
}

// --- doors ---------------------------------------------------------------------------------------

class runtime::state::weak_door final : public runtime_door {
public:
    explicit weak_door(std::weak_ptr<state> to) : to_(std::move(to)) {}
    void send(std::shared_ptr<command_request> request, send_options options) override {
        if (const auto there = to_.lock())
            there->send(std::move(request), std::move(options));
        else {
            request->about = std::move(options.about);
            request->fail(gone());
        }
    }
    void ask(std::shared_ptr<query_request> request, ask_options options) override {
        if (const auto there = to_.lock())
            there->ask(std::move(request), options);
        else
            request->fail(gone());
    }
    void watch(std::shared_ptr<live_request> request) override {
        if (const auto there = to_.lock())
            there->watch(std::move(request));
        else
            request->fail(gone());
    }
    [[nodiscard]] std::shared_ptr<blocking_executor> callbacks() const override {
        const auto there = to_.lock();
        return there ? there->callbacks() : nullptr;
    }

private:
    static error gone() {
        return {errc::closed, "the runtime is gone; this request stored nothing"};
    }
    std::weak_ptr<state> to_;
};

class runtime::state::weak_access final : public projection_control::access {
public:
    explicit weak_access(std::weak_ptr<state> to) : to_(std::move(to)) {}
    void control(std::string_view projection, std::shared_ptr<control_request> request) override {
        if (const auto there = to_.lock())
            there->control(projection, std::move(request));
        else
            request->complete(gone());
    }
    future<log_position> reaches(const std::string& projection, log_position position,
                                 std::chrono::milliseconds timeout) override {
        const auto there = to_.lock();
        return there ? there->reaches(projection, position, timeout)
                     : future<log_position>::ready(gone());
    }
    result<std::vector<set_aside_event>> set_aside(const std::string& projection,
                                                   log_position after, std::size_t max) override {
        const auto there = to_.lock();
        if (!there)
            return gone();
        if (there->forked())
            return after_fork();
        if (auto known = there->running().is_projection(projection); !known)
            return known.error();
        auto snapshot = there->projections().snapshot();
        if (!snapshot)
            return snapshot.error();
        return catalog::list_set_aside(**snapshot, projection, after, max);
    }
    result<projection_status> status(const std::string& projection) override {
        const auto there = to_.lock();
        if (!there)
            return gone();
        if (auto known = there->running().is_projection(projection); !known)
            return known.error();
        for (auto& each : there->status().projections)
            if (each.name == projection)
                return std::move(each);
        return gone();
    }

private:
    static error gone() { return {errc::closed, "the runtime is gone"}; }
    std::weak_ptr<state> to_;
};

std::shared_ptr<runtime_door> runtime::state::door() {
    return std::make_shared<weak_door>(weak_from_this());
}

std::shared_ptr<projection_control::access> runtime::state::access() {
    return std::make_shared<weak_access>(weak_from_this());
}

// --- the public face -----------------------------------------------------------------------------

runtime::runtime(std::shared_ptr<state> made) : state_(std::move(made)) {}
runtime::runtime(runtime&&) noexcept = default;
runtime& runtime::operator=(runtime&& other) noexcept {
    if (this != &other) {
        const runtime closed_on_return(std::move(*this));
        state_ = std::move(other.state_);
    }
    return *this;
}
runtime::~runtime() {
    if (!state_)
        return;
    if (state_->forked()) {
        // Its threads cannot be joined here, so it is never destroyed.
        static auto& left_behind =
            *new std::vector<std::shared_ptr<state>>; // house_style: must outlive static objects
        left_behind.push_back(std::move(state_));
        return;
    }
    (void)state_->close(); // a door may keep the state itself a little longer
}

result<runtime> runtime::start(config with, std::span<const hosted> types) {
    auto made = std::make_shared<state>(std::move(with));
    result<void> started;
    try {
        started = made->start(types);
    } catch (const std::system_error& why) { // a thread that cannot be started, in the first place
        error said = no_threads();
        said.message = std::string(why.what()) + ": " + said.message;
        started = std::move(said);
    }
    if (!started) {
        made->leave_to_host();
        return started.error();
    }
    return runtime(std::move(made));
}

void runtime::submit(std::shared_ptr<command_request> request, send_options options) {
    state_->send(std::move(request), std::move(options));
}

future<receipt> runtime::submit_and_wait(std::shared_ptr<command_request> request,
                                         future<receipt> answer, send_options options) {
    auto projections = std::move(options.wait_for);
    return state_->wait_for(std::move(projections), std::move(request), std::move(answer),
                            std::move(options));
}

void runtime::submit(std::shared_ptr<joint_request> request, ask_options options) {
    state_->ask(std::move(request), options);
}

void runtime::submit(std::shared_ptr<live_request> request) {
    state_->watch(std::move(request));
}

result<std::shared_ptr<view_publisher>> runtime::publisher(std::type_index view) const {
    auto found = state_->running().publisher(view);
    if (!found)
        return error{errc::invalid_argument,
                     "this view publishes no versions; host it with annals::host_published"};
    if (!found->ready())
        return error{
            errc::unavailable,
            "the view could not be made, so there is no version of it; look at its status"};
    return found;
}

projection_control runtime::projection(std::string name) const {
    return {state_->access(), std::move(name)};
}

rate_statistics runtime::query_statistics(std::chrono::seconds window) const {
    const auto length =
        std::clamp(window, std::chrono::seconds(1), std::chrono::seconds(std::chrono::hours(1)));
    return statistics_of(state_->running().recent_queries(length),
                         static_cast<double>(length.count()));
}

void runtime::submit(std::shared_ptr<query_request> request, ask_options options) {
    state_->ask(std::move(request), options);
}

annals::journal& runtime::journal() const noexcept {
    return state_->journal();
}

engine_status runtime::status() const {
    return state_->status();
}

std::shared_ptr<runtime_door> runtime::door() const {
    return state_->door();
}

result<void> runtime::close() {
    return state_->close();
}

const std::shared_ptr<blocking_executor>& runtime::callbacks() const noexcept {
    return state_->callbacks();
}

} // namespace annals
