#include "annals/memory_journal.hpp"
#include "annals/seams.hpp"

#include "journal/answer_queue.hpp"
#include "journal/commit_check.hpp"
#include "memory/memory_log.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

namespace annals {

namespace {

constexpr std::size_t max_commit_bytes = std::size_t{16} << 20;

error journal_closed() {
    return {errc::closed, "the journal is closed; open it again"};
}

/// Calls one subscription's wake function, once for each time it was armed.
class waker {
public:
    explicit waker(std::function<void()> wake) : wake_(std::move(wake)) {}

    void arm() noexcept { armed_.store(true); }
    void ring() {
        if (!armed_.exchange(false))
            return;
        const std::lock_guard lock(mutex_);
        if (wake_)
            wake_();
    }
    /// Once it has returned, the wake function neither runs nor will run.
    void silence() {
        const std::lock_guard lock(mutex_);
        wake_ = nullptr;
    }

private:
    std::atomic<bool> armed_{false};
    std::mutex mutex_; ///< held while the wake function runs, and never together with another
    std::function<void()> wake_;
};

/// Everyone who follows the log. The list is replaced, never changed, so that ringing holds no lock
/// while wake functions run.
class wakers {
public:
    void add(const std::shared_ptr<waker>& one) {
        change([&](list& all) { all.push_back(one); });
    }
    void remove(const std::shared_ptr<waker>& one) {
        change([&](list& all) { std::erase(all, one); });
    }
    void ring_all() const {
        std::shared_ptr<const list> all;
        {
            const std::lock_guard lock(mutex_);
            all = all_;
        }
        for (const auto& one : *all)
            one->ring();
    }

private:
    using list = std::vector<std::shared_ptr<waker>>;

    template <class Change>
    void change(Change how) {
        const std::lock_guard lock(mutex_);
        auto changed = std::make_shared<list>(*all_);
        how(*changed);
        all_ = std::move(changed);
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const list> all_ = std::make_shared<list>();
};

/// How an operation ended.
struct append_answer {
    std::shared_ptr<append_operation> operation;
    std::vector<append_result> results;

    void give() { operation->completed(results); }
};

/// What the journal and its subscriptions share.
struct shared_state {
    mutable std::shared_mutex mutex; ///< guards `log`; taken before those of the members below
    std::shared_ptr<memory_log> log = std::make_shared<memory_log>(); ///< null: closed
    std::atomic<log_position> head{0};
    wakers followers;
    answer_queue<append_answer> answers;
};

class memory_subscription final : public subscription {
public:
    memory_subscription(std::shared_ptr<shared_state> state, log_position after,
                        event_filter filter, std::function<void()> wake)
        : state_(std::move(state)),
          after_(after),
          filter_(std::move(filter)),
          waker_(std::make_shared<waker>(std::move(wake))) {
        state_->followers.add(waker_);
    }
    ~memory_subscription() override {
        state_->followers.remove(waker_);
        waker_->silence();
    }
    [[nodiscard]] result<event_page> next(std::size_t max) override {
        const std::shared_lock lock(state_->mutex);
        if (!state_->log)
            return journal_closed();
        auto page = state_->log->read_all(after_, max, filter_);
        page.memory = state_->log;
        after_ = page.through;
        if (page.at_end)
            waker_->arm(); // under the lock: whatever is stored after this reading rings
        return page;
    }

private:
    std::shared_ptr<shared_state> state_;
    log_position after_;
    event_filter filter_;
    std::shared_ptr<waker> waker_;
};

class memory_journal final : public journal {
public:
    explicit memory_journal(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}
    ~memory_journal() override { close(); }

    [[nodiscard]] uuid id() const noexcept override { return id_; }

    [[nodiscard]] journal_capabilities capabilities() const noexcept override {
        return {.dense_positions = true,
                .max_commit_bytes = std::max(max_commit_bytes, max_event_bytes_),
                .max_event_bytes = max_event_bytes_};
    }

    void append(std::shared_ptr<append_operation> operation) override {
        const auto state = state_; // a completion may drop the last reference to this journal
        const auto commits = operation->commits();
        std::vector<append_result> results;
        results.reserve(commits.size());
        {
            const std::lock_guard lock(state->mutex);
            for (const auto& each : commits)
                results.push_back(store(each));
            if (state->log)
                state->head.store(state->log->head());
            state->answers.push({std::move(operation), std::move(results)});
        }
        state->answers.run();
        state->followers.ring_all();
    }

    [[nodiscard]] result<event_page> read_stream(std::string_view stream, stream_version from,
                                                 std::size_t max, direction way) const override {
        if (auto named = check_stream_name(stream); !named)
            return named.error();
        return read([&](const memory_log& log) { return log.read_stream(stream, from, max, way); });
    }
    [[nodiscard]] result<event_page> read_all(log_position after, std::size_t max,
                                              const event_filter& filter) const override {
        return read([&](const memory_log& log) { return log.read_all(after, max, filter); });
    }
    [[nodiscard]] log_position head() const noexcept override { return state_->head.load(); }

    [[nodiscard]] result<stream_info> describe(std::string_view stream) const override {
        const std::shared_lock lock(state_->mutex);
        if (!state_->log)
            return journal_closed();
        if (auto named = check_stream_name(stream); !named)
            return named.error();
        return state_->log->describe(stream);
    }

    [[nodiscard]] result<std::unique_ptr<subscription>>
    subscribe(log_position after, event_filter filter, std::function<void()> wake) override {
        const std::shared_lock lock(state_->mutex);
        if (!state_->log)
            return journal_closed();
        return std::unique_ptr<subscription>(std::make_unique<memory_subscription>(
            state_, after, std::move(filter), std::move(wake)));
    }

    void close() override {
        const auto state = state_;
        {
            const std::lock_guard lock(state->mutex);
            state->log.reset(); // pages that are still held keep its memory
        }
        state->answers.run();
        state->answers.wait();
        state->followers.ring_all();
    }

private:
    /// The result of one commit; a failed one breaks its pipeline from its place on. Under the lock.
    append_result store(const commit& candidate) {
        auto stored = try_to_store(candidate);
        if (!stored)
            candidate.break_pipeline();
        return stored;
    }
    append_result try_to_store(const commit& candidate) {
        if (!state_->log)
            return journal_closed();
        if (candidate.cut_off())
            return predecessor_failed();
        if (auto checked = check_commit(candidate, capabilities()); !checked)
            return checked.error();
        memory_log& log = *state_->log;
        const stream_version actual = log.version_of(candidate.stream);
        if (candidate.expected.holds_for(actual))
            return log.store(candidate);
        if (!candidate.expected.is_exact())
            return version_conflict(candidate, actual);
        return log.find_commit(candidate);
    }

    template <class Read>
    result<event_page> read(Read how) const {
        const std::shared_lock lock(state_->mutex);
        if (!state_->log)
            return journal_closed();
        event_page page = how(*state_->log);
        page.memory = state_->log;
        return page;
    }

    const uuid id_ = random_ids()->next();
    std::size_t max_event_bytes_;
    std::shared_ptr<shared_state> state_ = std::make_shared<shared_state>();
};

} // namespace

std::shared_ptr<journal> make_memory_journal(std::size_t max_event_bytes) {
    return std::make_shared<memory_journal>(max_event_bytes);
}

} // namespace annals
