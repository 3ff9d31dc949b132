#pragma once

#include "annals/future.hpp"
#include "annals/hosted.hpp"
#include "annals/journal.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

/// Requests on their way to an actor. Each is one object that holds what was asked, the place for
/// the answer and, for a command, the commit it turns into: one allocation from `send` to receipt.
namespace annals {

/// What a request holds back from others while it waits, returned when it is answered. The engine
/// implements it.
class admission;

/// A request with a deadline.
class expirable {
public:
    virtual ~expirable() = default;
    /// The deadline has passed: answer, if nobody has yet. Any thread.
    virtual void expire() noexcept = 0;
};

/// Commands that build on each other, such as the rows of one file. Once one of them is answered with
/// an error (not a rejection), those of the chain that are not decided yet are answered
/// `predecessor_failed`, so that no later one is stored without an earlier one of its aggregate.
/// Give each command of the chain the same object; a broken chain stays broken. Safe from any thread.
class command_chain {
public:
    [[nodiscard]] bool broken() const noexcept { return broken_.load(std::memory_order_acquire); }
    void break_off() noexcept { broken_.store(true, std::memory_order_release); }

private:
    std::atomic<bool> broken_{false};
};

/// A command on its way to its aggregate and, as events, into the journal.
///
/// The sender fills in the public part and gives it to `engine::send`; from then on it belongs to
/// the engine, and the sender only looks at the reply. What it holds is charged to the engine's byte
/// budget and let go of as soon as neither the engine nor the journal needs it: with the answer, or,
/// where a deadline has answered, later. A future that is kept keeps the answer, this object, and at
/// most `kept_bytes` more.
class command_request : public reply_state<receipt>,
                        public append_operation,
                        public expirable,
                        public std::enable_shared_from_this<command_request> {
public:
    static constexpr bool held_by_futures = true;

    /// `object_bytes` is the size of the whole object, `command_bytes` what the command holds besides.
    command_request(std::string id, std::type_index command_type, std::size_t object_bytes,
                    std::size_t command_bytes)
        : aggregate_id(std::move(id)),
          type(command_type),
          object_bytes_(object_bytes + around_bytes),
          held_bytes_(command_bytes) {}

    std::string aggregate_id;
    std::type_index type; ///< of the command
    metadata about;
    steady_time deadline = steady_time::max();
    std::shared_ptr<command_chain> chain; ///< may be null
    /// What is chained to the answer runs on the thread that answers, and does not block.
    bool answers_inline = false;

    /// Less is not worth giving back before the object is: that would cost the journal's thread time.
    static constexpr std::size_t kept_bytes = 1'024;

    /// Answers with an error and breaks the chain. False if the command was answered already. For
    /// whoever holds it, or before anybody does.
    bool fail(error why) noexcept;

    /// Everything it holds: itself, the command, metadata and, once decided, the encoded events.
    [[nodiscard]] std::size_t charged_bytes() const noexcept {
        return sent_bytes() + decided_bytes_;
    }

    /// The command's value.
    [[nodiscard]] virtual const void* command() const noexcept = 0;
    /// Tells it from another command with the same id.
    [[nodiscard]] virtual command_fingerprint fingerprint() const noexcept = 0;

    // --- append_operation, expirable: called by the journal and the engine ---------------------
    [[nodiscard]] std::span<const commit> commits() const noexcept override;
    void completed(std::span<const append_result> results) noexcept override;
    void expire() noexcept override;

protected:
    /// Gives its credits back first, so that a caller who has the answer may send the next.
    void on_answering(const outcome<receipt>& answer) noexcept override;

private:
    friend class aggregate_actor;
    friend class command_ref;
    friend class engine_core;

    enum class stage : std::uint8_t { waiting, started, answered };

    /// The message it travels in, its places in queues and tables, headers of allocations.
    static constexpr std::size_t around_bytes = 512;

    /// As long as it is not decided.
    [[nodiscard]] std::size_t sent_bytes() const noexcept { return object_bytes_ + held_bytes_; }
    /// Destroys the command's value.
    virtual void drop_command() noexcept = 0;
    /// Counts what the sender has filled in. Once, before the engine admits it.
    void charge_sent() noexcept;
    /// Counts what was decided, in place of what was decided before.
    void charge_decided() noexcept;
    /// Gives back what it holds, and the charge. Once; for the last that needs it.
    void let_go() noexcept;
    /// Lets go if nobody but the caller holds it, and answers.
    bool give(outcome<receipt> answer) noexcept;
    bool fail_unless_answered(error why) noexcept;
    /// The journal needs it no more.
    void give_back_share() noexcept;

    /// True if the command is to be decided; false if its deadline has answered it, or answers it now.
    [[nodiscard]] bool begin(const clock& time) noexcept;
    void answer_without_events() noexcept;
    void barrier_reached() noexcept;
    void confirm_repeated() noexcept;
    void answer_repeated(const journal& log, stream_version version) noexcept;
    void give_back(error why) noexcept;
    /// Answers that `lost`, which it rests on, has failed.
    void fail_with(const command_request& lost) noexcept;
    /// Its last decision was made on top of what the aggregate's command number `sequence` decided.
    [[nodiscard]] bool rests_on(std::uint64_t sequence) const noexcept {
        return is_barrier_ ? rests_on_ >= sequence : sequence_ > sequence;
    }
    void abandon() noexcept;

    std::atomic<stage> stage_{stage::waiting};
    std::atomic<bool> let_go_{false};
    std::atomic<std::uint32_t> holders_{0}; ///< command_refs; the last one answers `aborted`
    const std::size_t object_bytes_;
    std::size_t held_bytes_;
    std::size_t decided_bytes_ = 0;
    bool named_ = false;
    bool waits_ = false;       ///< counted in `resident::waiting`
    std::size_t attempts_ = 0; ///< how often it went back to be decided again
    bool has_decided_events_ = false;
    std::size_t command_index_ = 0;
    std::uint64_t sequence_ = 0; ///< among the commands of its aggregate; its place in `line_`
    std::uint64_t rests_on_ = 0; ///< as a barrier: everything up to this place must be stored
    std::shared_ptr<class resident> aggregate_;
    std::shared_ptr<admission> admission_;
    // The commit, from the decision on.
    std::shared_ptr<class decision_line> line_;
    bool is_barrier_ = false; ///< nothing to store: only waits for what it rests on
    std::unique_ptr<annals::rejection> refused_; ///< while the refusal waits to be told
    stream_version repeats_ = 0; ///< the version an earlier command with the same id stored
    stream_version decided_version_ = 0;
    encoded_events encoded_;
    std::array<new_event, 1> one_event_;
    std::vector<new_event> more_events_;
    commit commit_;
    std::unique_ptr<error> append_error_; ///< why the journal did not store it
};

/// A command of type C. What it holds is found by `memory_of` (annals/memory_of.hpp), which says for
/// which types that works; others write `std::size_t size_hint(const my_command&)`.
template <class C>
class typed_command final : public command_request {
    static_assert(require_command<C>::ok);

public:
    typed_command(std::string id, C value)
        : command_request(std::move(id), typeid(C), sizeof(typed_command), memory_of(value)),
          value_(std::move(value)) {}
    [[nodiscard]] const void* command() const noexcept override { return &*value_; }
    [[nodiscard]] command_fingerprint fingerprint() const noexcept override {
        return fingerprint_of(*value_);
    }

private:
    void drop_command() noexcept override { value_.reset(); }
    std::optional<C> value_; ///< empty once it was let go of
};

/// A query on its way to its view.
class query_request : public expirable {
public:
    query_request(std::type_index view_type, std::type_index query_type)
        : view(view_type),
          query(query_type) {}

    std::type_index view;
    std::type_index query;
    log_position at_least = 0; ///< the view must reflect this position
    /// The answer may miss only what became durable after this moment.
    steady_time as_of = steady_time::min();
    steady_time deadline = steady_time::max(); ///< for reaching it

    /// Answers from the host's view value, which reflects `position`. Catches what the host's code
    /// throws.
    virtual void answer_from(const void* view_state, log_position position) noexcept = 0;
    /// Answers with an error, unless answered already.
    virtual void fail(error why) noexcept = 0;
    [[nodiscard]] virtual bool answered_already() const noexcept = 0;

    void expire() noexcept override;

private:
    friend class query_ref;
    friend class query_parking;
    friend class query_actor;
    friend class stored_query_actor;
    friend class partitioned_query;
    friend class engine_core;
    std::atomic<std::uint32_t> holders_{0};
    bool deadline_armed_ = false;
    bool counts_as_waiting_ = false;
    steady_time asked_{};
    std::shared_ptr<class projection_gauge> gauge_; ///< where the view is, for the deadline's error
    class query_gauge* measured_ = nullptr;         ///< in gauge_
    std::shared_ptr<annals::clock> clock_;
    std::shared_ptr<admission> admission_;

protected:
    /// Gives back what the request held, and measures. Call once, when it is answered.
    void release(bool with_an_error) noexcept;
};

/// A query of type Q to a view of type V.
template <class V, class Q>
class typed_query final : public reply_state<answer_of<V, Q>>, public query_request {
public:
    using answer_type = answer_of<V, Q>;
    static constexpr bool held_by_futures = true;

    explicit typed_query(Q value) : query_request(typeid(V), typeid(Q)), value_(std::move(value)) {}

    void answer_from(const void* view_state, log_position position) noexcept override {
        try {
            outcome<answer_type> given(answer(*static_cast<const V*>(view_state), value_));
            this->complete(std::move(given).reflecting(position));
        } catch (...) {
            fail_with_current_exception();
        }
    }
    void fail(error why) noexcept override { this->complete(std::move(why)); }
    bool answered_already() const noexcept override { return this->answered(); }
    [[nodiscard]] const Q& value() const noexcept { return value_; }

protected:
    void on_answering(const outcome<answer_type>& given) noexcept override {
        release(given.is_error());
    }

private:
    void fail_with_current_exception() noexcept;
    Q value_;
};

[[nodiscard]] error error_of_current_exception(std::string_view where);

template <class V, class Q>
void typed_query<V, Q>::fail_with_current_exception() noexcept {
    fail(error_of_current_exception("answer"));
}

/// What an operator asks of one projection. The answer is the position it then stands at.
class control_request : public reply_state<log_position> {
public:
    static constexpr bool held_by_futures = true;
    enum class action : std::uint8_t { pause, resume, reset, rebuild, replay, give_up };
    control_request(action wanted, log_position at) : what(wanted), position(at) {}
    const action what;
    const log_position position; ///< to reset to; of the event to replay or give up
};

} // namespace annals
