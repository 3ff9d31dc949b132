#include "annals/runtime.hpp"

#include "actor_system.hpp"
#include "fork_guard.hpp"
#include "ticker.hpp"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace annals {

class runtime::state : public std::enable_shared_from_this<runtime::state> {
public:
    explicit state(config with) : with_(std::move(with)) {}
    ~state() { (void)close(); }

    [[nodiscard]] result<void> start(std::span<const hosted> types);
    result<void> close();
    void send(std::shared_ptr<command_request> request, send_options options);
    void ask(std::shared_ptr<query_request> request, ask_options options);

    [[nodiscard]] std::shared_ptr<runtime_door> door();
    /// This is a fork's child: the threads that all this needs are in the parent.
    [[nodiscard]] bool forked() const noexcept { return forks_so_far() != forks_; }
    [[nodiscard]] annals::journal& journal() const noexcept { return *journal_; }
    [[nodiscard]] engine_status status() const;
    [[nodiscard]] const std::shared_ptr<blocking_executor>& callbacks() const noexcept {
        return callbacks_;
    }

private:
    class weak_door;
    [[nodiscard]] result<void> open_journal();
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
    std::shared_ptr<blocking_executor> readers_;
    std::shared_ptr<blocking_executor> callbacks_;
    std::unique_ptr<own_actor_system> own_system_;
    std::unique_ptr<engine> engine_;
    std::unique_ptr<ticker> ticker_;
};

// --- starting ------------------------------------------------------------------------------------

result<void> runtime::state::open_journal() {
    if (with_.journal) {
        journal_ = with_.journal;
        return {};
    }
    auto opened = open_lmdb_journal(with_.directory, with_.store);
    if (!opened)
        return opened.error();
    journal_ = *std::move(opened);
    return {};
}

result<void> runtime::state::start(std::span<const hosted> types) {
    if (!with_.clock)
        with_.clock = system_clock();
    if (!with_.ids)
        with_.ids = random_ids();
    if (auto opened = open_journal(); !opened)
        return opened;
    readers_ = thread_executor(std::max<std::size_t>(1, with_.reader_threads));
    callbacks_ = thread_executor(1);
    if (with_.system == nullptr) {
        own_system_ = std::make_unique<own_actor_system>(with_.actor_threads);
        with_.system = &own_system_->get();
    }
    engine_parts parts{journal_, with_.clock, with_.ids, readers_, callbacks_, with_.system};
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
    if (forked()) {
        request->fail(after_fork());
        return;
    }
    request->about = std::move(options.about);
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
    if (options.timeout)
        request->deadline = deadline_in(*options.timeout);
    engine_->ask(std::move(request));
}

engine_status runtime::state::status() const {
    return engine_->status();
}

// --- stopping ------------------------------------------------------------------------------------

result<void> runtime::state::close() {
    if (forked())
        return after_fork();
    if (this_thread_must_not_block())
        return error{errc::would_deadlock,
                     "close waits for actors and callbacks; call it from a thread of the host"};
    std::lock_guard lock(closing_);
    if (closed_)
        return {};
    closed_ = true;
    bool drained = true;
    if (engine_) {
        engine_->stop_intake();
        drained = engine_->wait_drained(with_.close_timeout);
    }
    stop_everything();
    if (!drained)
        return error{errc::deadline_exceeded,
                     "not every accepted command finished before the runtime closed; those were "
                     "answered with an error. Raise config::close_timeout to wait longer"};
    return {};
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
        else
            request->fail(gone());
    }
    void ask(std::shared_ptr<query_request> request, ask_options options) override {
        if (const auto there = to_.lock())
            there->ask(std::move(request), options);
        else
            request->fail(gone());
    }
    [[nodiscard]] std::shared_ptr<blocking_executor> callbacks() const override {
        const auto there = to_.lock();
        return there ? there->callbacks() : nullptr;
    }

private:
    static error gone() { return {errc::closed, "the runtime is gone; nothing was stored"}; }
    std::weak_ptr<state> to_;
};

std::shared_ptr<runtime_door> runtime::state::door() {
    return std::make_shared<weak_door>(weak_from_this());
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
    if (auto started = made->start(types); !started)
        return started.error();
    return runtime(std::move(made));
}

void runtime::submit(std::shared_ptr<command_request> request, send_options options) {
    state_->send(std::move(request), std::move(options));
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
