#pragma once

#include "support/stepped_projection_store.hpp"

#include "annals/engine.hpp"
#include "annals/host.hpp"
#include "annals/memory_journal.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/local_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// A whole engine on one thread, in which a seed chooses what happens next: which actor takes its
/// next message, which blocking task runs, how many operations the journal commits together, whether
/// the disk fails, and when time passes. The same seed gives the same history.
namespace simulation {

class virtual_clock final : public annals::clock {
public:
    annals::timestamp wall_time() const noexcept override {
        return annals::timestamp(std::chrono::microseconds(1'000'000'000) + passed_);
    }
    annals::steady_time steady() const noexcept override {
        return annals::steady_time(std::chrono::hours(1) + passed_);
    }
    void advance(std::chrono::milliseconds by) { passed_ += by; }

private:
    std::chrono::microseconds passed_{0};
};

class counted_ids final : public annals::id_source {
public:
    annals::uuid next() noexcept override {
        return annals::uuid::of_name("generated-" + std::to_string(++last_));
    }

private:
    int last_ = 0;
};

/// Runs tasks one by one, when told to.
class stepped_executor final : public annals::blocking_executor {
public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void stop() override {
        while (!tasks_.empty())
            run(0);
    }
    std::size_t size() const { return tasks_.size(); }
    /// The process dies: what waits is not run.
    void drop() {
        while (!tasks_.empty())
            const auto lost = std::exchange(tasks_, {}); // what it held may post
    }
    void run(std::size_t index) {
        auto task = std::move(tasks_[index]);
        tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(index));
        task();
    }

private:
    std::deque<std::function<void()>> tasks_;
};

/// The writer of a journal as a queue that the test empties, batch by batch. As with a real writer,
/// all commits of a batch are checked and stored before the first of its operations completes.
class stepped_journal final : public annals::journal {
public:
    /// Decides whether a commit fails, and how.
    using fault = std::function<std::optional<annals::error>(const annals::commit&)>;
    /// How the disk fails a whole batch, and whether what it was to store is there all the same.
    struct batch_fault {
        annals::error why;
        bool stored = false;
    };

    explicit stepped_journal(std::shared_ptr<annals::journal> log) : stored_(std::move(log)) {}

    annals::uuid id() const noexcept override { return stored_->id(); }
    annals::journal_capabilities capabilities() const noexcept override {
        return stored_->capabilities();
    }
    void append(std::shared_ptr<annals::append_operation> operation) override {
        if (closed_)
            stored_->append(std::move(operation));
        else if (refusal_ && refusal_(*operation))
            refuse(*operation);
        else
            queue_.push_back(std::move(operation));
    }
    annals::result<annals::event_page> read_stream(std::string_view stream,
                                                   annals::stream_version from, std::size_t max,
                                                   annals::direction way) const override {
        return stored_->read_stream(stream, from, cut_ ? cut_(max) : max, way);
    }
    annals::result<annals::event_page> read_all(annals::log_position after, std::size_t max,
                                                const annals::event_filter& filter) const override {
        return stored_->read_all(after, max, filter);
    }
    annals::log_position head() const noexcept override { return stored_->head(); }
    annals::result<annals::stream_info> describe(std::string_view stream) const override {
        return stored_->describe(stream);
    }
    annals::result<std::unique_ptr<annals::subscription>>
    subscribe(annals::log_position after, annals::event_filter filter,
              std::function<void()> wake) override {
        return stored_->subscribe(after, std::move(filter), std::move(wake));
    }
    void close() override {
        write_batch(queue_.size());
        closed_ = true;
        stored_->close();
    }

    void fail_by(fault rule) { fault_ = std::move(rule); }
    void fail_batches_by(std::function<std::optional<batch_fault>()> rule) {
        batch_fault_ = std::move(rule);
    }
    /// How many of so many events a page holds: pages may be cut short by their size.
    void cut_pages_by(std::function<std::size_t(std::size_t)> rule) { cut_ = std::move(rule); }
    /// Which operations are refused as `overloaded` inside `append`, ahead of those in the queue.
    void refuse_by(std::function<bool(const annals::append_operation&)> rule) {
        refusal_ = std::move(rule);
    }
    std::size_t queued() const { return queue_.size(); }
    /// The process dies: what was not written is gone.
    void drop() { const auto lost = std::exchange(queue_, {}); }
    annals::journal& stored() { return *stored_; }

    void write_batch(std::size_t operations) {
        batch written;
        const auto why = batch_fault_ ? batch_fault_() : std::nullopt;
        for (; operations > 0 && !queue_.empty(); --operations) {
            auto next = std::move(queue_.front());
            queue_.pop_front();
            std::vector<annals::append_result> results;
            for (const auto& one : next->commits())
                results.push_back(why && !why->stored && !one.cut_off()
                                      ? annals::append_result(why->why)
                                      : write(one));
            written.emplace_back(std::move(next), std::move(results));
        }
        if (why)
            fail(written, *why);
        for (auto& [operation, results] : written)
            operation->completed(results);
    }

private:
    using batch = std::vector<
        std::pair<std::shared_ptr<annals::append_operation>, std::vector<annals::append_result>>>;

    class copy final : public annals::append_operation {
    public:
        explicit copy(const annals::commit& what) : what_(what) {}
        std::span<const annals::commit> commits() const noexcept override { return {&what_, 1}; }
        void completed(std::span<const annals::append_result> results) noexcept override {
            came = results[0];
        }
        annals::append_result came = annals::append_receipt{};

    private:
        annals::commit what_;
    };

    static void refuse(annals::append_operation& operation) {
        std::vector<annals::append_result> results;
        for (const auto& one : operation.commits()) {
            one.break_pipeline();
            results.push_back(annals::error{annals::errc::overloaded, "simulated"});
        }
        operation.completed(results);
    }

    /// What the batch stored, or would have, ends in that way.
    static void fail(batch& written, const batch_fault& how) {
        for (auto& [operation, results] : written)
            for (std::size_t i = 0; i != results.size(); ++i) {
                if (results[i] && results[i]->already_stored)
                    continue; // by an earlier batch
                if (results[i])
                    results[i] = how.why;
                if (!results[i])
                    operation->commits()[i].break_pipeline();
            }
    }

    annals::append_result write(const annals::commit& one) {
        if (auto why = !one.cut_off() && fault_ ? fault_(one) : std::nullopt) {
            one.break_pipeline();
            return *why;
        }
        auto operation = std::make_shared<copy>(one);
        stored_->append(operation);
        return operation->came;
    }

    std::shared_ptr<annals::journal> stored_;
    std::deque<std::shared_ptr<annals::append_operation>> queue_;
    fault fault_;
    std::function<std::optional<batch_fault>()> batch_fault_;
    std::function<bool(const annals::append_operation&)> refusal_;
    std::function<std::size_t(std::size_t)> cut_;
    bool closed_ = false;
};

/// When changes of a projection store are durable: within `apply`, or when a step says so.
enum class disk { at_once, stepped };

/// The engine and everything it stands on, moved by `step`.
class world {
public:
    /// Worlds that are given the same log are runtimes beside each other.
    world(std::uint32_t seed, annals::engine_limits limits,
          std::initializer_list<annals::hosted> types, disk how = disk::at_once,
          std::shared_ptr<annals::journal> log = annals::make_memory_journal())
        : journal(std::make_shared<stepped_journal>(std::move(log))),
          random_(seed),
          limits_(limits),
          stepped_(how == disk::stepped),
          system_(settings_) {
        journal->cut_pages_by(
            [this](std::size_t max) { return below(3) == 0 ? 1 + below(max) : max; });
        open(types);
    }
    ~world() {
        if (!engine_)
            return;
        engine_->stop_actors();
        run_until_quiet();
        journal->close();
        run_until_quiet();
        engine_.reset();
        run_until_quiet();
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// The process dies: what it had not written is lost, and nothing that it does now has an effect.
    void die() {
        engine_->stop_actors();
        do
            forget_what_waits();
        while (scheduler().try_run_once() || readers->size() + callbacks->size() > 0);
        engine_.reset();
        if (store)
            store->let_go();
        forget_what_waits();
        threads_.clear();
    }
    /// Closes in good order, as a runtime does; a seed says with how much patience at each stage. The
    /// journal and what projections keep stay for the next process.
    void close() {
        engine_->stop_reactions();
        for (auto n = below(200); n > 0 && !engine_->reactions_idle() && step(); --n) {
        }
        engine_->stop_intake();
        for (auto n = below(200); n > 0 && !engine_->drained() && step(); --n) {
        }
        engine_->stop_actors();
        while (journal->queued() > 0)
            journal->write_batch(journal->queued());
        while (engine_->live_actors() > 0 && step()) {
        }
        readers->stop();
        engine_->stop_threads();
        run_until_quiet();
        engine_.reset();
        run_until_quiet();
        threads_.clear();
    }
    /// The next process, on what is durable.
    void open(std::span<const annals::hosted> types) {
        annals::engine_parts parts;
        parts.journal = journal;
        parts.clock = clock;
        parts.ids = ids;
        parts.projections = projections;
        if (stepped_)
            parts.projections = store =
                std::make_shared<annals::test::stepped_projection_store>(projections);
        parts.readers = readers;
        parts.feeds = readers;
        parts.callbacks = callbacks;
        parts.new_thread = [this] {
            threads_.push_back(std::make_shared<stepped_executor>());
            return threads_.back();
        };
        parts.system = &system_;
        if (store)
            store->write_at_once(true); // opening waits for the disk
        engine_ = *annals::engine::start(std::move(parts), limits_, types);
        if (store)
            store->write_at_once(false);
    }
    void open(std::initializer_list<annals::hosted> types) {
        open(std::span(types.begin(), types.size()));
    }

    annals::engine& engine() { return *engine_; }
    std::mt19937& random() { return random_; }
    std::size_t below(std::size_t bound) { return random_() % bound; }

    template <class C>
    annals::future<annals::receipt> send(std::string id, C command, annals::uuid named = {},
                                         annals::steady_time deadline = annals::steady_time::max(),
                                         std::shared_ptr<annals::command_chain> chain = {}) {
        auto request =
            std::make_shared<annals::typed_command<C>>(std::move(id), std::move(command));
        request->about.command_id = named;
        request->deadline = deadline;
        request->chain = std::move(chain);
        annals::future<annals::receipt> answer(request);
        engine_->send(std::move(request));
        return answer;
    }
    template <class V, class Q>
    annals::future<annals::answer_of<V, Q>> ask(Q query, annals::log_position at_least = 0) {
        auto request = std::make_shared<annals::typed_query<V, Q>>(std::move(query));
        request->at_least = at_least;
        request->continue_on(callbacks);
        annals::future<annals::answer_of<V, Q>> answer(request);
        engine_->ask(std::move(request));
        return answer;
    }

    /// The actors with this name that are about to begin, in the order of their making.
    std::vector<caf::actor_id> beginning(const std::string& name) {
        std::vector<caf::actor_id> found;
        for (caf::resumable* each : scheduler().jobs)
            if (const auto* actor = dynamic_cast<caf::local_actor*>(each);
                actor != nullptr && actor->name() == name)
                found.push_back(actor->id());
        std::sort(found.begin(), found.end());
        return found;
    }
    /// This actor takes no message any more, as if each took it forever; 0: all do.
    void starve(caf::actor_id which) { starved_ = which; }

    /// One thing happens, chosen by the seed. False if nothing can happen.
    bool step() {
        auto& all = scheduler().jobs;
        // Those that are kept from running come last, and are not chosen.
        const auto end =
            std::stable_partition(all.begin(), all.end(), [this](caf::resumable* each) {
                const auto* actor = starved_ != 0 ? dynamic_cast<caf::local_actor*>(each) : nullptr;
                return actor == nullptr || actor->id() != starved_;
            });
        const auto jobs = static_cast<std::size_t>(end - all.begin());
        const bool journal_writes = journal->queued() > 0 && !journal_waits;
        std::size_t choices = jobs + readers->size() + callbacks->size() + (journal_writes ? 1 : 0);
        for (const auto& each : threads_)
            choices += each->size() > 0 ? 1U : 0U; // one thread: its tasks run in order
        const bool writes = store && (store->has_to_tell() || store->waiting() > 0);
        choices += writes ? 1 : 0;
        if (choices == 0)
            return false;
        std::size_t choice = below(choices);
        if (choice < jobs) {
            auto& queue = scheduler().jobs;
            std::swap(queue.front(), queue[choice]);
            scheduler().run_once();
        } else if ((choice -= jobs) < readers->size()) {
            readers->run(choice);
        } else if ((choice -= readers->size()) < callbacks->size()) {
            callbacks->run(choice);
        } else if ((choice -= callbacks->size()) < (journal_writes ? 1U : 0U)) {
            journal->write_batch(1 + below(most_in_batch));
        } else {
            choice -= journal_writes ? 1U : 0U;
            for (const auto& each : threads_)
                if (each->size() > 0 && choice-- == 0) {
                    each->run(0);
                    return true;
                }
            if (!store->tell_one()) {
                store->write_one(store_fault ? store_fault() : std::nullopt);
                if (on_write)
                    on_write();
            }
        }
        return true;
    }
    void step_some(std::size_t most) {
        for (std::size_t n = below(most + 1); n > 0 && step(); --n) {
        }
    }
    void run_until_quiet() {
        while (step()) {
        }
    }
    /// Time passes; what is due happens.
    void pass(std::chrono::milliseconds by) {
        clock->advance(by);
        engine_->tick();
    }

    const std::shared_ptr<virtual_clock> clock = std::make_shared<virtual_clock>();
    const std::shared_ptr<counted_ids> ids = std::make_shared<counted_ids>();
    const std::shared_ptr<stepped_executor> readers = std::make_shared<stepped_executor>();
    const std::shared_ptr<stepped_executor> callbacks = std::make_shared<stepped_executor>();
    const std::shared_ptr<stepped_journal> journal;
    std::size_t most_in_batch = 4; ///< operations that the journal commits together
    bool journal_waits = false;    ///< it writes only what a test tells it to
    const std::shared_ptr<annals::projection_store> projections =
        annals::make_memory_projection_store();
    /// The way to it, if that goes by steps; its writer may be made to fail, and be watched.
    std::shared_ptr<annals::test::stepped_projection_store> store;
    std::function<std::optional<annals::error>()> store_fault;
    std::function<void()> on_write;

private:
    void forget_what_waits() {
        readers->drop();
        callbacks->drop();
        for (const auto& each : threads_)
            each->drop();
        journal->drop();
        if (store)
            store->lose();
    }

    struct settings : caf::actor_system_config {
        settings() { set("scheduler.policy", caf::atom("testing")); }
    };
    caf::scheduler::test_coordinator& scheduler() {
        return static_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
    }

    std::mt19937 random_;
    const annals::engine_limits limits_;
    const bool stepped_;
    caf::actor_id starved_ = 0;
    std::vector<std::shared_ptr<stepped_executor>> threads_;
    settings settings_;
    caf::actor_system system_;
    std::unique_ptr<annals::engine> engine_;
};

} // namespace simulation
