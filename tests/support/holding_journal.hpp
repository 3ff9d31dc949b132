#pragma once

#include "annals/journal.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

/// A journal in front of another that holds appends back, and fails commits, as a test tells it.
/// It passes on one operation at a time, so that what it fails fails in its turn, as with a disk.
class holding_journal final : public journal {
public:
    /// The error of a commit that shall not be stored; empty for the others.
    using rule = std::function<std::optional<error>(const commit&)>;

    explicit holding_journal(std::shared_ptr<journal> inner) : inner_(std::move(inner)) {}

    // --- what a test does with it ------------------------------------------------------------------
    void hold() {
        const std::lock_guard lock(mutex_);
        let_through_ = 0;
    }
    void release() { release(unlimited); }
    /// Lets so many operations through, now or when they come, and holds those after them.
    void release(std::size_t operations) {
        {
            const std::lock_guard lock(mutex_);
            let_through_ = operations;
        }
        pass_on();
    }
    /// Waits until `wanted` operations are held; false if they do not come.
    [[nodiscard]] bool holds(std::size_t wanted) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30),
                                 [&] { return held_.size() >= wanted; });
    }
    void fail_where(rule fails) {
        const std::lock_guard lock(mutex_);
        fails_ = std::move(fails);
    }
    void fail_next(errc code) {
        fail_where([code, done = false](const commit&) mutable -> std::optional<error> {
            if (std::exchange(done, true))
                return std::nullopt;
            return error{code, "the test wants it so"};
        });
    }
    /// Closing passes on what is held; after this it answers `outcome_unknown` instead.
    void lose_what_is_held() {
        const std::lock_guard lock(mutex_);
        lossy_ = true;
    }
    void fail_reads(std::optional<error> why) {
        const std::lock_guard lock(mutex_);
        read_failure_ = std::move(why);
    }
    /// Who reads this stream waits until `let_read`.
    void hold_reads(std::string stream) {
        const std::lock_guard lock(mutex_);
        unread_ = std::move(stream);
    }
    void let_read() {
        const std::lock_guard lock(mutex_);
        unread_.clear();
        changed_.notify_all();
    }
    /// Waits until somebody waits to read.
    [[nodiscard]] bool holds_a_read() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return readers_ > 0; });
    }
    /// What it warns of from now on.
    void warn(std::vector<std::string> of) {
        const std::lock_guard lock(mutex_);
        warnings_ = std::move(of);
    }
    /// Runs `then` whenever a subscription made from now on has read a page, before its reader has it.
    void when_a_page_is_read(std::function<void()> then) { page_read_ = std::move(then); }
    [[nodiscard]] journal& inner() noexcept { return *inner_; }

    // --- journal -------------------------------------------------------------------------------------
    uuid id() const noexcept override { return inner_->id(); }
    journal_capabilities capabilities() const noexcept override { return inner_->capabilities(); }
    void append(std::shared_ptr<append_operation> operation) override {
        {
            const std::lock_guard lock(mutex_);
            held_.push_back(std::move(operation));
            changed_.notify_all();
        }
        pass_on();
    }
    result<event_page> read_stream(std::string_view stream, stream_version from, std::size_t max,
                                   direction way) const override {
        if (auto why = read_failure())
            return *std::move(why);
        wait_to_read(stream);
        return inner_->read_stream(stream, from, max, way);
    }
    result<event_page> read_all(log_position after, std::size_t max,
                                const event_filter& filter) const override {
        return inner_->read_all(after, max, filter);
    }
    log_position head() const noexcept override { return inner_->head(); }
    result<stream_info> describe(std::string_view stream) const override {
        return inner_->describe(stream);
    }
    std::vector<std::string> warnings() const override {
        const std::lock_guard lock(mutex_);
        return warnings_;
    }
    result<std::unique_ptr<subscription>> subscribe(log_position after, event_filter filter,
                                                    std::function<void()> wake) override {
        auto made = inner_->subscribe(after, std::move(filter), std::move(wake));
        if (!made || !page_read_)
            return made;
        return std::unique_ptr<subscription>(
            std::make_unique<watched_subscription>(*std::move(made), page_read_));
    }
    void close() override {
        {
            const std::lock_guard lock(mutex_);
            if (lossy_)
                fails_ = [](const commit&) -> std::optional<error> {
                    return error{errc::outcome_unknown, "the disk is gone"};
                };
            let_through_ = unlimited;
        }
        pass_on();
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return held_.empty() && !passing_; });
        }
        inner_->close();
    }

private:
    static constexpr std::size_t unlimited = ~std::size_t{0};

    class watched_subscription final : public subscription {
    public:
        watched_subscription(std::unique_ptr<subscription> inner, std::function<void()> page_read)
            : inner_(std::move(inner)),
              page_read_(std::move(page_read)) {}
        result<event_page> next(std::size_t max) override {
            auto page = inner_->next(max);
            page_read_();
            return page;
        }

    private:
        const std::unique_ptr<subscription> inner_;
        const std::function<void()> page_read_;
    };

    /// Stands in for an operation inside the inner journal.
    class passing final : public append_operation {
    public:
        passing(holding_journal& by, std::shared_ptr<append_operation> what)
            : by_(by),
              what_(std::move(what)) {}
        std::span<const commit> commits() const noexcept override { return what_->commits(); }
        void completed(std::span<const append_result> results) noexcept override {
            std::exchange(what_, nullptr)->completed(results);
            by_.passed();
        }

    private:
        holding_journal& by_;
        std::shared_ptr<append_operation> what_;
    };

    void passed() {
        {
            const std::lock_guard lock(mutex_);
            passing_ = false;
            changed_.notify_all();
        }
        pass_on();
    }
    void pass_on() {
        std::unique_lock lock(mutex_);
        while (!passing_ && let_through_ != 0 && !held_.empty()) {
            auto next = std::move(held_.front());
            held_.pop_front();
            passing_ = true;
            if (let_through_ != unlimited)
                --let_through_;
            auto errors = failures_of(*next);
            lock.unlock();
            if (errors.empty()) {
                inner_->append(std::make_shared<passing>(*this, std::move(next)));
                lock.lock();
            } else {
                next->completed(errors);
                next.reset();
                lock.lock();
                passing_ = false;
                changed_.notify_all();
            }
        }
    }
    /// Empty, or a failure for each commit. Under the lock.
    std::vector<append_result> failures_of(const append_operation& operation) {
        std::vector<append_result> errors;
        for (const auto& each : operation.commits()) {
            auto why = fails_ && !each.cut_off() ? fails_(each) : std::nullopt;
            if (!why)
                continue;
            each.break_pipeline();
            errors.emplace_back(*std::move(why));
        }
        return errors;
    }
    void wait_to_read(std::string_view stream) const {
        std::unique_lock lock(mutex_);
        if (stream != unread_)
            return;
        ++readers_;
        changed_.notify_all();
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return stream != unread_; });
        --readers_;
    }
    [[nodiscard]] std::optional<error> read_failure() const {
        const std::lock_guard lock(mutex_);
        return read_failure_;
    }

    const std::shared_ptr<journal> inner_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::deque<std::shared_ptr<append_operation>> held_;
    std::size_t let_through_ = unlimited;
    bool passing_ = false;
    bool lossy_ = false;
    rule fails_;
    std::optional<error> read_failure_;
    std::string unread_;
    std::vector<std::string> warnings_;
    mutable std::size_t readers_ = 0; ///< that wait
    std::function<void()> page_read_; ///< set before anybody subscribes
};

} // namespace annals::test
