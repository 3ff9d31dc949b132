#pragma once

#include "annals/joint.hpp"
#include "annals/live.hpp"
#include "annals/published.hpp"
#include "annals/request.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

namespace caf {
class actor_system;
}

namespace annals {

/// Bounds on what the actors hold and how they work. No bound blocks: what is over one is answered
/// `overloaded` (or `invalid_argument`), or passivated. The maxima and `page_events` must be at least 1.
struct engine_limits {
    /// Commands sent and not yet answered, over all aggregates.
    std::size_t max_commands_in_flight = 65'536;
    /// The memory that is held for commands, in bytes: see `memory_of` (annals/memory_of.hpp). Their
    /// events are counted once they are decided, even beyond the limit; no command is taken then.
    std::size_t max_command_bytes_in_flight = std::size_t{256} << 20;
    /// Commands sent to one aggregate and not yet decided, also while it is read from the journal. At
    /// most half of `max_commands_in_flight`, so that one aggregate leaves room for others.
    std::size_t max_commands_waiting_per_aggregate = 16'384;
    /// Their memory, likewise; a command that waits alone may be larger.
    std::size_t max_command_bytes_waiting_per_aggregate = std::size_t{64} << 20;
    /// Queries sent and not yet answered, over all views.
    std::size_t max_queries_in_flight = 65'536;
    /// Those who wait for projections to reach a position, over all: `send_options::wait_for` and
    /// `projection_control::reaches`.
    std::size_t max_waits = 65'536;
    /// Aggregates in memory that have no work. Beyond it those unused for longest are passivated, at once.
    /// Which are these is known roughly: the order of use is kept for each shard of the directory.
    std::size_t max_resident_aggregates = 100'000;
    /// An aggregate without a command for this long is passivated.
    std::chrono::milliseconds idle_timeout = std::chrono::minutes(5);
    /// So many stored commands, newest first, are known again by their ids within each aggregate: of
    /// those with an id of the caller's, and of those that annals gave one. Within them a repeated
    /// command returns its first receipt; an older one is decided again.
    std::size_t remembered_commands = 4'096;
    /// How often a command is decided again after another writer changed its stream.
    std::size_t conflict_retries = 8;
    /// Events read from the journal in one go.
    std::size_t page_events = 1'024;
    /// An aggregate with this many events to read is read by two readers at once.
    std::size_t split_reads_from = 48;
    /// How long a query waits for its view to reach the asked position, unless it says otherwise.
    std::chrono::milliseconds query_timeout = std::chrono::seconds(30);
    /// Longest aggregate id, in bytes. At most 190.
    std::size_t max_id_bytes = 128;
};

/// What the engine runs on. All of it outlives the engine; the journal is closed by who opened it.
struct engine_parts {
    std::shared_ptr<annals::journal> journal;
    std::shared_ptr<annals::clock> clock;
    std::shared_ptr<id_source> ids;
    /// What projections keep; closed by who opened it, after `stop_threads`.
    std::shared_ptr<projection_store> projections;
    /// Aggregates are read here.
    std::shared_ptr<blocking_executor> readers;
    /// Events for projections are read and decoded here.
    std::shared_ptr<blocking_executor> feeds;
    /// Stored views answer here, which may take as long as the host's code likes. Null: on `feeds`.
    std::shared_ptr<blocking_executor> answers;
    /// Continuations of futures run here.
    std::shared_ptr<blocking_executor> callbacks;
    /// Makes an executor with one thread, for host code that may block. The engine stops it.
    std::function<std::shared_ptr<blocking_executor>()> new_thread;
    caf::actor_system* system = nullptr;
};

/// A snapshot of counters; each is exact, together they are approximate.
struct engine_status {
    log_position head = 0;
    journal_health journal; ///< of the index that the journal derives from its log
    /// What whoever operates the host should know now, one sentence each with what to do; see
    /// `journal::warnings`. Empty if all is well.
    std::vector<std::string> warnings;
    std::size_t resident_aggregates = 0;
    std::size_t commands_in_flight = 0;
    std::size_t command_bytes_in_flight = 0;
    std::size_t queries_in_flight = 0;
    std::size_t waits = 0; ///< for projections to reach a position
    std::uint64_t commands_stored = 0;
    std::uint64_t commands_already_stored = 0;
    std::uint64_t commands_nothing = 0;
    std::uint64_t commands_rejected = 0;
    std::uint64_t commands_failed = 0;
    std::uint64_t queries_answered = 0; ///< also by a rejection
    std::uint64_t queries_failed = 0;   ///< answered with an error
    std::uint64_t rehydrations = 0;
    std::uint64_t passivations = 0;
    std::uint64_t conflicts = 0; ///< commits decided again after another writer's commit
    std::vector<projection_status> projections; ///< by name
};

/// Hosts aggregates and views as actors over a journal. Thread-safe, except for its destructor.
///
/// This is the layer that simulation drives: it owns no thread, reads no clock of its own, and moves
/// only by its actor system's scheduler, the executors it was given, and `tick`. Hosts use `runtime`.
class engine {
public:
    /// `errc::invalid_argument` if two hosted types share a name or a command type, or a limit or an
    /// option makes no sense. Looks at nothing else, so it can be asked before anything is opened.
    [[nodiscard]] static result<void> check(const engine_limits& limits,
                                            std::span<const hosted> types);
    /// The errors of `check`, or what reading the catalog of `engine_parts::projections` says. Blocks
    /// on the disk.
    [[nodiscard]] static result<std::unique_ptr<engine>>
    start(engine_parts parts, engine_limits limits, std::span<const hosted> types);
    ~engine();

    /// Answers `request` exactly once, whatever happens.
    void send(std::shared_ptr<command_request> request);
    void ask(std::shared_ptr<query_request> request);
    /// The same for what is asked of a projection by its operator, and for live and joint queries.
    void control(std::string_view projection, std::shared_ptr<control_request> request);
    void watch(std::shared_ptr<live_request> request);
    void ask_together(std::shared_ptr<joint_request> request);

    /// Runs `then` once: without an error when every named projection has taken everything up to
    /// `position`; with `version_out_of_reach`, saying how far each is, at the deadline; with
    /// `closed` when the engine stops. It runs on an actor's thread and must not block; never within
    /// this call, unless that is refused: `invalid_argument` if there is no such projection,
    /// `overloaded` without a credit (see `admit_wait`), `closed`. Adding, answering and expiring cost
    /// O(log n) of those who wait.
    void when_reached(std::span<const std::string> projections, log_position position,
                      steady_time deadline, std::function<void(result<void>)> then,
                      std::shared_ptr<void> credit = {});
    /// A credit for `when_reached`, for who wants to know beforehand that it will not be refused for it.
    /// Dropping it gives it back. `overloaded` if `engine_limits::max_waits` are out.
    [[nodiscard]] result<std::shared_ptr<void>> admit_wait();

    /// `invalid_argument`, with the names that there are, if no projection has this one.
    [[nodiscard]] result<void> is_projection(std::string_view name) const;

    /// The publisher of a view hosted with `host_published`; null if there is none.
    [[nodiscard]] std::shared_ptr<view_publisher> publisher(std::type_index view) const;
    /// The name of the hosted projection of this C++ type; empty if it is not hosted.
    [[nodiscard]] std::string projection_name(std::type_index type) const;
    /// Answered queries of each type within the `window` full seconds before the present one (at most
    /// an hour).
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>>
    recent_queries(std::chrono::seconds window) const;

    /// Expires deadlines and passivates idle aggregates. Call it now and then; returns when the next
    /// deadline is due.
    steady_time tick();
    /// `changed` runs, on any thread, when `tick` is wanted earlier than it said. Set it once.
    void on_earlier_deadline(std::function<void()> changed);

    [[nodiscard]] engine_status status() const;

    // --- closing, in this order ---

    /// From now on no event is given to a reaction, and handlers that run are asked to stop. All that
    /// they need is still there. What fails in a reaction after this is not its event's failure.
    void stop_reactions();
    /// No handler of a reaction runs, and nothing that one has returned is unanswered.
    [[nodiscard]] bool reactions_idle() const;
    /// Waits for `reactions_idle`; false if it took longer than `timeout`.
    [[nodiscard]] bool wait_reactions(std::chrono::milliseconds timeout) const;
    /// From now on answers `closed`; what was accepted goes on.
    void stop_intake();
    /// Nothing accepted is left unanswered.
    [[nodiscard]] bool drained() const;
    /// Waits for `drained`; false if it took longer than `timeout`.
    [[nodiscard]] bool wait_drained(std::chrono::milliseconds timeout) const;
    /// Ends all actors; what is still unanswered is answered `aborted` or `outcome_unknown`.
    void stop_actors();
    /// Number of actors that have not ended yet.
    [[nodiscard]] std::size_t live_actors() const;
    void wait_stopped() const;
    /// After `wait_stopped`: lets handlers in progress finish and ends their threads.
    void stop_threads();

private:
    explicit engine(std::shared_ptr<class engine_core> core);
    std::shared_ptr<class engine_core> core_;
};

} // namespace annals
