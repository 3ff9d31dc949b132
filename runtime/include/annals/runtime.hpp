#pragma once

#include "annals/config.hpp"
#include "annals/host.hpp"
#include "annals/projection_control.hpp"
#include "annals/rate_statistics.hpp"
#include "annals/send_options.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace annals {

/// How fresh an answer must be.
struct ask_options {
    /// The answer reflects this position, or more. 0: whatever the view has. After opening, a view in
    /// memory begins empty or with its saved copy and answers while it catches up: ask with
    /// `latest()` until it is live.
    log_position at_least = 0;
    /// How long to wait for that; `engine_limits::query_timeout` without it. A query that had to wait
    /// must also be answered by then; one that need not wait has no timeout (`future::get_for`).
    std::optional<std::chrono::milliseconds> timeout = {};
    /// The answer misses at most what became durable within this time before asking. 0: it reflects
    /// everything that is durable when it is asked.
    std::optional<std::chrono::milliseconds> at_most_old = {};
};

/// The answer reflects everything that is durable when it is asked.
[[nodiscard]] inline ask_options latest() {
    return {0, {}, std::chrono::milliseconds(0)};
}
/// The answer misses at most what became durable within the last `age`.
[[nodiscard]] inline ask_options fresh_within(std::chrono::milliseconds age) {
    return {0, {}, age};
}

/// The answer reflects what this receipt stands for: a caller reads its own writes.
[[nodiscard]] inline ask_options after(const receipt& written) {
    return {written.position, {}, {}};
}

/// A query that names its view: `struct demand_for { using view = demand; ... };`
template <class Q>
concept query_with_view = requires {
    typename Q::view;
};

/// A way into a runtime that may outlive it: what comes after the end is answered `closed`. For
/// adapters such as annals/caf.hpp. Thread-safe.
class runtime_door {
public:
    virtual ~runtime_door() = default;
    virtual void send(std::shared_ptr<command_request> request, send_options options) = 0;
    virtual void ask(std::shared_ptr<query_request> request, ask_options options) = 0;
    virtual void watch(std::shared_ptr<live_request> request) = 0;
    /// Where continuations run; null once the runtime is gone.
    [[nodiscard]] virtual std::shared_ptr<blocking_executor> callbacks() const = 0;
};

/// An event-sourced system inside a host application: open it, send commands, ask queries, close it.
///
///     auto rt = annals::runtime::open("shop.db", annals::host<cart>, annals::host<demand>).value();
///     annals::receipt r = rt.send("17", add_item{"tea", 2}).get().value(); // durable
///     int tea = rt.ask(demand_for{"tea"}, annals::after(r)).get().value(); // reads its own write
///
/// Everything but moving and destroying is safe from any thread. Movable; a moved-from runtime may
/// only be destroyed or assigned to. Readers and handles of live queries may outlive the runtime.
class runtime {
public:
    /// Opens or creates the store in `directory` and starts the hosted aggregates and views.
    /// Errors: those of `open_lmdb_journal`, and `invalid_argument` for hosted types that clash.
    template <class... Hosted>
    [[nodiscard]] static result<runtime> open(std::filesystem::path directory,
                                              const Hosted&... types) {
        config with;
        with.directory = std::move(directory);
        return open(std::move(with), types...);
    }
    template <class... Hosted>
    [[nodiscard]] static result<runtime> open(config with, const Hosted&... types) {
        const std::initializer_list<hosted> all{static_cast<hosted>(types)...};
        return start(std::move(with), {all.begin(), all.size()});
    }

    runtime(runtime&&) noexcept;
    runtime& operator=(runtime&&) noexcept;
    /// Closes; see `close`.
    ~runtime();

    /// Sends a command to the aggregate `id` of the type that handles it. The answer comes when the
    /// events are durable: a receipt, a rejection by the domain, or an error. Commands that one
    /// thread sends to one aggregate are decided in that order. docs/guarantees.md lists every error
    /// and what it says of the store. Throws what the command's own move constructor or `size_hint`
    /// throws, and then nothing was sent.
    template <class C>
    [[nodiscard]] future<receipt> send(std::string id, C command, send_options options = {}) {
        auto request = std::make_shared<typed_command<C>>(std::move(id), std::move(command));
        future<receipt> answer(request);
        if (!options.wait_for.empty())
            return submit_and_wait(std::move(request), std::move(answer), std::move(options));
        submit(std::move(request), std::move(options));
        return answer;
    }
    /// A command chosen at run time.
    template <class... Cs>
    [[nodiscard]] future<receipt> send(std::string id, std::variant<Cs...> command,
                                       send_options options = {}) {
        return std::visit(
            [&](auto&& chosen) {
                return send(std::move(id), std::forward<decltype(chosen)>(chosen),
                            std::move(options));
            },
            std::move(command));
    }

    /// Asks view V. The outcome's `position()` is the log position that the answer reflects. Errors:
    /// `unknown_query` (V is not hosted, or does not list Q), `version_out_of_reach` (it did not reach
    /// `at_least` in time), `unavailable` (it has failed), `handler_failed`, `overloaded`, `closed`,
    /// `aborted` (closing), `after_fork`; of a stored view also `corrupt`, `undecodable`, `io_error`.
    template <class V, class Q>
    requires answers<V, Q>
    [[nodiscard]] future<answer_of<V, Q>> ask(Q query, ask_options options = {}) {
        auto request = std::make_shared<typed_query<V, Q>>(std::move(query));
        request->continue_on(callbacks());
        future<answer_of<V, Q>> answer(request);
        submit(std::move(request), options);
        return answer;
    }
    /// Asks the view that the query names.
    template <query_with_view Q>
    [[nodiscard]] auto ask(Q query, ask_options options = {}) {
        return ask<typename Q::view, Q>(std::move(query), options);
    }

    /// Asks several views in memory at one common position, each a query that names its view: the
    /// outcome's `position()` is that position, and each element an outcome of its own. Errors: those
    /// of `ask`; `invalid_argument` for a stored view; `aborted` if a view is reset meanwhile. Any
    /// `ask_options::at_most_old` counts as 0. Not part of the statistics of queries.
    template <query_with_view... Qs>
    requires(sizeof...(Qs) > 1)
        [[nodiscard]] future<joint_answer<Qs...>> ask_together(ask_options options, Qs... queries) {
        auto request = std::make_shared<typed_joint<Qs...>>(std::move(queries)...);
        request->continue_on(callbacks());
        future<joint_answer<Qs...>> answer(request);
        submit(std::move(request), options);
        return answer;
    }

    /// A live query: `changed` runs with the answer as it is, then whenever it differs from the one
    /// before (by `==`; without one, whenever the view has moved), in order, until the returned handle
    /// is destroyed. The view looks after each slice of events that it folds: what changed and changed
    /// back within one is not seen. `changed` runs on the runtime's callback thread, one call at a
    /// time, and must not throw; while it is slow, `live_options` say what happens. The last update
    /// may be an error: those of `ask`, `overloaded`, or `closed`. One that has ended stays ended.
    ///
    /// Each live query has its view run `answer` after every slice: keep that cheap. annals sets no
    /// limit on their number.
    template <class V, class Q>
    requires answers<V, Q>
    [[nodiscard]] live_query watch(Q query,
                                   std::function<void(const live_update<answer_of<V, Q>>&)> changed,
                                   live_options options = {}) {
        auto request = std::make_shared<typed_live<V, Q>>(std::move(query), options,
                                                          std::move(changed), callbacks());
        submit(request);
        return live_query([request] { request->cancel(); });
    }
    template <query_with_view Q>
    [[nodiscard]] live_query
    watch(Q query, std::function<void(const live_update<answer_of<typename Q::view, Q>>&)> changed,
          live_options options = {}) {
        return watch<typename Q::view, Q>(std::move(query), std::move(changed), options);
    }

    /// Reads the versions that view V publishes, without a message and without a lock. Until the view
    /// has begun, that is an empty view at position 0. Errors: `invalid_argument` if V is not hosted
    /// with `host_published`.
    template <view V>
    [[nodiscard]] result<view_reader<V>> reader() const {
        static_assert(require_publishable<V>::ok);
        auto from = publisher(typeid(V));
        if (!from)
            return from.error();
        return view_reader<V>(*std::move(from));
    }

    /// Operates one projection, by name or by its C++ type.
    [[nodiscard]] projection_control projection(std::string name) const;
    template <class T>
    [[nodiscard]] projection_control projection() const {
        return projection(std::string(T::name));
    }

    /// Answered queries of each type, by its C++ name and over all views, and their rates, over the
    /// `window` before the present second (1 second to 1 hour; clamped): count, share, rate, and the
    /// rates' mean and variance. For each view: `projection_status::query_types`.
    [[nodiscard]] rate_statistics
    query_statistics(std::chrono::seconds window = std::chrono::minutes(1)) const;

    /// The journal underneath, for reading history. It stays open until the runtime closes.
    [[nodiscard]] annals::journal& journal() const noexcept;

    [[nodiscard]] engine_status status() const;

    /// For adapters; see `runtime_door`.
    [[nodiscard]] std::shared_ptr<runtime_door> door() const;

    /// First those that cause effects stop: no event reaches a reaction any more, and handlers that are
    /// running are asked to stop (`delivery::stop`) and may finish, with everything that they need
    /// still there. Then new requests are refused, and accepted ones may finish. All this takes at most
    /// `config::close_timeout`; the rest is answered (`aborted`, `outcome_unknown`), the actors end and
    /// the journal closes. Last it waits for handlers, answers and callbacks that are still running,
    /// however long they take. An event whose handler did not finish is delivered again at the next
    /// opening: what fails because of closing is never held against it.
    ///
    /// The error is `deadline_exceeded` if, by then, an accepted command, query or order (`pause`,
    /// `resume`, `reset`, `give_up`) was not done, or a reaction's handler had not ended, or what it
    /// returned was not answered. Not waited for, and no error: waits for a position (`reaches`,
    /// `send_options::wait_for`), `rebuild`, `replay` and live queries, which are answered that the
    /// runtime closes. Idempotent. Not from a callback, a handler or an actor.
    result<void> close();

private:
    class state;
    explicit runtime(std::shared_ptr<state> made);
    static result<runtime> start(config with, std::span<const hosted> types);
    void submit(std::shared_ptr<command_request> request, send_options options);
    [[nodiscard]] future<receipt> submit_and_wait(std::shared_ptr<command_request> request,
                                                  future<receipt> answer, send_options options);
    void submit(std::shared_ptr<query_request> request, ask_options options);
    void submit(std::shared_ptr<joint_request> request, ask_options options);
    void submit(std::shared_ptr<live_request> request);
    [[nodiscard]] result<std::shared_ptr<view_publisher>> publisher(std::type_index view) const;
    [[nodiscard]] const std::shared_ptr<blocking_executor>& callbacks() const noexcept;

    std::shared_ptr<state> state_;
};

/// Folds the stored history of one aggregate up to a version, or to the first event later than a
/// time (hosts that set `metadata::time` themselves: in the order of storing), without touching
/// the aggregate that may be resident: time travel for people and tests. Blocks on the disk.
/// Empty if the aggregate had no event then.
template <aggregate A>
[[nodiscard]] result<std::optional<A>> state_at(const journal& log, std::string_view id,
                                                stream_version last,
                                                timestamp until = timestamp::max());

} // namespace annals

#include "annals/history.hpp"
